"""llama.cpp with our cache arithmetic: what is evaluated, what is reused, and that the text is the same either way."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import pytest

from lsp_server.engine.base import Finished, FinishReason, Piece
from lsp_server.engine.engine_settings import EngineSettings, threads_for
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.llama import LlamaModel
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.engine.model import DecodeResult
from lsp_server.errors import EngineError, ModelFileError, PromptTooLong
from tests.engine.real_hosts import CODE, Hosts, Stream, answer, fim, host_pid, is_idle, until

pytestmark = pytest.mark.real_model

MICRO_BATCH = 64
LONG_CODE = "".join(f"def value_{number}(x):\n    return x + {number}\n\n\n" for number in range(25))


class Room:
    """A model with its lanes, without scheduler and sockets."""

    def __init__(self, model: LlamaModel, settings: EngineSettings) -> None:
        self.model, self.lanes = model, LaneTable(model, settings.cells, settings.lanes)

    def run(self, text: str, lane: str = "document", max_new_tokens: int = 24, **job: Any) -> tuple[str, Finished]:
        """The answer to a prompt of plain text."""
        events: list[Piece | Finished | EngineError] = []
        tokens = tuple(self.model.tokenize(text))
        generation = Generation(
            Job(lane, tokens, max_new_tokens, **job), self.model, self.lanes, events.append, MicroBatch(MICRO_BATCH)
        )
        while generation.step() is Step.MORE:
            pass
        *pieces, finished = events
        assert isinstance(finished, Finished)
        return "".join(piece.text for piece in pieces if isinstance(piece, Piece)), finished

    def empty(self) -> None:
        """Forget everything."""
        self.lanes.forget_others("nobody")


@pytest.fixture(scope="module")
def loaded(endless_model: Path) -> Iterator[LlamaModel]:
    """One load for all tests here."""
    model = LlamaModel(endless_model, EngineSettings(), lambda _share: None)
    yield model
    model.close()


@pytest.fixture
def room(loaded: LlamaModel) -> Iterator[Room]:
    """The model with empty lanes."""
    room = Room(loaded, EngineSettings())
    yield room
    loaded.clear_abort()
    room.empty()


# Reuse


def test_the_same_prompt_again_evaluates_one_token(room: Room) -> None:
    """Its last one, whose logits choose the answer."""
    first, evaluated_all = room.run(LONG_CODE)
    prompt = evaluated_all.tokens.prompt
    assert (evaluated_all.tokens.reused, evaluated_all.tokens.evaluated) == (0, prompt)
    again, reused_all = room.run(LONG_CODE)
    assert (reused_all.tokens.reused, reused_all.tokens.evaluated) == (prompt - 1, 1)
    assert again == first


def test_a_longer_prompt_evaluates_what_is_new(room: Room) -> None:
    """As when somebody types."""
    _, first = room.run(LONG_CODE)
    _, second = room.run(LONG_CODE + CODE)
    assert second.tokens.reused == first.tokens.prompt
    assert second.tokens.evaluated == second.tokens.prompt - first.tokens.prompt


def test_what_was_generated_and_accepted_is_in_the_lane(room: Room) -> None:
    """Tokens of the answer count as evaluated when they come back as a part of the prompt."""
    _, first = room.run(LONG_CODE, max_new_tokens=1)
    tokens = tuple(room.model.tokenize(LONG_CODE))
    generated = room.model.sample(Job("", (), 1).sampling)[0]
    room.model.evaluated_tokens = 0
    job = Job("document", (*tokens, generated), 1)
    events: list[Piece | Finished | EngineError] = []
    assert Generation(job, room.model, room.lanes, events.append, MicroBatch(MICRO_BATCH)).step() is Step.DONE
    assert room.model.evaluated_tokens == 1
    assert first.tokens.generated == 1


def test_a_beginning_of_another_lane_is_copied(room: Room) -> None:
    """Two documents of one repository share the context at the beginning."""
    _, first = room.run(LONG_CODE + "a = 1\n", "first")
    _, second = room.run(LONG_CODE + "b = 2\n", "second")
    assert second.tokens.reused >= first.tokens.prompt - 6
    assert second.tokens.evaluated <= 6


@pytest.mark.parametrize(
    "way", ["continued", "cut back", "copied", "copied and its source forgotten", "after an abort"]
)
def test_the_text_does_not_depend_on_where_tokens_came_from(room: Room, way: str) -> None:
    """Greedy text on reused tokens is that on a fresh lane, and so are its log-probabilities, within f16."""
    prompt = LONG_CODE + CODE
    expected, finished = room.run(prompt, max_new_tokens=40)
    assert finished.tokens.reused == 0
    room.empty()

    if way == "continued":
        room.run(LONG_CODE)
    elif way == "cut back":
        room.run(prompt + "something = else\n", max_new_tokens=40)
    elif way == "after an abort":
        _aborted_in_the_middle(room, prompt)
    else:
        room.run(prompt + "something = else\n", "other")
    if way == "copied and its source forgotten":
        room.run(prompt, max_new_tokens=1)
        room.lanes.forget("other")
        room.run(CODE, "third", max_new_tokens=200)  # takes the cells that became free
    text, finished = room.run(prompt, max_new_tokens=40)
    assert finished.tokens.reused > 2 * MICRO_BATCH
    assert text == expected


def _aborted_in_the_middle(room: Room, prompt: str) -> None:
    tokens = tuple(room.model.tokenize(prompt))
    generation = Generation(
        Job("document", tokens, 1), room.model, room.lanes, lambda _event: None, MicroBatch(MICRO_BATCH)
    )
    for _ in range(3):
        generation.step()
    room.model.request_abort()
    assert generation.step() is Step.MORE
    room.model.clear_abort()


# Aborting


def test_a_flag_ends_the_call_and_leaves_the_cache_as_it_was(room: Room) -> None:
    """The aborted call left no cells; when the flag is cleared the same call does its work."""
    model = room.model
    tokens = model.tokenize(LONG_CODE)
    assert model.decode(0, tokens[:10], 0, logits=True) is DecodeResult.DONE
    aborted = model.aborted_calls
    model.request_abort()
    assert model.decode(0, tokens[10:50], 10, logits=True) is DecodeResult.ABORTED
    assert model.filled(0) == 10
    assert model.aborted_calls == aborted + 1
    model.clear_abort()
    assert model.decode(0, tokens[10:50], 10, logits=True) is DecodeResult.DONE
    assert model.filled(0) == 50
    model.cut(0, 0)


def test_an_aborted_step_is_done_again_to_the_same_effect(room: Room) -> None:
    """In prefill and in decode: the answer is that of a generation that nobody disturbed."""
    expected, _ = room.run(LONG_CODE, "undisturbed")
    room.empty()
    pieces: list[Piece | Finished | EngineError] = []
    job = Job("document", tuple(room.model.tokenize(LONG_CODE)), 24)
    generation = Generation(job, room.model, room.lanes, pieces.append, MicroBatch(MICRO_BATCH))
    step = Step.MORE
    while step is Step.MORE:
        room.model.request_abort()
        assert generation.step() is Step.MORE
        room.model.clear_abort()
        step = generation.step()
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == expected


def test_the_abort_callback_is_a_c_function(endless_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python callback would need the interpreter's lock at each node of the graph."""
    given: list[Any] = []
    real = llama_cpp.llama_init_from_model

    def init(model: Any, parameters: Any) -> Any:
        given.append(parameters)
        return real(model, parameters)

    monkeypatch.setattr(llama_cpp, "llama_init_from_model", init)
    LlamaModel(endless_model, EngineSettings(), lambda _share: None).close()
    callback = ctypes.cast(given[0].abort_callback, ctypes.c_void_p).value
    assert callback == ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value


@pytest.mark.end_to_end
@pytest.mark.parametrize("phase", ["prefill", "decode"])
async def test_a_cancel_frees_the_engine(hosts: Hosts, endless_model: Path, phase: str) -> None:
    """Closing the generator ends the work: the next prompt is answered, and most of the first is never evaluated."""
    hosts.configure(lane_tokens=16000, cells=20000)
    client = await hosts.ready_client(endless_model)
    lines = 1000 if phase == "prefill" else 5
    text = "".join(f"value_{number} = {number}\n" for number in range(lines))
    (prompt_tokens,) = await client.count_tokens((text,))
    stream = Stream(client, fim(text, max_new_tokens=15000 - prompt_tokens))
    if phase == "decode":
        await stream.begun()
    else:
        await until(lambda: _evaluates(client))
        assert stream.pieces == []
    await stream.cancel()
    _, finished = await answer(client, fim(lane="other", max_new_tokens=1))
    assert finished.reason is FinishReason.LENGTH
    await until(lambda: is_idle(client), limit_s=1)
    assert (await client.counters()).evaluated_prompt_tokens < 10_000


async def _evaluates(client: Any) -> bool:
    return bool((await client.counters()).evaluated_prompt_tokens > 0)


# Ends


def test_length(room: Room) -> None:
    """As many tokens as asked for."""
    _, finished = room.run(CODE, max_new_tokens=7)
    assert (finished.reason, finished.tokens.generated) == (FinishReason.LENGTH, 7)


def test_a_full_lane_ends_the_answer(endless_model: Path) -> None:
    """Prompt and answer together are at most as long as a lane."""
    settings = EngineSettings(lane_tokens=64, cells=256)
    model = LlamaModel(endless_model, settings, lambda _share: None)
    try:
        _, finished = Room(model, settings).run(CODE, max_new_tokens=1000)
    finally:
        model.close()
    assert finished.reason is FinishReason.LENGTH
    assert finished.tokens.prompt + finished.tokens.generated == 64


def test_a_stop_text_ends_before_itself(room: Room) -> None:
    """Nothing of it is streamed."""
    whole, _ = room.run(CODE)
    stop = whole[20:26]
    text, finished = room.run(CODE, stop_texts=(stop,))
    assert finished.reason is FinishReason.STOP
    assert text == whole[: whole.index(stop)]


def test_a_stop_token_ends_the_answer(room: Room) -> None:
    """It ends as with the model's own end token, and is not counted."""
    room.run(CODE, max_new_tokens=3)
    lane = room.lanes.lane("document")
    assert lane is not None
    second = lane.tokens[-1]
    _, finished = room.run(CODE, stop_tokens=frozenset({second}))
    assert finished.reason is FinishReason.END
    assert finished.tokens.generated <= 1


def test_the_models_own_end_token(tiny_model: Path) -> None:
    """The tiny model says it sooner or later after one of these."""
    model = LlamaModel(tiny_model, EngineSettings(), lambda _share: None)
    room = Room(model, EngineSettings())
    try:
        ends = [room.run(text, text, 1000)[1] for text in ("class A:", "import os", "x = 1", "a", "c")]
    finally:
        model.close()
    found = [finished for finished in ends if finished.reason is FinishReason.END]
    assert found
    assert all(finished.tokens.generated < 1000 for finished in found)


@pytest.mark.end_to_end
async def test_a_deadline_ends_with_what_is_there(hosts: Hosts, endless_model: Path) -> None:
    """A partial answer, in time."""
    hosts.configure(lane_tokens=16000, cells=20000)
    client = await hosts.ready_client(endless_model)
    began = asyncio.get_running_loop().time()
    text, finished = await answer(client, fim(max_new_tokens=15000, deadline_ms=200))
    took_s = asyncio.get_running_loop().time() - began
    assert finished.reason is FinishReason.DEADLINE
    assert 0 < finished.tokens.generated < 15000
    assert text
    assert 0.2 <= took_s < 3


# Limits


def test_a_prompt_as_long_as_a_lane(room: Room) -> None:
    """One token of room for the answer is enough, less is not."""
    tokens = tuple(room.model.tokenize(LONG_CODE * 20))[:4096]

    def generation(count: int) -> Generation:
        return Generation(
            Job("long", tokens[:count], 5), room.model, room.lanes, lambda _event: None, MicroBatch(MICRO_BATCH)
        )

    with pytest.raises(PromptTooLong) as raised:
        generation(4096)
    assert (raised.value.prompt_tokens, raised.value.limit_tokens) == (4096, 4095)
    running = generation(4095)
    while running.step() is Step.MORE:
        pass


def test_a_lane_is_never_longer_than_the_cache(endless_model: Path) -> None:
    """Settings that contradict each other do not end in a failed assertion of llama.cpp."""
    settings = EngineSettings(lane_tokens=4096, cells=256, micro_batch_tokens=4096)
    model = LlamaModel(endless_model, settings, lambda _share: None)
    try:
        with pytest.raises(PromptTooLong):
            Room(model, settings).run(LONG_CODE)
    finally:
        model.close()


def test_more_tokens_than_a_batch_never_reach_llama(room: Room) -> None:
    """It would end the process."""
    with pytest.raises(EngineError, match="65 tokens in a batch of 64"):
        room.model.decode(0, [1] * 65, 0, logits=True)


def test_no_memory_for_the_context(endless_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the setting to lower."""
    monkeypatch.setattr(llama_cpp, "llama_init_from_model", lambda *_: None)
    with pytest.raises(ModelFileError, match=r"not enough memory for 12288 tokens.*Lower `cells`"):
        LlamaModel(endless_model, EngineSettings(), lambda _share: None)


@pytest.mark.end_to_end
async def test_a_prompt_longer_than_a_lane_is_refused_over_the_wire(hosts: Hosts, endless_model: Path) -> None:
    """The error has its numbers, the host lives, and a prompt of several micro-batches works."""
    client = await hosts.ready_client(endless_model)
    pid = await host_pid(client)
    with pytest.raises(PromptTooLong) as raised:
        await answer(client, fim(LONG_CODE * 20))
    assert raised.value.prompt_tokens > raised.value.limit_tokens == 4095
    _, finished = await answer(client, fim(LONG_CODE))
    assert finished.tokens.evaluated > 3 * MICRO_BATCH
    assert await host_pid(client) == pid


@pytest.mark.parametrize(
    ("cores", "model_bytes", "threads", "expected"),
    [
        (1, 2**34, 0, 1),
        (2, 2**34, 0, 2),
        (3, 2**34, 0, 2),
        (8, 2**34, 0, 7),
        (8, 2**20, 0, 1),
        (8, 2**20, 5, 5),
    ],
)
def test_one_core_is_left_to_the_editor(cores: int, model_bytes: int, threads: int, expected: int) -> None:
    """Where there are more than two; small models run on one thread; what the user says wins."""
    assert threads_for(EngineSettings(threads=threads), cores, model_bytes) == expected
