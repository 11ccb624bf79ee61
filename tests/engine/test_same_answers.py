"""Greedy answers do not depend on where the prompt's tokens came from, on real code and the bundled model.

Two loads of one model do the same jobs: one with a cache that is too small for all documents, so that lanes are copied,
cut back, evicted and interrupted; the other from nothing each time. Logits differ by about 0.003 with the place in the
cache (f16), so a first difference is accepted where the two best tokens were closer than `CLOSE_NATS`, and only there.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import llama_cpp
import numpy as np
import pytest

from lsp_server.engine.base import GenerateRequest, Priority, Sampling, Special, Text
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.host import job_of
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.llama import LlamaModel
from lsp_server.engine.model import DecodeResult
from lsp_server.engine.scheduler import Scheduler
from lsp_server.model_store.locate import bundled_model
from tests.engine.desk import Listener
from tests.engine.real_hosts import Hosts, Stream, answer, fim

pytestmark = [pytest.mark.real_model, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CLOSE_NATS = 0.05
MICRO_BATCH = 32
NEW_TOKENS = 10
SMALL = EngineSettings(cells=512, lane_tokens=400, lanes=3, micro_batch_tokens=MICRO_BATCH)


@dataclass(frozen=True)
class Choice:
    """A token that was chosen."""

    sequence: int
    token: int
    lead: float
    """By how many nats it was better than the second best one."""


class WatchedModel(LlamaModel):
    """The real model, which notes what became of its calls and how sure each choice was."""

    def __init__(self) -> None:
        super().__init__(bundled_model(), SMALL, lambda _share: None)
        self.choices: list[Choice] = []
        self.deeds: Counter[str] = Counter()
        self.sequences: list[int] = []
        """Of each call of `decode`."""
        self.on_decode: Callable[[], None] = _nothing

    def reset(self) -> None:
        self.choices.clear()
        self.deeds.clear()
        self.sequences.clear()
        self.on_decode = _nothing
        self.clear_abort()

    def sample(self, sampling: Sampling, among: Sequence[int] = ()) -> tuple[int, float]:
        token, logprob = super().sample(sampling, among)
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
        best = np.sort(logits[list(among)] if among else logits)[-2:]
        lead = float(best[-1] - best[0]) if len(best) > 1 else math.inf
        self.choices.append(Choice(self.sequences[-1], token, lead))
        return token, logprob

    def cut(self, sequence: int, length: int) -> None:
        self.deeds["shortened"] += 0 < length < self.filled(sequence)
        super().cut(sequence, length)

    def copy(self, source: int, target: int, length: int) -> None:
        self.deeds["copied"] += 1
        super().copy(source, target, length)

    def decode(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> DecodeResult:
        self.sequences.append(sequence)
        self.on_decode()
        result = super().decode(sequence, tokens, position, logits=logits)
        self.deeds[result.value] += 1
        return result


def _nothing() -> None:
    pass


class WatchedLanes(LaneTable):
    """Notes which lanes had to go for others."""

    def __init__(self, model: WatchedModel) -> None:
        super().__init__(model, SMALL.cells, SMALL.lanes)
        self._deeds = model.deeds

    def forget(self, name: str) -> None:
        self._deeds["evicted"] += 1
        super().forget(name)


class Running:
    """One job that is advanced step by step, whoever else takes steps in between."""

    def __init__(self, job: Job, model: WatchedModel, lanes: LaneTable) -> None:
        self.job, self.choices, self._model = job, list[Choice](), model
        self._generation = Generation(job, model, lanes, lambda _event: None, MICRO_BATCH)
        self.ended = False

    def step(self) -> None:
        before = len(self._model.choices)
        self.ended = self._generation.step() is Step.DONE
        self.choices += self._model.choices[before:]

    def steps(self, count: int) -> None:
        for _ in range(count):
            if not self.ended:
                self.step()

    def aborted_step(self) -> None:
        self._model.request_abort()
        self.step()
        self._model.clear_abort()

    def run(self) -> Running:
        while not self.ended:
            self.step()
        return self


def check_equal(ours: Sequence[Choice], alone: Sequence[Choice]) -> bool:
    """Whether all tokens are the same. Fails at a difference that is not a close one."""
    for mine, wanted in zip(ours, alone, strict=False):
        if mine.token != wanted.token:
            assert wanted.lead < CLOSE_NATS, f"{mine} where {wanted} was chosen"
            return False
    assert len(ours) == len(alone)
    return True


class Judge:
    """Compares answers with those of a model that evaluates every prompt from nothing."""

    def __init__(self, alone: WatchedModel) -> None:
        self._alone = alone
        self.verdicts: Counter[bool] = Counter()
        """How many answers were equal to the last token, and how many up to a close choice."""

    def check(self, job: Job, choices: Sequence[Choice]) -> None:
        lanes = WatchedLanes(self._alone)
        expected = Running(job, self._alone, lanes).run().choices
        lanes.forget(job.lane)
        self.verdicts[check_equal(choices, expected)] += 1


Shared = tuple[WatchedModel, LaneTable]


@pytest.fixture(scope="module")
def models() -> Iterator[tuple[WatchedModel, WatchedModel]]:
    """The one with the small cache, and the one that is always alone."""
    loaded = WatchedModel(), WatchedModel()
    yield loaded
    for model in loaded:
        model.close()


@pytest.fixture
def shared(models: tuple[WatchedModel, WatchedModel]) -> Iterator[Shared]:
    """The model with the small cache, empty."""
    model, _ = models
    model.reset()
    lanes = WatchedLanes(model)
    yield model, lanes
    lanes.forget_others("nobody")


@pytest.fixture
def judge(models: tuple[WatchedModel, WatchedModel]) -> Judge:
    return Judge(models[1])


class Document:
    """A file in which somebody types at random. The prompt is laid out as while typing: a key only appends."""

    def __init__(self, name: str, text: str, first: int, line: int, chance: Random) -> None:
        self.name, self._lines, self._chance = name, text.splitlines(keepends=True), chance
        self._first, self._line, self._typed = first, line, ""

    def edit(self) -> None:
        self._chance.choices(
            (self._type, self._take_back, self._change_above, self._jump, self._accept_line), (6, 2, 1, 2, 2)
        )[0]()

    def job(self, model: LlamaModel) -> Job:
        suffix = "".join(self._lines[self._line + 1 : self._line + 4])
        prefix = "# main.py\n" + "".join(self._lines[self._first : self._line])
        prompt = (
            Special("<|fim_prefix|>"), Text(prefix), Special("<|fim_suffix|>"), Text("\n" + suffix),
            Special("<|fim_middle|>"), Text(self._typed),
        )  # fmt: skip
        return job_of(model, GenerateRequest(prompt, self.name, NEW_TOKENS, heal=True), "1:")

    def _type(self) -> None:
        line = self._lines[self._line].rstrip("\n")
        self._typed += line[len(self._typed) :][: self._chance.randint(1, 8)] or self._chance.choice("x(=. ")

    def _take_back(self) -> None:
        self._typed = self._typed[: -self._chance.randint(1, 6)]

    def _change_above(self) -> None:
        place = self._chance.randrange(self._first, self._line)
        self._lines[place] = self._lines[place].replace("e", "ee", 1) + "# changed\n"

    def _jump(self) -> None:
        self._line = max(self._first + 5, min(self._first + 20, self._line + self._chance.randint(-12, 12)))
        self._typed = ""

    def _accept_line(self) -> None:
        self._line, self._typed = min(self._first + 20, self._line + 1), ""


def code(name: str) -> str:
    """Text of a file of ours, or of the file in a typing trace."""
    text = (ROOT / name).read_text("utf-8")
    return str(json.loads(text)["text"]) if name.endswith(".json") else text


def documents(chance: Random) -> list[Document]:
    """Two carets in one file, so that two lanes begin alike; another part of it; another file."""
    trace, shopping = code("examples/typing.json"), code("examples/shopping.py")
    places = ((trace, 0, 10), (trace, 0, 17), (trace, 60, 72), (shopping, 6, 20))
    return [Document(f"document {number}", *place, chance) for number, place in enumerate(places)]


def answered(document: Document, others: list[Document], room: Shared) -> list[Running]:
    """One request, undisturbed or not; the answers that came to their end."""
    model, lanes = room
    chance = document._chance
    running = Running(document.job(model), model, lanes)
    happens = chance.choice(("nothing", "nothing", "abort", "interruption", "given up"))
    if happens == "nothing":
        return [running.run()]
    running.steps(chance.randint(1, 14))
    if happens == "given up":
        document.edit()
        return [Running(document.job(model), model, lanes).run()]
    if happens == "abort" and not running.ended:
        running.aborted_step()
        return [running.run()]
    return [Running(chance.choice(others).job(model), model, lanes).run(), running.run()]


@pytest.mark.parametrize("seed", range(2))
def test_edits_of_real_code(shared: Shared, judge: Judge, seed: int) -> None:
    """Whatever is typed, taken back or interrupted, and whatever other documents took out of the cache."""
    chance = Random(seed)
    opened = documents(chance)
    for _ in range(16):
        document = chance.choice(opened)
        document.edit()
        for ran in answered(document, [other for other in opened if other is not document], shared):
            judge.check(ran.job, ran.choices)
    assert {"copied", "shortened", "evicted", "aborted"} <= set(+shared[0].deeds)
    assert judge.verdicts[True] >= 14
    assert judge.verdicts[False] <= 3


def test_a_difference_is_accepted_where_the_choice_was_close() -> None:
    """And nowhere else; what comes after it is another text."""
    alone = [Choice(0, 1, 2.0), Choice(0, 2, 0.04), Choice(0, 3, 2.0)]
    assert check_equal(alone, alone)
    assert not check_equal([alone[0], Choice(0, 9, 0.01), Choice(0, 9, 2.0)], alone)
    with pytest.raises(AssertionError, match="token=9"):
        check_equal([alone[0], alone[1], Choice(0, 9, 0.01)], alone)
    with pytest.raises(AssertionError):
        check_equal(alone[:2], alone)


def test_a_cache_that_runs_full(shared: Shared, judge: Judge) -> None:
    """A job that was interrupted early needs cells that another one took meanwhile."""
    model, lanes = shared
    text = model.tokenize(code("examples/typing.json")[:4000])
    waiting = Running(Job("chat", tuple(text[:300]), 20), model, lanes)
    waiting.steps(1)
    first = Running(Job("document", tuple(text[310:610]), 20), model, lanes).run()
    waiting.run()
    assert model.deeds["full"] >= 1
    for ran in (first, waiting):
        judge.check(ran.job, ran.choices)


@pytest.mark.parametrize("call", [3, 14], ids=["while it reads", "while it answers"])
def test_a_completion_interrupts_a_chat(shared: Shared, judge: Judge, call: int) -> None:
    """It waits for the running call and no other one; the chat ends as if nobody had interrupted it."""
    model, lanes = shared
    text = model.tokenize(code("examples/typing.json")[:4000])
    chat = Job("chat", tuple(text[:250]), 20, priority=Priority.CHAT)
    completion = Job("document", tuple(text[250:350]), 8)
    scheduler = Scheduler(model, lanes, MICRO_BATCH)
    listeners = Listener(), Listener()

    def interrupt() -> None:
        if len(model.sequences) == call:
            scheduler.submit(completion, listeners[1])

    model.on_decode = interrupt
    try:
        scheduler.submit(chat, listeners[0])
        for listener in listeners:
            listener.wait()
    finally:
        scheduler.stop()
    of_chat = model.sequences[0]
    after = model.sequences[call:]
    of_completion = [sequence != of_chat for sequence in after]
    assert of_completion == sorted(of_completion, reverse=True), "the chat had a turn before the completion was done"
    assert model.deeds["aborted"] <= 1
    for job, first in ((chat, True), (completion, False)):
        judge.check(job, [choice for choice in model.choices if (choice.sequence == of_chat) is first])


@pytest.mark.end_to_end
async def test_a_chat_does_not_hold_up_another_window(hosts: Hosts, endless_model: Path) -> None:
    """Over the wire: the completion is there while the chat goes on, which says what it says alone."""
    hosts.configure(lane_tokens=16000, cells=20000)
    chatting, typing = await hosts.ready_client(endless_model), await hosts.ready_client(endless_model)
    request = replace(fim(code("examples/typing.json")[:1500], max_new_tokens=300), priority=Priority.CHAT)
    alone, _ = await answer(chatting, request)
    stream = Stream(chatting, replace(request, lane="again", max_new_tokens=15000))
    await stream.begun()
    _, completion = await answer(typing, fim(max_new_tokens=4))
    assert completion.tokens.generated == 4
    assert not stream.task.done(), "the completion had to wait"
    await stream.begun(300)
    assert "".join(piece.text for piece in stream.pieces).startswith(alone)
    await stream.cancel()
