"""The prompt of a cancelled or late request is read on for the next one: typing fast must not starve a cold prompt."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lsp_server.engine.base import FinishReason, Priority
from lsp_server.engine.generation import Job
from tests.engine.desk import CALLS_OF_PROMPT, MICRO_BATCH_TOKENS, Desk, job, text_of
from tests.engine.fake_model import LIMIT_S, undisturbed


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.model.release()
    desk.scheduler.stop()


def grown(before: Job, *more: int) -> Job:
    """The next request of somebody who typed on: the same lane, a longer prompt."""
    return Job(before.lane, (*before.tokens, *more), before.max_new_tokens)


def test_what_a_cancelled_request_has_read_is_not_lost(desk: Desk) -> None:
    """The next request with the same beginning takes over after the running call; nothing is evaluated twice."""
    first = job()
    ticket, listener = desk.submit_and_hold(first, 1)
    desk.scheduler.give_up(ticket)
    _, heir = desk.submit(grown(first, 50, 51))
    desk.model.release()
    wanted = grown(first, 50, 51)
    assert heir.wait().text == undisturbed(wanted.tokens, wanted.max_new_tokens)
    assert listener.events == []
    assert desk.model.aborted_calls == 0
    assert heir.finished.tokens.reused == 2 * MICRO_BATCH_TOKENS
    assert desk.scheduler.counters.prompt_tokens == len(wanted.tokens)


@pytest.mark.parametrize("order", ["given up first", "heir first"])
def test_a_cold_prompt_is_read_once_however_often_it_is_cancelled(desk: Desk, order: str) -> None:
    """A key during every call: with aborts, no call would ever be finished."""
    asked = Job("1:typing", tuple(range(100, 164)), 4)
    ticket, listener = desk.submit_and_hold(asked)
    for key in range(6):
        asked = grown(asked, key)
        if order == "given up first":
            desk.scheduler.give_up(ticket)
        following, listener = desk.submit(asked)
        if order == "heir first":
            desk.scheduler.give_up(ticket)
        ticket = following
        desk.model.let_pass()
        desk.model.wait_until_held()
    desk.model.release()
    assert listener.wait().text == undisturbed(asked.tokens, asked.max_new_tokens)
    assert desk.scheduler.counters.prompt_tokens == len(asked.tokens)
    assert desk.model.aborted_calls == 0


@pytest.mark.parametrize("priority", Priority)
def test_any_other_job_aborts_what_was_given_up(desk: Desk, priority: Priority) -> None:
    """Nobody waits for it: the engine is free at once."""
    ticket, listener = desk.submit_and_hold(job())
    desk.scheduler.give_up(ticket)
    other = job(2, priority=priority)
    _, answer = desk.submit(other)
    desk.model.release()
    assert answer.wait().text == text_of(other)
    assert listener.events == []
    assert desk.model.aborted_calls == 1


def test_the_call_that_an_heir_waits_for_is_not_aborted_when_time_is_up(desk: Desk) -> None:
    """A call may take longer than a cancelled request is read on: on two cores 64 tokens of the true model take 2 s."""
    first = job()
    ticket, _ = desk.submit_and_hold(first)
    assert desk.scheduler.give_up(ticket)
    _, heir = desk.submit(grown(first, 50))
    desk.scheduler.stop_reading(ticket)
    desk.model.release()
    assert heir.wait().finished.tokens.reused == MICRO_BATCH_TOKENS
    assert desk.model.aborted_calls == 0


def test_a_deadline_while_the_prompt_is_read_loses_nothing(desk: Desk) -> None:
    """The request is answered at once; what is being read is there for the next one."""
    first = job()
    ticket, listener = desk.submit_and_hold(first)
    desk.scheduler.expire(ticket)
    assert listener.wait().finished.reason is FinishReason.DEADLINE
    assert desk.scheduler.give_up(ticket)
    _, heir = desk.submit(grown(first, 50))
    desk.model.release()
    assert heir.wait().finished.tokens.reused == MICRO_BATCH_TOKENS
    assert desk.model.aborted_calls == 0
    assert len(listener.events) == 1


def test_a_job_that_was_called_off_is_no_heir(desk: Desk) -> None:
    """It waits in the queue for its removal, and nobody waits for it."""
    ticket, _ = desk.submit_and_hold(job())
    other, _ = desk.submit(job(2))
    desk.scheduler.cancel(other)
    desk.scheduler.give_up(ticket)
    desk.model.let_pass()
    desk.model.wait_until_held()
    assert desk.model.aborted_calls == 0
    assert len(desk.model.done_calls()) == 1


def test_another_beginning_in_the_same_lane_does_not_wait(desk: Desk) -> None:
    """What the running call evaluates would be of no use."""
    ticket, _ = desk.submit_and_hold(job(1, lane="a"))
    desk.scheduler.give_up(ticket)
    other = job(2, lane="a")
    _, answer = desk.submit(other)
    desk.model.release()
    assert answer.wait().text == text_of(other)
    assert desk.model.aborted_calls == 1


def test_without_an_heir_the_prompt_is_read_and_nothing_is_said(desk: Desk) -> None:
    """It ends with the prompt, or when its time is up."""
    asked, last_call = job(), threading.Event()
    ticket, listener = desk.submit_and_hold(asked)
    desk.scheduler.give_up(ticket)
    assert desk.scheduler.idle
    desk.model.on_decode = lambda: last_call.set() if len(desk.model.calls) == CALLS_OF_PROMPT - 1 else None
    desk.model.release()
    assert last_call.wait(LIMIT_S), "the prompt was not read on"
    _, again = desk.submit(grown(asked, 7))
    assert again.wait().finished.tokens.reused == len(asked.tokens)
    assert listener.events == []


def test_the_time_of_what_was_given_up_ends(desk: Desk) -> None:
    """`cancel` is the end of it."""
    ticket, listener = desk.submit_and_hold(job())
    desk.scheduler.give_up(ticket)
    desk.scheduler.cancel(ticket)
    desk.check_another_job()
    assert listener.events == []
    assert desk.model.aborted_calls == 1


@pytest.mark.parametrize("calls", [CALLS_OF_PROMPT, CALLS_OF_PROMPT + 2])
def test_an_answer_that_is_given_up_ends_at_once(desk: Desk, calls: int) -> None:
    """Only a prompt is worth going on with."""
    ticket, listener = desk.submit_and_hold(job(), calls)
    said = list(listener.events)
    desk.scheduler.give_up(ticket)
    desk.check_another_job()
    assert listener.events == said
    assert desk.model.aborted_calls == 1
