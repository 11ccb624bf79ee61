"""Who goes first, and how a job ends before its time. The model waits at a gate; no test waits for time to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.engine.base import FinishReason, Priority
from lsp_server.engine.generation import Job
from lsp_server.engine.scheduler import Ticket
from lsp_server.errors import EngineError, EngineGone, PromptTooLong
from tests.engine.desk import Desk, Listener, job, text_of
from tests.engine.fake_model import FakeModel, hashed, undisturbed


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.model.release()
    desk.scheduler.stop()


CALLS_OF_PROMPT = 3


def test_a_job_streams_and_finishes(desk: Desk) -> None:
    """Pieces, then the end."""
    _, listener = desk.submit(job())
    assert listener.wait().text == text_of(job())
    assert listener.reason is FinishReason.LENGTH
    assert listener.counts.evaluated == 20


# Order


def test_the_highest_priority_goes_first_and_the_earliest_of_equals(desk: Desk) -> None:
    """Whatever the order in which they came."""
    order: list[str] = []
    desk.submit_and_hold(job(0))
    waiting = []
    for number, priority in enumerate([3, 2, 0, 1, 2, 0, 3, 1], start=1):
        listener = Listener(lambda name=f"{priority}.{number}": order.append(name))  # type: ignore[misc]
        desk.submit(job(number, priority=Priority(priority)), listener)
        waiting.append(listener)
    desk.model.release()
    for listener in waiting:
        listener.wait()
    assert list(dict.fromkeys(order)) == ["0.3", "0.6", "1.4", "1.8", "2.2", "2.5", "3.1", "3.7"]
    assert sorted(order) == order, "they took turns"


def test_equals_do_not_interrupt_each_other(desk: Desk) -> None:
    """The first one is not called off."""
    _, first = desk.submit_and_hold(job(1))
    _, second = desk.submit(job(2))
    desk.model.release()
    assert first.wait().text == text_of(job(1))
    assert second.wait().text == text_of(job(2))
    assert desk.model.aborted_calls == 0


@pytest.mark.parametrize("calls", range(CALLS_OF_PROMPT + 4))
def test_a_higher_job_interrupts_and_the_lower_one_resumes(desk: Desk, calls: int) -> None:
    """At any call; nothing is evaluated twice but the call that was ended."""
    low, high = job(1, priority=Priority.WARM_UP), job(2)
    order: list[str] = []
    _, lower = desk.submit_and_hold(low, calls)
    higher = Listener(lambda: order.append(lower.text))
    desk.submit(high, higher)
    desk.model.wait_until_held()
    assert desk.model.aborted_calls == 1
    desk.model.release()
    assert lower.wait().text == text_of(low)
    assert higher.wait().text == text_of(high)
    assert len(set(order)) == 1, "the lower job said something before the higher one had ended"
    assert sum(len(call.tokens) for call in desk.model.done_calls()) == 2 * (20 + 5)
    assert (lower.counts.reused, lower.counts.evaluated) == (0, 20)


def test_a_late_abort_does_not_harm_the_next_call(desk: Desk) -> None:
    """It comes while no call runs: it was meant for one that has ended."""
    model = FakeModel(next_token=lambda tokens: (model.request_abort(), hashed(tokens))[1])  # type: ignore[func-returns-value]
    other = Desk(model)
    _, listener = other.submit(job())
    assert listener.wait().text == text_of(job())
    assert model.aborted_calls == 0
    other.scheduler.stop()


# Cancel


@pytest.mark.parametrize("calls", range(CALLS_OF_PROMPT + 3))
def test_a_cancelled_job_ends_its_call_and_says_nothing_more(desk: Desk, calls: int) -> None:
    """The gate stays closed for it: the call ends by being aborted."""
    ticket, listener = desk.submit_and_hold(job(), calls)
    said = list(listener.events)
    desk.scheduler.cancel(ticket)
    desk.check_another_job()
    assert listener.events == said
    assert desk.model.aborted_calls == 1


def test_a_cancel_between_call_and_piece_is_in_time() -> None:
    """The token is there, but nobody wants it any more."""
    tickets: list[Ticket] = []

    def cancel_while_sampling(tokens: tuple[int, ...]) -> int:
        if tickets:
            own.scheduler.cancel(tickets.pop())
        return hashed(tokens)

    own = Desk(FakeModel(next_token=cancel_while_sampling))
    ticket, listener = own.submit_and_hold(job())
    tickets.append(ticket)
    own.check_another_job()
    assert listener.events == []
    own.scheduler.stop()


def test_a_cancelled_job_that_waits_is_never_begun(desk: Desk) -> None:
    """The running one goes on undisturbed."""
    _, running = desk.submit_and_hold(job(1))
    ticket, listener = desk.submit(job(2))
    desk.scheduler.cancel(ticket)
    desk.check_another_job()
    assert running.wait().text == text_of(job(1))
    assert listener.events == []
    assert desk.lanes.lane("1:2") is None
    assert desk.model.aborted_calls == 0


def test_a_cancel_or_deadline_after_the_end_is_nothing(desk: Desk) -> None:
    """They cross."""
    ticket, listener = desk.submit(job())
    said = list(listener.wait().events)
    desk.scheduler.expire(ticket)
    desk.scheduler.cancel(ticket)
    desk.check_another_job()
    assert listener.events == said


# Deadline


@pytest.mark.parametrize("calls", range(CALLS_OF_PROMPT + 3))
def test_a_job_ends_at_its_deadline_with_what_is_there(desk: Desk, calls: int) -> None:
    """Though its call would not have ended by itself; also before the first token."""
    ticket, listener = desk.submit_and_hold(job(), calls)
    desk.scheduler.expire(ticket)
    assert listener.wait().reason is FinishReason.DEADLINE
    generated = max(0, calls - CALLS_OF_PROMPT + 1)
    assert listener.text == undisturbed(job().tokens, generated)
    assert listener.counts.generated == generated
    desk.check_another_job()


def test_a_job_that_waits_ends_at_its_deadline_at_once(desk: Desk) -> None:
    """It does not wait for its turn, and does not disturb whose turn it is."""
    _, running = desk.submit_and_hold(job(1))
    ticket, listener = desk.submit(job(2, priority=Priority.CHAT))
    desk.scheduler.expire(ticket)
    assert listener.ended.is_set()
    assert (listener.text, listener.reason) == ("", FinishReason.DEADLINE)
    desk.model.release()
    assert running.wait().text == text_of(job(1))
    assert desk.model.aborted_calls == 0


def test_an_interrupted_job_ends_at_its_deadline_with_what_is_there(desk: Desk) -> None:
    """While the one that interrupted it still runs."""
    ticket, low = desk.submit_and_hold(job(1, priority=Priority.CHAT), CALLS_OF_PROMPT + 1)
    _, high = desk.submit(job(2))
    desk.model.wait_until_held()
    desk.scheduler.expire(ticket)
    assert low.ended.is_set()
    assert (low.text, low.counts.generated) == (undisturbed(job(1).tokens, 2), 2)
    desk.model.release()
    assert high.wait().text == text_of(job(2))


def test_a_deadline_in_the_moment_of_an_interruption_counts(desk: Desk) -> None:
    """Whichever the engine's thread sees first."""
    ticket, low = desk.submit_and_hold(job(1, priority=Priority.WARM_UP))
    desk.submit(job(2))
    desk.scheduler.expire(ticket)
    assert low.wait().reason is FinishReason.DEADLINE
    desk.model.wait_until_held()


def test_an_impossible_job_that_waits_fails_at_its_deadline(desk: Desk) -> None:
    """It gets its answer too."""
    desk.submit_and_hold(job(1))
    ticket, listener = desk.submit(Job("1:2", tuple(range(9000)), 5))
    desk.scheduler.expire(ticket)
    assert isinstance(listener.wait().error, PromptTooLong)


# Failures


def test_a_prompt_that_is_too_long_hurts_nobody_else(desk: Desk) -> None:
    """It has not touched the lane either."""
    _, good = desk.submit(job(1))
    good.wait()
    _, listener = desk.submit(Job("1:1", tuple(range(9000)), 5))
    assert isinstance(listener.wait().error, PromptTooLong)
    _, again = desk.submit(job(1))
    assert again.wait().counts.reused == 19


@pytest.mark.parametrize("failure", [RuntimeError("boom"), EngineError("boom")])
def test_a_job_that_raises_ends_with_an_error_and_the_thread_goes_on(desk: Desk, failure: Exception) -> None:
    """What its lane holds is not trusted any more."""
    _, good = desk.submit(job())
    good.wait()

    def fail() -> None:
        desk.model.on_decode = None
        raise failure

    desk.model.on_decode = fail
    _, listener = desk.submit(job())
    assert "boom" in str(listener.wait().error)
    _, again = desk.submit(job())
    assert again.wait().text == text_of(job())
    assert again.counts.reused == 0


def test_a_listener_that_raises_hurts_only_itself(desk: Desk) -> None:
    """As one on an event loop that is closed."""

    def closed(_event: object) -> None:
        calls.append(1)
        raise RuntimeError("Event loop is closed")

    calls: list[int] = []
    desk.submit(job(), closed)
    desk.check_another_job()
    assert calls == [1]


def test_stopping_ends_what_runs_and_what_waits() -> None:
    """Each with `EngineGone`, but for what nobody waits for; and so does all that comes later."""
    desk = Desk()
    _, running = desk.submit_and_hold(job(1))
    _, waiting = desk.submit(job(2))
    ticket, cancelled = desk.submit(job(3))
    desk.scheduler.cancel(ticket)
    desk.scheduler.stop()
    _, late = desk.submit(job(4))
    assert [type(event) for listener in (running, waiting, late) for event in listener.events] == [EngineGone] * 3
    desk.scheduler.stop()
    assert len(late.events) == 1
    assert cancelled.events == []
    assert desk.scheduler.idle


def test_the_engine_is_idle_when_nothing_waits_or_runs(desk: Desk) -> None:
    """Before the first job, not while one is held, and again in the moment in which it says that it has ended."""
    assert desk.scheduler.idle
    desk.submit_and_hold(job())
    assert not desk.scheduler.idle
    idle: list[bool] = []
    ended = Listener(lambda: idle.append(desk.scheduler.idle))
    desk.model.release()
    desk.submit(job(2, priority=Priority.SPECULATION), ended)
    ended.wait()
    assert idle[-1]
    assert not any(idle[:-1])


# Clients that go


def test_the_lanes_of_a_client_that_has_gone_are_freed(desk: Desk) -> None:
    """Those of others stay."""
    for name in ("1:a", "1:b", "11:a"):
        desk.submit(job(lane=name))[1].wait()
    desk.scheduler.forget_owner("1:")
    desk.check_another_job()
    assert [name for name in ("1:a", "1:b", "11:a") if desk.lanes.lane(name)] == ["11:a"]


@pytest.mark.parametrize("calls", [0, 1, CALLS_OF_PROMPT, CALLS_OF_PROMPT + 1])
def test_the_jobs_of_a_client_that_has_gone_are_called_off(desk: Desk, calls: int) -> None:
    """The running one, too: it must not fill its lane again."""
    _, running = desk.submit_and_hold(job(1), calls)
    _, waiting = desk.submit(job(2))
    said = list(running.events)
    desk.scheduler.forget_owner("1:")
    desk.check_another_job()
    assert (running.events, waiting.events) == (said, [])
    assert desk.lanes.lane("1:1") is desk.lanes.lane("1:2") is None
    assert len(desk.model.contents()) == 1


# Everything at once

OWNERS = ("1:", "2:")

random_jobs = st.builds(
    lambda owner, lane, shared, own, most_new, priority: Job(
        owner + lane, (*range(shared), *own), most_new, priority=priority
    ),
    st.sampled_from(OWNERS),
    st.sampled_from("ab"),
    st.integers(1, 25),
    st.lists(st.integers(0, 3), max_size=5).map(tuple),
    st.integers(0, 6),
    st.sampled_from(Priority),
)

actions = st.lists(
    st.one_of(
        random_jobs,
        st.tuples(st.just("pass"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["cancel", "expire"]), st.integers(0, 5)),
        st.tuples(st.just("forget"), st.integers(0, 1)),
    ),
    max_size=25,
)


class Session:
    """Jobs and what was done to them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.submitted: list[tuple[Ticket, Listener]] = []
        self.silent_since: dict[int, int] = {}
        """By job: how much it had said when nobody wanted it any more."""
        self.expired: set[int] = set()

    def do(self, action: Job | tuple[str, int]) -> None:
        if isinstance(action, Job):
            self.submitted.append(self.desk.submit(action))
            return
        what, number = action
        if what == "pass":
            self.desk.model.let_pass(number)
        elif what == "forget":
            self.desk.scheduler.forget_owner(OWNERS[number])
            self._silence(lambda ticket: ticket.job.lane.startswith(OWNERS[number]))
        elif number < len(self.submitted):
            ticket = self.submitted[number][0]
            if what == "cancel":
                self.desk.scheduler.cancel(ticket)
                self._silence(lambda other: other is ticket)
            else:
                self.desk.scheduler.expire(ticket)
                self.expired.add(number)

    def _silence(self, whom: Callable[[Ticket], bool]) -> None:
        for number, (ticket, listener) in enumerate(self.submitted):
            if whom(ticket):
                self.silent_since.setdefault(number, len(listener.events))

    def check(self) -> None:
        for number, (ticket, listener) in enumerate(self.submitted):
            if number in self.silent_since:
                assert len(listener.events) == self.silent_since[number]
            else:
                self._check_answer(ticket.job, listener.wait(), number in self.expired)

    def _check_answer(self, job: Job, listener: Listener, expired: bool) -> None:
        if expired and listener.reason is FinishReason.DEADLINE:
            assert listener.text == undisturbed(job.tokens, listener.counts.generated)
            return
        assert listener.reason is FinishReason.LENGTH
        assert listener.text == text_of(job)
        assert listener.counts.reused + listener.counts.evaluated >= len(job.tokens)


@given(actions, st.integers(37, 80), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_every_job_that_somebody_waits_for_gets_its_own_answer(
    actions: list[Job | tuple[str, int]], cells: int, sequences: int
) -> None:
    """Whatever happens to the others, and with how little room."""
    desk = Desk(FakeModel(cells=cells, sequences=sequences), cells, sequences)
    desk.model.hold()
    session = Session(desk)
    for action in actions:
        session.do(action)
    desk.check_another_job()
    session.check()
    desk.scheduler.stop()
    assert desk.scheduler.idle
