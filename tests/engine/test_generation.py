"""One generation, step by step, and several that take the cache from each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.engine.base import FinishReason, Piece
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.engine.model import DecodeResult
from lsp_server.errors import EngineError, PromptTooLong
from lsp_server.outcome import TokenCounts
from tests.engine.fake_model import Collected, FakeModel, logprob_of, scripted, undisturbed

MOST_STEPS = 200


class Bench:
    """A model, its lanes, and generations on them, without any thread."""

    def __init__(self, model: FakeModel, cells: int = 4096, sequences: int = 8, micro_batch_tokens: int = 8) -> None:
        self.model, self.micro_batch_tokens = model, micro_batch_tokens
        self.lanes = LaneTable(model, cells, sequences)

    def start(self, job: Job) -> tuple[Generation, Collected]:
        out = Collected()
        return Generation(job, self.model, self.lanes, out.events.append, MicroBatch(self.micro_batch_tokens)), out

    def run(self, job: Job) -> Collected:
        generation, out = self.start(job)
        assert Step.DONE in (generation.step() for _ in range(MOST_STEPS))
        return out

    def check_cache(self) -> None:
        """The table and the cache say the same."""
        lanes = [lane for name in NAMES if (lane := self.lanes.lane(name)) is not None]
        assert {lane.sequence: lane.tokens for lane in lanes if lane.tokens} == self.model.contents()


NAMES = ("a", "b", "c", "d")


def bench(**model: object) -> Bench:
    """A bench with room for everything."""
    return Bench(FakeModel(**model))  # type: ignore[arg-type]  # handed through


def answering(answer: Sequence[bytes], prompt_tokens: int, *, ends: bool = False) -> Bench:
    """A bench whose model says these pieces after a prompt of this length, and then ends or goes on with dots."""
    pieces = [*answer, *[b"" if ends else b"."] * 600]
    end = [len(answer)] if ends else []
    return bench(pieces=pieces, next_token=scripted(prompt_tokens, range(len(pieces))), end_tokens=end)


PROMPT = tuple(range(30))


# The way the prompt got into the cache


@pytest.mark.parametrize("micro_batch_tokens", [1, 2, 7, 29, 30, 31, 64])
def test_the_size_of_the_micro_batches_does_not_matter(micro_batch_tokens: int) -> None:
    """The same text and the same counts."""
    out = Bench(FakeModel(), micro_batch_tokens=micro_batch_tokens).run(Job("a", PROMPT, 20))
    assert out.text == undisturbed(PROMPT, 20)
    assert out.counts == TokenCounts(prompt=30, reused=0, evaluated=30, generated=20)


def test_logits_are_asked_for_on_the_last_token_only() -> None:
    """Those of any other token would be computed in vain."""
    table = bench()
    table.run(Job("a", PROMPT, 5))
    calls = table.model.calls
    assert [call.logits for call in calls] == [False] * 3 + [True] * 5
    assert [len(call.tokens) for call in calls] == [8, 8, 8, 6, 1, 1, 1, 1]


def test_the_same_prompt_again_costs_one_token() -> None:
    """The last one, whose logits choose the first new token."""
    table = bench()
    first, second = table.run(Job("a", PROMPT, 9)), table.run(Job("a", PROMPT, 9))
    assert second.text == first.text
    assert second.counts == TokenCounts(prompt=30, reused=29, evaluated=1, generated=9)


def test_accepted_text_is_in_the_lane_already() -> None:
    """A prompt that goes on with the answer finds the answer's tokens."""
    table = bench()
    table.run(Job("a", PROMPT, 9))
    lane = table.lanes.lane("a")
    assert lane is not None
    out = table.run(Job("a", lane.tokens, 9))
    assert out.counts.evaluated == 1
    assert out.text == undisturbed(lane.tokens, 9)


def test_a_beginning_in_another_lane_is_copied() -> None:
    """The answer does not show where the beginning came from."""
    table = bench()
    table.run(Job("a", PROMPT, 9))
    other = (*PROMPT[:20], 99, 98)
    out = table.run(Job("b", other, 9))
    assert out.text == undisturbed(other, 9)
    assert out.counts == TokenCounts(prompt=22, reused=20, evaluated=2, generated=9)


def test_a_full_cache_forgets_the_others_once() -> None:
    """Cells that the plan did not know of are made free, and the answer is the same."""
    model = FakeModel(cells=50, sequences=2)
    table = Bench(model, cells=5000, sequences=2)
    table.run(Job("a", PROMPT, 1))
    out = table.run(Job("b", (7, *PROMPT), 5))
    assert out.text == undisturbed((7, *PROMPT), 5)
    assert table.lanes.lane("a") is None
    assert [call.result for call in model.calls].count(DecodeResult.FULL) == 1


def test_a_prompt_that_no_cache_can_hold_is_an_error_that_names_the_setting() -> None:
    """Forgetting the others was not enough."""
    table = Bench(FakeModel(cells=20))
    with pytest.raises(EngineError, match=r"`cells` in engine\.toml"):
        table.run(Job("a", PROMPT, 5))


# Characters


def test_characters_of_several_tokens_stream_whole() -> None:
    """No piece holds half of one."""
    out = answering([b"a\xe8", b"\xaa", b"\x9e", b"\xf0\x9f", b"\x99\x82!"], 3).run(Job("a", (0, 0, 0), 5))
    assert out.pieces == ["a", "語", "🙂!"]


@pytest.mark.parametrize("broken", [b"\xe8", b"\xe8\xaa", b"\xf0\x9f\x99"])
@pytest.mark.parametrize("ends", [True, False])
def test_half_a_character_at_the_end_is_left_out(broken: bytes, ends: bool) -> None:
    """Whether the model ends there or the limit cuts it off."""
    out = answering([b"ok", broken], 1, ends=ends).run(Job("a", (0,), 2 + ends))
    assert out.text in ("ok", "ok\ufffd")
    assert out.counts.generated == 2


@given(st.lists(st.binary(max_size=5), max_size=12))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_too_strange(answer: list[bytes]) -> None:
    """What is no UTF-8 becomes U+FFFD, the rest arrives as it is; half a character at the end may be left out."""
    out = answering(answer, 1, ends=True).run(Job("a", (0,), 100))
    whole = b"".join(answer).decode("utf-8", "replace")
    assert whole.startswith(out.text)
    assert whole[len(out.text) :] in ("", "\ufffd", "\ufffd\ufffd")
    assert all(out.pieces)


def test_a_piece_carries_the_logprobs_of_all_its_tokens() -> None:
    """Also of those that rendered as nothing yet."""
    out = answering([b"\xe8", b"\xaa", b"\x9e", b"x"], 1).run(Job("a", (0,), 4))
    assert out.events[:2] == [
        Piece("語", logprob_of(0) + logprob_of(1) + logprob_of(2), 3),
        Piece("x", logprob_of(3)),
    ]


# Ends


def test_a_stop_text_over_several_tokens_ends_before_it() -> None:
    """None of it is streamed, nothing after it is generated."""
    out = answering([b"one\n", b"\nd", b"ef ", b"two"], 1).run(Job("a", (0,), 50, stop_texts=("\n\ndef",)))
    assert (out.text, out.reason, out.counts.generated) == ("one", FinishReason.STOP, 3)


def test_what_only_looked_like_a_stop_text_is_streamed_at_the_end() -> None:
    """The length ended it, so it will not be completed any more."""
    out = answering([b"one\n", b"\nd"], 1).run(Job("a", (0,), 2, stop_texts=("\n\ndef",)))
    assert (out.text, out.reason) == ("one\n\nd", FinishReason.LENGTH)


def test_a_stop_text_that_was_held_back_counts_as_stop() -> None:
    """It was complete while an earlier, longer one could still have come; then the model ended."""
    out = answering([b"x = ab"], 1, ends=True).run(Job("a", (0,), 9, stop_texts=("b", "abc")))
    assert (out.text, out.reason) == ("x = a", FinishReason.STOP)


def test_the_models_end_token_ends_and_is_not_counted() -> None:
    """Its text does not appear."""
    out = answering([b"one"], 1, ends=True).run(Job("a", (0,), 9))
    assert (out.text, out.reason, out.counts.generated) == ("one", FinishReason.END, 1)


def test_a_stop_token_ends_too() -> None:
    """Control tokens render as nothing, so a stop text could not do that."""
    out = answering([b"one", b"two", b"three"], 1).run(Job("a", (0,), 9, stop_tokens=frozenset({2})))
    assert (out.text, out.reason, out.counts.generated) == ("onetwo", FinishReason.END, 2)


def test_length_ends_after_so_many_tokens() -> None:
    """The last of them is not evaluated: nothing follows it."""
    table = bench()
    out = table.run(Job("a", PROMPT, 4))
    assert (out.reason, out.counts.generated) == (FinishReason.LENGTH, 4)
    assert table.model.evaluated_tokens == 30 + 3


def test_nothing_to_generate_evaluates_the_prompt_and_says_nothing() -> None:
    """That is how a lane is warmed up."""
    table = bench()
    out = table.run(Job("a", PROMPT, 0))
    assert (out.text, out.reason, out.counts.generated) == ("", FinishReason.LENGTH, 0)
    assert table.run(Job("a", (*PROMPT, 5), 3)).counts.evaluated == 1


def test_prompt_and_answer_share_the_context() -> None:
    """The answer is shorter where the prompt leaves less room."""
    out = bench(context_tokens=35).run(Job("a", PROMPT, 100))
    assert (out.reason, out.counts.generated) == (FinishReason.LENGTH, 5)
    assert out.text == undisturbed(PROMPT, 5)


def test_the_longest_prompt_leaves_room_for_one_token() -> None:
    """One token more is an error with its numbers."""
    table = bench(context_tokens=31)
    assert table.run(Job("a", PROMPT, 100)).counts.generated == 1
    with pytest.raises(PromptTooLong) as caught:
        table.start(Job("a", (*PROMPT, 0), 1))
    assert (caught.value.prompt_tokens, caught.value.limit_tokens) == (31, 30)


def test_an_empty_prompt_is_not_called_too_long() -> None:
    """The sentence must fit what is wrong."""
    with pytest.raises(EngineError, match="empty") as caught:
        bench().start(Job("a", (), 5))
    assert not isinstance(caught.value, PromptTooLong)


def test_ending_early_gives_what_is_there() -> None:
    """Also what was held back, and the counts so far."""
    generation, out = answering([b"one\n", b"two"], 1).start(Job("a", (0,), 9, stop_texts=("\n\n",)))
    generation.step()
    assert generation.finish(FinishReason.DEADLINE) is Step.DONE
    assert (out.text, out.reason) == ("one\n", FinishReason.DEADLINE)
    assert out.counts == TokenCounts(prompt=1, reused=0, evaluated=1, generated=1)


def test_ending_before_the_first_step_is_possible() -> None:
    """The deadline may come while a job waits."""
    generation, out = bench().start(Job("a", PROMPT, 9))
    generation.finish(FinishReason.DEADLINE)
    assert (out.text, out.counts) == ("", TokenCounts(prompt=30))


# Interruptions


@pytest.mark.parametrize("aborted_step", range(12))
@pytest.mark.parametrize("leftover", [0, 1])
def test_an_aborted_step_is_done_again(aborted_step: int, leftover: int) -> None:
    """Wherever it was aborted, and even if some of its tokens had been evaluated: only that call is paid twice."""
    table = bench()
    table.model.leftover_of_aborted = leftover
    generation, out = table.start(Job("a", PROMPT, 9))
    for number in itertools.count():
        if number == aborted_step:
            table.model.request_abort()
        done = generation.step() is Step.DONE
        table.model.clear_abort()
        table.check_cache()
        if done:
            break
    assert out.text == undisturbed(PROMPT, 9)
    assert out.counts == TokenCounts(prompt=30, reused=0, evaluated=30, generated=9)
    assert sum(len(call.tokens) for call in table.model.done_calls()) == 30 + 8


def test_evaluating_the_prompt_again_in_the_middle_of_the_answer_is_counted() -> None:
    """Another job took the lane after the first token."""
    table = bench()
    generation, out = table.start(Job("a", PROMPT, 5))
    while not out.events:
        generation.step()
    table.lanes.forget("a")
    while generation.step() is not Step.DONE:
        pass
    assert out.text == undisturbed(PROMPT, 5)
    assert out.counts.evaluated == 60


jobs = st.builds(
    lambda lane, shared, own, most_new: Job(lane, (*range(shared), *own), most_new),
    st.sampled_from(NAMES),
    st.integers(1, 25),
    st.lists(st.integers(0, 3), max_size=10).map(tuple),
    st.integers(0, 8),
)


@given(
    jobs=st.lists(jobs, min_size=2, max_size=5),
    schedule=st.lists(st.tuples(st.integers(0, 4), st.sampled_from([False, False, True])), max_size=60),
    cells=st.integers(44, 130),
    sequences=st.integers(1, 4),
    micro_batch_tokens=st.sampled_from([1, 3, 8, 64]),
    leftover=st.integers(0, 2),
)
@settings(max_examples=300, deadline=None)
def test_every_job_says_what_it_says_alone(
    jobs: list[Job],
    schedule: list[tuple[int, bool]],
    cells: int,
    sequences: int,
    micro_batch_tokens: int,
    leftover: int,
) -> None:
    """Whoever is interrupted when, with how little room: texts are equal, and the table is right at all times."""
    model = FakeModel(cells=cells, sequences=sequences)
    model.leftover_of_aborted = leftover
    table = Bench(model, cells, sequences, micro_batch_tokens)
    started = [table.start(job) for job in jobs]
    unfinished = {number: generation for number, (generation, _) in enumerate(started)}
    for number, aborted in [*schedule, *((number, False) for number in range(5) for _ in range(MOST_STEPS))]:
        if number in unfinished:
            if aborted:
                model.request_abort()
            if unfinished[number].step() is Step.DONE:
                del unfinished[number]
            model.clear_abort()
            table.check_cache()
    check_jobs(jobs, [out for _, out in started])


def check_jobs(jobs: list[Job], outs: list[Collected]) -> None:
    for job, out in zip(jobs, outs, strict=True):
        assert out.text == undisturbed(job.tokens, job.max_new_tokens)
        counts = out.counts
        assert (counts.prompt, counts.generated) == (len(job.tokens), job.max_new_tokens)
        assert counts.reused + counts.evaluated >= counts.prompt
