"""A scheduler on a fake model, for tests of who goes first and of what becomes of cancelled jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lsp_server.engine.base import Finished, Piece, Priority
from lsp_server.engine.generation import Emit, Job
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.engine.scheduler import Scheduler, Ticket
from lsp_server.errors import EngineError
from tests.engine.fake_model import LIMIT_S, Collected, FakeModel, undisturbed

MICRO_BATCH_TOKENS = 8


class Listener(Collected):
    """What one job emitted; can be waited for."""

    def __init__(self, on_event: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.ended = threading.Event()
        self._on_event = on_event

    def __call__(self, event: Piece | Finished | EngineError) -> None:
        self.events.append(event)
        self._on_event()
        if not isinstance(event, Piece):
            self.ended.set()

    def wait(self) -> Listener:
        assert self.ended.wait(LIMIT_S), "the job did not end"
        return self

    @property
    def error(self) -> EngineError:
        last = self.events[-1]
        assert isinstance(last, EngineError)
        return last


class Desk:
    """A scheduler on a fake model."""

    def __init__(self, model: FakeModel | None = None, cells: int = 4096, sequences: int = 8) -> None:
        self.model = model or FakeModel()
        self.lanes = LaneTable(self.model, cells, sequences)
        self.scheduler = Scheduler(self.model, self.lanes, MicroBatch(MICRO_BATCH_TOKENS))

    def submit(self, job: Job, emit: Emit | None = None) -> tuple[Ticket, Listener]:
        listener = Listener()
        return self.scheduler.submit(job, emit or listener), listener

    def submit_and_hold(self, job: Job, calls: int = 0) -> tuple[Ticket, Listener]:
        """Start a job; it waits at the gate before its next call after so many."""
        self.model.hold()
        submitted = self.submit(job)
        self.model.wait_until_held()
        self.model.let_pass(calls)
        self.model.wait_until_held()
        return submitted

    def check_another_job(self) -> None:
        """The engine is free and does its work. Whatever was asked for before has happened by then."""
        self.model.release()
        other = job(99, lane="another", priority=Priority.SPECULATION)
        _, listener = self.submit(other)
        assert listener.wait().text == undisturbed(other.tokens, other.max_new_tokens)


def job(first: int = 1, lane: str = "", priority: Priority = Priority.COMPLETION, most_new: int = 6) -> Job:
    """A job of 20 tokens, three calls; those with another first token have another lane and share nothing."""
    return Job(lane or f"1:{first}", (first, *range(19)), most_new, priority=priority)


def text_of(job: Job) -> str:
    return undisturbed(job.tokens, job.max_new_tokens)


CALLS_OF_PROMPT = 3
"""Calls of the model for the prompt of a `job`."""
