"""What is done before anybody asks: the next suggestion, and reading a file in which somebody stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from lsp_server.documents.text_lines import TextLines
from lsp_server.engine.base import Finished, GenerateRequest, Piece, Priority
from lsp_server.engine.scripted import Rule, ScriptedEngine, render
from lsp_server.outcome import Outcome, Skip, Times, TokenCounts
from lsp_server.power import Power, PowerMeter
from lsp_server.session import Session
from lsp_server.settings import Settings
from lsp_server.state import Document, EditorState
from tests.marked import snapshot

NEVER_S = 3600.0


class Watched(ScriptedEngine):
    """Remembers requests in their order, and tells when one begins or is over."""

    def __init__(self, *rules: Rule) -> None:
        super().__init__(rules)
        self.begun: list[GenerateRequest] = []
        self.over: list[GenerateRequest] = []
        self._news = asyncio.Event()

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """As usual."""
        self.begun.append(request)
        self._news.set()
        try:
            async for event in super().generate(request):
                yield event
        finally:
            self.over.append(request)
            self._news.set()

    def of(self, priority: Priority) -> list[str]:
        """The prompts that were begun at this priority."""
        return [render(request.prompt) for request in self.begun if request.priority is priority]

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait for something that a request brings about."""
        while not met():
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 20)

    async def rest(self) -> None:
        """Wait until all that was begun is over, and what it led to has been said."""
        await self.until(lambda: len(self.over) == len(self.begun))
        for _ in range(20):
            await asyncio.sleep(0)


class Desk:
    """A session, an engine, and somebody who types."""

    def __init__(self, *rules: Rule, settings: Settings | None = None, idle_s: float = NEVER_S) -> None:
        self.engine = Watched(*rules)
        self.session = Session(lambda settings: self.engine, idle_s=idle_s)
        self.session.state.settings = settings or Settings()
        self.session.memory.meter = PowerMeter(lambda: Power.MAINS)
        self.documents: dict[str, Document] = {}

    def write(self, marked: str, path: str = "a.py") -> Document:
        """Open a document, or change it to this."""
        here = snapshot(marked, path=path)
        text = "".join(here.lines)
        document = self.session.state.documents.get(here.uri)
        if document is None:
            document = Document(here.uri, path, "python", 1, TextLines(text))
            self.session.open(document)
        else:
            document.lines = TextLines(text)
            self.session.changed(document, document.version + 1)
        document.editor = EditorState(caret=(here.caret_line, here.caret_column))
        return document

    async def ask(self, marked: str, path: str = "a.py", *, invoked: bool = False) -> Outcome:
        """Type, and ask at the caret."""
        await self.engine.wait_ready(1000)
        document = self.write(marked, path)
        assert document.editor is not None
        assert document.editor.caret is not None
        return await self.session.complete(document.snapshot(*document.editor.caret), invoked=invoked)

    def stay(self, marked: str, path: str = "a.py") -> None:
        """The editor tells where the caret is."""
        self.session.caret_moved(self.write(marked, path))


def text_of(outcome: Outcome) -> str | None:
    return outcome.suggestion.text if outcome.suggestion else None


async def test_after_accepting_the_next_one_is_there() -> None:
    """No token is evaluated or generated for it while anybody waits."""
    desk = Desk(Rule(match=r"x = 1$", text="\ny = 2"), Rule(match=r"x = $", text="1"))
    assert text_of(await desk.ask("x = █")) == "1"
    await desk.engine.rest()
    outcome = await desk.ask("x = 1█")
    assert text_of(outcome) == "\ny = 2"
    assert (outcome.tokens.evaluated, outcome.tokens.generated) == (0, 0)
    assert [request.priority for request in desk.engine.begun[:2]] == [Priority.COMPLETION, Priority.SPECULATION]


async def test_the_document_keeps_its_lane() -> None:
    """What is computed ahead has a lane of its own, with the same beginning."""
    desk = Desk(Rule(match=r"x = 1$", text="\ny = 2"), Rule(match=r"x = $", text="1"))
    await desk.ask("x = █")
    await desk.engine.rest()
    shown, ahead = desk.engine.begun[:2]
    assert shown.lane != ahead.lane
    assert render(ahead.prompt) == render(shown.prompt) + "1"


async def test_closers_that_the_suggestion_takes_the_place_of_are_gone_when_it_is_accepted() -> None:
    """The editor wrote the closer by itself; the next suggestion is computed for what accepting leaves."""
    desk = Desk(Rule(match=r"f\(a\) \+ 1$", text="\ng()"), Rule(match=r"f\($", text="a) + 1"))
    await desk.ask("f█\n")
    assert text_of(await desk.ask("f(█)\n")) == "a) + 1"
    await desk.engine.rest()
    assert text_of(await desk.ask("f(a) + 1█\n")) == "\ng()"
    assert len(desk.engine.of(Priority.COMPLETION)) == 2


async def test_typing_something_else_ends_it() -> None:
    """What nobody will see is not computed any further."""
    desk = Desk(Rule(match=r"x = 1$", text="y " * 40, token_ms=3_600_000), Rule(text="1"))
    await desk.ask("x = █")
    await desk.engine.until(lambda: len(desk.engine.begun) == 2)
    await desk.ask("x = z█")
    assert desk.engine.begun[1] in desk.engine.over


async def test_typing_along_keeps_it() -> None:
    """It is begun once, however many keys it takes to write what was suggested."""
    desk = Desk(Rule(match=r"x = one$", text="y " * 40, token_ms=3_600_000), Rule(text="one"))
    for typed in ("", "o", "on"):
        await desk.ask(f"x = {typed}█")
    await desk.engine.until(lambda: len(desk.engine.begun) == 2)
    assert len(desk.engine.of(Priority.SPECULATION)) == 1
    assert desk.engine.over == desk.engine.begun[:1]
    await desk.session.close()


@pytest.mark.parametrize(
    ("settings", "power", "begun"),
    [
        (Settings(), Power.MAINS, 2),
        (Settings(speculation=False), Power.MAINS, 1),
        (Settings(), Power.BATTERY, 1),
        (Settings(save_battery=False), Power.BATTERY, 2),
    ],
)
async def test_when_nothing_is_computed_ahead(settings: Settings, power: Power, begun: int) -> None:
    """The setting, and the battery."""
    desk = Desk(Rule(text="1"), settings=settings)
    desk.session.memory.meter = PowerMeter(lambda: power)
    await desk.ask("x = █")
    await desk.engine.rest()
    assert len(desk.engine.begun) == begun


async def test_what_the_clock_cut_off_grows() -> None:
    """Whole lines are shown at the deadline; asked again, the suggestion has become longer, and begins as it did."""
    endless = "".join(f" + d{number}" for number in range(2000))
    slow = Rule(match=r"f\(\):$", text=f"\n    a\n    b\n    c = d{endless}", token_ms=1)
    rest = Rule(match=r"f\(\):\n    a\n    b$", text="\n    rest")
    desk = Desk(rest, slow, settings=Settings(deadline_ms=100, max_new_tokens=4096))
    first = await desk.ask("def f():█")
    assert not first.whole
    await desk.engine.rest()
    again = await desk.ask("def f():█")
    assert text_of(again) == f"{text_of(first)}\n    rest"
    assert again.tokens.generated == 0


async def test_tokens_that_nobody_saw_are_counted() -> None:
    """What is computed ahead counts as unseen until it is shown; what was called off always does."""
    desk = Desk(Rule(match=r"x = 1$", text="2345"), Rule(match=r"x = $", text="1"), Rule(text="678"))
    memory = desk.session.memory
    await desk.ask("x = █")
    await desk.engine.rest()
    assert memory.never_shown_tokens == memory.streamed_tokens - 1 > 0
    before = memory.never_shown_tokens
    await desk.ask("x = 1█")
    assert memory.never_shown_tokens < before


async def test_closing_the_document_ends_it() -> None:
    """Nothing is remembered of a document that is gone."""
    desk = Desk(Rule(match=r"x = 1$", text="y " * 40, token_ms=3_600_000), Rule(text="1"))
    await desk.ask("x = █")
    await desk.engine.until(lambda: len(desk.engine.begun) == 2)
    desk.session.close_document("file:///a.py")
    await desk.engine.until(lambda: len(desk.engine.over) == 2)
    assert desk.session.memory.history.find(snapshot("x = █", path="a.py")) is None


# Reading ahead


async def test_a_file_in_which_somebody_stays_is_read() -> None:
    """Nothing is generated; the request that comes then evaluates next to nothing."""
    desk = Desk(Rule(text="1"), idle_s=0.0)
    desk.stay("a = 1\n" * 50 + "x = █")
    await desk.engine.until(lambda: len(desk.engine.over) == 1)
    assert (desk.engine.begun[0].priority, desk.engine.begun[0].max_new_tokens) == (Priority.WARM_UP, 0)
    await desk.engine.rest()
    outcome = await desk.ask("a = 1\n" * 50 + "x = █")
    assert outcome.tokens.evaluated <= 1 < outcome.tokens.reused


async def test_files_that_are_passed_through_are_not_read() -> None:
    """Only the last one."""
    desk = Desk(Rule(text="1"), idle_s=0.0)
    for name in "abc":
        desk.stay(f"{name} = █", path=f"{name}.py")
    await desk.engine.until(lambda: bool(desk.engine.over))
    await desk.engine.rest()
    assert [request.lane for request in desk.engine.begun] == ["file:///c.py"]


async def test_typing_ends_it() -> None:
    """Somebody who types does not stay."""
    desk = Desk(Rule(text="1"), idle_s=0.0)
    desk.stay("a = █")
    desk.write("a = b█")
    for _ in range(20):
        await asyncio.sleep(0)
    assert desk.engine.begun == []


@pytest.mark.parametrize("ends", ["changed", "closed session"])
async def test_a_request_that_was_ended_early_begins_nothing(ends: str) -> None:
    """Its place is where somebody was; after the end of a session no engine is made."""
    desk = Desk(Rule(text="word", token_ms=3_600_000), settings=Settings(deadline_ms=60_000), idle_s=0.0)
    request = asyncio.ensure_future(desk.ask("x = █"))
    await desk.engine.until(lambda: len(desk.engine.begun) == 1)
    if ends == "changed":
        desk.write("x = y█")
    else:
        await desk.session.close()
    await request
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(desk.engine.begun) == 1
    assert (desk.session._engine is None) is (ends == "closed session")


async def test_a_prompt_that_was_read_is_not_read_again() -> None:
    """After a request that was answered there is nothing to do."""
    desk = Desk(Rule(text="1"), settings=Settings(speculation=False), idle_s=0.0)
    await desk.ask("x = █")
    for _ in range(50):
        await asyncio.sleep(0)
    assert desk.engine.of(Priority.WARM_UP) == []


async def test_a_prompt_that_was_not_read_in_time_is_read_on() -> None:
    """The clock ended the request; the next one finds the prompt evaluated."""
    rule = Rule(text="1", token_ms=10_000)
    desk = Desk(rule, settings=Settings(deadline_ms=20, speculation=False), idle_s=0.0)
    assert (await desk.ask("x = █")).skip is Skip.DEADLINE
    await desk.engine.until(lambda: len(desk.engine.over) == 2)
    assert len(desk.engine.of(Priority.WARM_UP)) == 1


async def test_much_typing_is_settled_when_it_ends() -> None:
    """A new anchor at the caret, read while nobody waits: what was typed has become a part of the prefix."""
    settings = Settings(speculation=False, max_prompt_tokens=200)
    desk = Desk(Rule(text="1"), settings=settings)
    await desk.ask("start\n█")
    typed = "".join(f"line_{number} = {number}\n" for number in range(120))
    await desk.ask(f"start\n{typed}x = █")
    assert render(desk.engine.begun[-1].prompt).endswith("x = ")
    desk.session._ahead._idle_s = 0.0
    desk.stay(f"start\n{typed}x = █")
    await desk.engine.until(lambda: bool(desk.engine.of(Priority.WARM_UP)))
    settled = desk.engine.of(Priority.WARM_UP)[0]
    assert settled.index("line_119") < settled.index("<|fim_middle|>")


@pytest.mark.parametrize(
    "settings", [Settings(warm_up=False), Settings(enabled=False), Settings(max_file_bytes=2)], ids=str
)
async def test_when_nothing_is_read_ahead(settings: Settings) -> None:
    """The settings, and files that get no suggestions."""
    desk = Desk(Rule(text="1"), settings=settings, idle_s=0.0)
    await desk.session.start_engine()
    desk.stay("a = █")
    for _ in range(50):
        await asyncio.sleep(0)
    assert desk.engine.begun == []


# Where nothing is asked


async def test_slow_machines_suggest_at_line_ends() -> None:
    """Inside of a word the engine is not troubled; by key it is."""
    desk = Desk(Rule(text="1", token_ms=1), settings=Settings(speculation=False))
    desk.session.memory.speed.clock = lambda: 0.0
    for _ in range(3):
        desk.session.memory.speed.observe(TokenCounts(generated=10), Times(decode_ms=700.0))
    assert (await desk.ask("retur█")).skip is Skip.SLOW
    assert text_of(await desk.ask("retur█", invoked=True)) == "1"
    assert text_of(await desk.ask("return █")) == "1"


async def test_low_battery() -> None:
    """Only by key."""
    desk = Desk(Rule(text="1"))
    desk.session.memory.meter = PowerMeter(lambda: Power.LOW)
    assert (await desk.ask("x = █")).skip is Skip.LOW_BATTERY
    assert text_of(await desk.ask("x = █", invoked=True)) == "1"
    assert text_of(await desk.ask("x = █")) == "1"  # what is known costs nothing
