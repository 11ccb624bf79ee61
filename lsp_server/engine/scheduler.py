"""Who uses the model next: one thread, a list of jobs, the highest priority first, the earliest of equals.

The choice is made anew after each step of a generation (`generation.py`). A job that outranks the running one, a cancel and
a deadline also end the running call of llama.cpp, so that nobody waits for more than a graph node.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lsp_server.engine.base import FinishReason
from lsp_server.engine.generation import Emit, Generation, Job, Step
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.model import Model
from lsp_server.errors import EngineError, EngineGone

_order = itertools.count()


@dataclass(eq=False, slots=True)
class Ticket:
    """One job on its way through the scheduler."""

    job: Job
    emit: Emit
    order: int
    generation: Generation | None = None
    cancelled: bool = False
    expired: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller one goes first."""
        return int(self.job.priority), self.order


class Scheduler:
    """Owns the model from the moment it is made: no other thread may call it, but for tokenizing and aborting."""

    def __init__(self, model: Model, lanes: LaneTable, micro_batch_tokens: int) -> None:
        self._model, self._lanes, self._micro_batch_tokens = model, lanes, micro_batch_tokens
        self._tickets: list[Ticket] = []
        self._chores: list[Callable[[], None]] = []
        self._running: Ticket | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job, emit: Emit) -> Ticket:
        """Queue a job. `emit` is called from the engine's thread: pieces, then `Finished` or an `EngineError`."""
        ticket = Ticket(job, emit, next(_order))
        with self._changed:
            self._tickets.append(ticket)
            if self._running is not None and ticket.rank < self._running.rank:
                self._model.request_abort()
            self._changed.notify()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Take a job off; nothing more is emitted for it."""
        self._interrupt(ticket, cancelled=True)

    def expire(self, ticket: Ticket) -> None:
        """The deadline of a job has come: it ends with what is there."""
        self._interrupt(ticket, cancelled=False)

    def forget_owner(self, prefix: str) -> None:
        """Free the lanes of a client that has gone, as soon as nothing runs."""
        with self._changed:
            self._chores.append(lambda: self._lanes.forget_owner(prefix))
            self._changed.notify()

    def stop(self) -> None:
        """End the thread; jobs that are left end with `EngineGone`."""
        with self._changed:
            self._stopping = True
            self._model.request_abort()
            self._changed.notify()
        self._thread.join()
        for ticket in self._tickets:
            ticket.emit(EngineGone("The engine is shutting down."))

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or runs."""
        with self._changed:
            return not self._tickets

    def _interrupt(self, ticket: Ticket, *, cancelled: bool) -> None:
        with self._changed:
            ticket.cancelled |= cancelled
            ticket.expired |= not cancelled
            if self._running is ticket:
                self._model.request_abort()
            self._changed.notify()

    def _work(self) -> None:
        while (ticket := self._next()) is not None:
            try:
                done = self._advance(ticket)
            except EngineError as error:
                ticket.emit(error)
                done = True
            except Exception as error:  # the thread outlives any bad job
                ticket.emit(EngineError(f"The engine failed: {error!r}."))
                self._lanes.forget(ticket.job.lane)
                done = True
            with self._changed:
                self._running = None
                if done and ticket in self._tickets:
                    self._tickets.remove(ticket)

    def _next(self) -> Ticket | None:
        """The job to advance; waits for one. `None` when the thread is to end."""
        with self._changed:
            while not self._stopping:
                self._tickets = [ticket for ticket in self._tickets if not ticket.cancelled]
                while self._chores:
                    self._chores.pop()()
                if self._tickets:
                    self._running = min(self._tickets, key=lambda ticket: ticket.rank)
                    # Under the lock: every later reason to abort sets the flag again.
                    self._model.clear_abort()
                    return self._running
                self._changed.wait()
            return None

    def _advance(self, ticket: Ticket) -> bool:
        """One step of a job; whether it is done."""
        if ticket.generation is None:
            ticket.generation = Generation(
                ticket.job, self._model, self._lanes, ticket.emit, self._micro_batch_tokens
            )
        if ticket.expired:
            return ticket.generation.finish(FinishReason.DEADLINE) is Step.DONE
        return ticket.generation.step() is Step.DONE
