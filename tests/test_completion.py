"""Every way in which a request can end, from the snapshot to the outcome."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import accumulate

import pytest

from lsp_server.completion import CompletionRequest, complete
from lsp_server.context.anchors import MIDDLE_TOKENS
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import EngineState, EngineStatus, Finished, GenerateRequest, Piece, Special, Text
from lsp_server.engine.scripted import Rule, ScriptedEngine
from lsp_server.errors import EngineBusy, EngineError, EngineGone, PromptTooLong
from lsp_server.memory import Memory
from lsp_server.outcome import Outcome, Skip, Suggestion
from lsp_server.settings import Settings
from tests.marked import snapshot

QUICK = Settings(deadline_ms=50, invoked_deadline_ms=50)


class Recorder(ScriptedEngine):
    """Remembers what it was asked, and can be made to count, fail or hang."""

    def __init__(self, *rules: Rule, tokens_per_character: float = 0.0, context_tokens: int = 16384) -> None:
        super().__init__(rules)
        self.asked: list[GenerateRequest] = []
        self.counted: list[tuple[str, ...]] = []
        self.tokens_per_character = tokens_per_character
        self.context_tokens = context_tokens
        self.fails: EngineError | None = None
        self.open = 0
        self.entered = asyncio.Event()

    @property
    def status(self) -> EngineStatus:
        status = super().status
        model = status.model and replace(status.model, context_tokens=self.context_tokens)
        return replace(status, model=model)

    async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        self.counted.append(texts)
        if not self.tokens_per_character:
            return await super().count_tokens(texts)
        return tuple(map(self.tokens_of, texts))

    def tokens_of(self, text: str) -> int:
        """Never more than one a byte, as with any tokenizer."""
        return min(math.ceil(len(text) * self.tokens_per_character), len(text.encode()))

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        self.asked.append(request)
        self.open += 1
        self.entered.set()
        try:
            if self.fails:
                raise self.fails
            async for event in super().generate(request):
                yield event
        finally:
            self.open -= 1

    def prompt(self) -> str:
        """Text of the newest prompt."""
        return "".join(part.text for part in self.asked[-1].prompt if isinstance(part, Text))

    def tokens(self) -> int:
        return self.tokens_of(self.prompt())


async def check(
    marked: str | DocumentSnapshot,
    engine: ScriptedEngine,
    settings: Settings | None = None,
    *,
    invoked: bool = False,
) -> Outcome:
    """The outcome, once the engine is ready; whatever it is, its figures make sense."""
    await engine.wait_ready(1000)
    return await ask(marked, engine, settings, invoked=invoked)


async def ask(
    marked: str | DocumentSnapshot,
    engine: ScriptedEngine,
    settings: Settings | None = None,
    *,
    invoked: bool = False,
) -> Outcome:
    seen = snapshot(marked) if isinstance(marked, str) else marked
    outcome = await complete(CompletionRequest(seen, settings or Settings(), invoked), engine, Memory())
    assert (outcome.suggestion is None) == (outcome.skip is not None)
    assert outcome.times.total_ms >= 0
    assert outcome.times.overhead_ms >= 0
    assert outcome.times.prefill_ms + outcome.times.decode_ms <= outcome.times.total_ms + 1
    assert outcome.tokens.prompt == outcome.tokens.reused + outcome.tokens.evaluated
    assert outcome.skip is None or outcome.sentence
    return outcome


async def test_a_suggestion() -> None:
    """Text, place and figures of what is shown, with every rule's verdict."""
    outcome = await check("a = █\n", ScriptedEngine((Rule("b + 1", token_ms=1),)))
    assert outcome.label == "shown"
    assert outcome.suggestion == Suggestion("b + 1", 4, 4)
    assert outcome.raw == "b + 1"
    assert outcome.tokens.generated == 5
    assert outcome.times.decode_ms == 5
    assert [each.verdict for each in outcome.rules] == ["kept"] * len(outcome.rules) != []


async def test_a_suggestion_can_replace_closers() -> None:
    """The range covers what the editor had inserted."""
    outcome = await check("def f(█):\n", ScriptedEngine((Rule("x) -> int:"),)))
    assert outcome.suggestion == Suggestion("x) -> int:", 6, 8)


async def test_switched_off() -> None:
    """Asking by key still works."""
    engine = ScriptedEngine((Rule("b"),))
    off = Settings(enabled=False)
    assert (await check("█", engine, off)).skip is Skip.OFF
    assert (await check("█", engine, off, invoked=True)).label == "shown"


@pytest.mark.parametrize("invoked", [False, True])
async def test_files_that_get_nothing(invoked: bool) -> None:
    """Too large in bytes, or binary; the engine is not even started."""
    engine = ScriptedEngine((Rule("b"),))
    assert (await ask("éé█", engine, Settings(max_file_bytes=3), invoked=invoked)).skip is Skip.TOO_LARGE
    assert (await ask("a\0\n█", engine, invoked=invoked)).skip is Skip.BINARY
    assert engine.status.state is EngineState.STOPPED
    assert (await check("éé█", engine, Settings(max_file_bytes=4))).label == "shown"


async def test_automatic_requests_do_not_wait_for_the_model() -> None:
    """They start it, and say so at once; those asked for by key wait, up to their limit."""
    engine = ScriptedEngine((Rule("b"),), load_ms=100)
    loading = await ask("█", engine)
    assert (loading.skip, loading.detail) == (Skip.LOADING, "Loading the script")
    assert loading.times.total_ms < 90
    assert (await ask("█", engine, Settings(load_wait_ms=0), invoked=True)).skip is Skip.LOADING
    assert (await ask("█", engine, QUICK, invoked=True)).label == "shown"  # loading is not on its deadline
    assert (await ask("█", engine)).label == "shown"


async def test_a_model_that_cannot_be_loaded() -> None:
    """Its sentence is the outcome's."""

    class Broken(ScriptedEngine):
        async def start(self) -> None:
            self._set(EngineStatus(EngineState.FAILED, "The file is truncated."))

    for invoked in (False, True):
        outcome = await ask("█", Broken(()), invoked=invoked)
        assert (outcome.skip, outcome.sentence) == (Skip.ENGINE_FAILED, "The file is truncated.")


@pytest.mark.parametrize("invoked", [False, True])
async def test_a_hanging_engine_costs_one_deadline(invoked: bool) -> None:
    """The request ends, and the generation with it."""
    engine = Recorder(Rule(fail="hang"))
    began = time.monotonic()
    assert (await check("█", engine, QUICK, invoked=invoked)).skip is Skip.DEADLINE
    assert time.monotonic() - began < 2
    assert engine.open == 0


async def test_an_engine_that_hangs_while_it_counts_costs_one_deadline() -> None:
    """Not only generation can hang."""

    class Hanging(Recorder):
        async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
            await asyncio.Event().wait()
            return ()

    engine = Hanging(Rule("b"))
    assert (await check("long line\n" * 500 + "█", engine, QUICK)).skip is Skip.DEADLINE
    assert engine.asked == []


async def test_what_is_there_at_the_deadline_is_shown() -> None:
    """A partial answer beats none, whether the engine ends it or has to be cut off."""
    slow = ScriptedEngine((Rule("word" + "".join(map(str, range(999))), token_ms=5),))
    outcome = await check("█", slow, QUICK)
    assert outcome.label == "shown"
    assert outcome.suggestion is not None
    assert outcome.suggestion.text.startswith("word")

    class Stuck(Recorder):
        async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
            yield Piece("half_a_l")
            await asyncio.Event().wait()

    stuck = await check("█", Stuck(), QUICK)
    assert stuck.suggestion == Suggestion("half_a_l", 0, 0)


async def test_the_deadline_counts_from_the_request() -> None:
    """What an automatic request waited before is taken off; the engine hears what is left."""
    engine = Recorder(Rule("b"))
    await engine.wait_ready(1000)
    late = CompletionRequest(snapshot("█"), Settings(deadline_ms=1000), received_s=time.perf_counter() - 0.6)
    await complete(late, engine, Memory())
    await complete(replace(late, invoked=True), engine, Memory())
    automatic, invoked = (request.deadline_ms or 0 for request in engine.asked)
    assert 0 < automatic <= 400
    assert 10_000 < invoked <= 15_000


@pytest.mark.parametrize("text", ["", " \n "])
async def test_a_model_with_nothing_to_add(text: str) -> None:
    """White space alone is nothing."""
    assert (await check("█", ScriptedEngine((Rule(text),)))).skip is Skip.EMPTY


async def test_generation_ends_with_the_suggestion() -> None:
    """What no rule would leave of the answer is not generated; it counts as whole, and its tokens are counted."""
    engine = Recorder(Rule("b\n\n\ndef f():\n" + "    return c\n" * 500, token_ms=1))
    outcome = await check("a = █\n", engine)
    assert (outcome.suggestion, outcome.whole) == (Suggestion("b", 4, 4), True)
    assert 0 < outcome.tokens.generated < 10
    assert outcome.tokens.prompt == outcome.tokens.evaluated > 0
    assert (await engine.counters()).evaluated_answer_tokens == outcome.tokens.generated
    assert engine.open == 0


async def test_what_was_shown_is_not_cut_while_it_is_typed() -> None:
    """How far a suggestion reaches was decided when it was made."""
    engine, memory = ScriptedEngine((Rule("\n    a()\n    b()\n    c()"),)), Memory()
    await engine.wait_ready(1000)
    first = await complete(CompletionRequest(snapshot("def f():█\n"), Settings()), engine, memory)
    assert first.suggestion is not None
    assert first.suggestion.text == "\n    a()\n    b()\n    c()"
    rest = await complete(CompletionRequest(snapshot("def f():\n    a()█\n"), Settings()), engine, memory)
    assert rest.suggestion is not None
    assert rest.suggestion.text == "\n    b()\n    c()"


async def test_an_answer_of_which_nothing_is_left() -> None:
    """The outcome names the rule, keeps the answer for the trace, and counts its tokens."""
    outcome = await check("█\nfoo(1)\n", ScriptedEngine((Rule("foo(1)"),)))
    assert (outcome.skip, outcome.detail) == (Skip.NOTHING_LEFT, "emptied by unlike_the_next_lines")
    assert outcome.rules[-1].verdict == "emptied"
    assert outcome.raw == "foo(1)"
    assert outcome.tokens.generated > 0


async def test_garbage_is_not_shown() -> None:
    """A model of noise is a silent one."""
    assert (await check("█", ScriptedEngine((Rule(fail="garbage"),)))).skip is Skip.NOTHING_LEFT


async def test_an_engine_that_dies() -> None:
    """Has its own name, as the next request starts it again."""
    outcome = await check("█", ScriptedEngine((Rule("abcd efgh", fail="crash"),)))
    assert outcome.skip is Skip.ENGINE_GONE
    assert "crashed" in outcome.sentence


@pytest.mark.parametrize(
    ("error", "skip"),
    [
        (EngineGone("It went."), Skip.ENGINE_GONE),
        (EngineBusy("It starts."), Skip.LOADING),
        (EngineError("It cannot."), Skip.ENGINE_FAILED),
    ],
)
async def test_errors_become_outcomes(error: EngineError, skip: Skip) -> None:
    """Each with the engine's sentence."""
    engine = Recorder()
    engine.fails = error
    outcome = await check("█", engine)
    assert (outcome.skip, outcome.detail) == (skip, str(error))


async def test_a_silence_rule_names_the_outcome() -> None:
    """Nobody asks the engine, and whoever asks by key is not refused."""
    engine = Recorder(Rule("b"))
    assert (await check("a = █ + 1\n", engine)).label == "mid-line"
    assert engine.asked == []
    assert (await check("a = █ + 1\n", engine, invoked=True)).label == "shown"


async def test_an_unknown_template_is_an_outcome() -> None:
    """With the sentence that names the setting."""
    outcome = await check("█", ScriptedEngine((Rule("b"),)), Settings(fim_template="nope"))
    assert outcome.skip is Skip.ENGINE_FAILED
    assert "lingCoder.fimTemplate" in outcome.sentence


async def test_cancelling_closes_the_generation() -> None:
    """At once, and the cancellation goes on to whoever asked."""
    engine = Recorder(Rule(fail="hang"))
    await engine.wait_ready(1000)
    work = asyncio.create_task(complete(CompletionRequest(snapshot("█"), Settings()), engine, Memory()))
    await asyncio.wait_for(engine.entered.wait(), 5)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert engine.open == 0


async def test_the_prompt_is_laid_out_for_the_model() -> None:
    """Header, prefix and suffix between the model's own tokens, which also end the answer; one lane a document."""
    engine = Recorder(Rule("b"))
    await check("a\r\n█ + 1\r\n", engine, invoked=True)
    request = engine.asked[0]
    parts = (Special(1), Text("# main.py\na\n"), Special(2), Text(" + 1\n"), Special(3))
    assert request.heal
    assert request.prompt == parts
    assert request.stop_tokens == (1, 2, 3)
    assert request.stop_texts == ("\n",)
    assert request.lane == "file:///main.py"


@pytest.mark.parametrize("tokens_per_character", [0.2, 0.34, 0.9, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("budget_tokens", [64, 300, 1200])
@pytest.mark.parametrize(
    "marked",
    [
        "some line\n" * 2000 + "█" + "some line\n" * 2000,
        "𝄞" * 9000 + "█" + "𝄞" * 9000,
        "𝄞\n" * 3000 + "█",
        "\n" * 9000 + "█",
    ],
    ids=["lines", "one line", "short lines", "blank lines"],
)
async def test_the_prompt_fits_the_budget(marked: str, budget_tokens: int, tokens_per_character: float) -> None:
    """However many tokens the text has, the ladder ends at a window that fits."""
    engine = Recorder(Rule("b"), tokens_per_character=tokens_per_character)
    await check(marked, engine, Settings(max_prompt_tokens=budget_tokens), invoked=True)
    assert engine.prompt()
    assert engine.tokens() <= budget_tokens + MIDDLE_TOKENS


async def test_a_small_context_leaves_room_for_the_answer() -> None:
    """Prompt and answer together fit, also where the settings ask for more than the model has."""
    engine = Recorder(Rule("b"), tokens_per_character=1.0, context_tokens=128)
    await check("some line\n" * 200 + "█", engine, Settings(max_new_tokens=1000, max_prompt_tokens=5000))
    assert engine.tokens() + engine.asked[0].max_new_tokens <= 128
    assert engine.tokens() >= 20


async def test_a_long_path_does_not_take_the_room_of_the_code() -> None:
    """A header of more than half the budget is left out."""
    engine = Recorder(Rule("b"), tokens_per_character=1.0)
    seen = replace(snapshot("code = █"), path="deep/" * 200 + "main.py")
    await check(seen, engine, Settings(max_prompt_tokens=64))
    assert engine.prompt() == "code = "


@pytest.mark.parametrize("tokens_per_character", [0.24, 0.27, 0.3, 0.36])
async def test_typing_only_appends_to_the_prompt(tokens_per_character: float) -> None:
    """Each key adds to the last segment; tokens are counted when the anchor is placed and not again."""
    engine = Recorder(Rule("b"), tokens_per_character=tokens_per_character)
    await engine.wait_ready(1000)
    above = tuple(f"    value_{index} = compute({index})\n" for index in range(600))
    memory, prompts, counts = Memory(), [], []
    for typed in accumulate("    return value_1 + value_2"):
        memory.history.forget("file:///main.py")
        seen = replace(snapshot("█"), lines=(*above, typed), caret_line=600, caret_column=len(typed))
        await complete(CompletionRequest(seen, Settings()), engine, memory)
        prompts.append(engine.asked[-1].prompt)
        counts.append(len(engine.counted))
    assert len(set(counts)) == 1
    assert {prompt[:-1] for prompt in prompts} == {prompts[0][:-1]}
    assert [prompt[-1] for prompt in prompts] == [Text(typed) for typed in accumulate("    return value_1 + value_2")]


async def test_the_last_line_is_whole() -> None:
    """What the model could not finish in time is not shown when there is more."""
    engine = ScriptedEngine((Rule("first = 1\nsecond = 2\nthi"),))
    outcome = await check("█", engine, Settings(max_new_tokens=9))
    assert outcome.suggestion is not None
    assert outcome.suggestion.text == "first = 1"


@pytest.mark.parametrize(
    ("percent", "logprob", "label"),
    [(0, -9.0, "shown"), (60, -0.4, "shown"), (60, -0.6, "unsure"), (-1, -9.0, "shown")],
)
async def test_what_the_model_is_not_sure_of_stays_hidden(percent: int, logprob: float, label: str) -> None:
    """Unless it was asked for by key; the mean is over the tokens of what would be shown."""
    engine, settings = ScriptedEngine((Rule("b + 1", logprob=logprob),)), Settings(min_confidence_percent=percent)
    outcome = await check("a = █\n", engine, settings)
    assert outcome.label == label
    asked = await check("a = █\n", engine, settings, invoked=True)
    assert asked.confidence == pytest.approx(logprob)


async def test_a_model_may_say_what_confidence_it_needs() -> None:
    """The demo model's file does; a setting goes before it."""

    class Modest(Recorder):
        @property
        def status(self) -> EngineStatus:
            status = super().status
            return replace(status, model=status.model and replace(status.model, min_confidence_percent=90))

    modest = Modest(Rule("b", logprob=-0.5))
    assert (await check("a = █\n", modest)).skip is Skip.UNSURE
    assert (await check("a = █\n", modest, Settings(min_confidence_percent=50))).label == "shown"


async def test_a_middle_of_more_tokens_than_its_characters_promised() -> None:
    """The prompt is laid out anew instead of failing at every key."""

    class Small(Recorder):
        async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
            self.asked.append(request)
            if len(self.asked) == 2:
                raise PromptTooLong(5000, 4095)
            yield Piece("b")

    engine, memory = Small(), Memory()
    await engine.wait_ready(1000)
    for marked in ("a = █", "a = 漢█"):
        outcome = await complete(CompletionRequest(snapshot(marked), QUICK), engine, memory)
        assert outcome.label == "shown"
    assert len(engine.asked) == 3
