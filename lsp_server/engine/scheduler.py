"""Who uses the model next: one thread, a list of jobs, the highest priority first, the earliest of equals.

The choice is made anew after each step of a generation (`generation.py`). A job that outranks the running one, and a
cancel or the deadline of the running one, also end the running call of llama.cpp, so that nobody waits for more than a
graph node. A job that only waits ends at once at its deadline, with what it has.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lsp_server.engine.base import Finished, FinishReason, Piece, Priority
from lsp_server.engine.generation import Emit, Generation, Job
from lsp_server.engine.lane_table import Counters, LaneTable
from lsp_server.engine.lanes import common_prefix_length
from lsp_server.engine.micro_batch import MicroBatch
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
    abandoned: bool = False
    """Nobody waits for the answer any more, but its prompt is still being read."""

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller one goes first."""
        return int(Priority.WARM_UP if self.abandoned else self.job.priority), self.order


class Scheduler:
    """Owns the model from the moment it is made: no other thread may call it, but for tokenizing and aborting."""

    def __init__(self, model: Model, lanes: LaneTable, micro_batch: MicroBatch) -> None:
        self._model, self._lanes, self._micro_batch = model, lanes, micro_batch
        self._tickets: list[Ticket] = []
        self._chores: list[Callable[[], None]] = []
        self._running: Ticket | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job, emit: Emit) -> Ticket:
        """Queue a job. `emit` gets pieces, then `Finished` or an `EngineError`; mostly from the engine's thread."""
        ticket = Ticket(job, emit, next(_order))
        with self._changed:
            if self._stopping:
                self._tell(ticket, _shutting_down())
                return ticket
            self._tickets.append(ticket)
            for other in [other for other in self._tickets if other.abandoned]:
                self._make_way(other, ticket)
            if self._running is not None and not self._running.abandoned and ticket.rank < self._running.rank:
                self._model.request_abort()
            self._changed.notify()
        return ticket

    def give_up(self, ticket: Ticket) -> bool:
        """Nobody waits for a job any more. A prompt is read on as a warm-up; whether that is so here.

        Somebody who types calls off a request with every key, and the next one has nearly the same prompt: an aborted
        call leaves nothing in the cache, so that a long prompt would never be read. A job with the same beginning takes
        over when the running call is done; any other job aborts it at once. `stop_reading` ends it otherwise.
        """
        with self._changed:
            if not ticket.abandoned:
                self._abandon(ticket) if _is_reading(ticket) else self.cancel(ticket)
            return ticket.abandoned and not ticket.cancelled

    def stop_reading(self, ticket: Ticket) -> None:
        """Begin no further call for an abandoned job; the running one may end, since an aborted one leaves nothing."""
        with self._changed:
            ticket.cancelled = True
            self._changed.notify()

    def cancel(self, ticket: Ticket) -> None:
        """Take a job off; nothing more is emitted for it from now on."""
        with self._changed:
            ticket.cancelled = True
            self._interrupt(ticket)

    def expire(self, ticket: Ticket) -> None:
        """The deadline of a job has come: it ends with what is there, and where it only waits, at once.

        One whose prompt is being read is answered, and abandoned as by `give_up`: the next request has the same prompt.
        """
        with self._changed:
            if _is_reading(ticket) and ticket in self._tickets and not ticket.abandoned:
                self._end_expired(ticket)
                self._tickets.append(ticket)
                self._abandon(ticket)
                return
            ticket.expired = True
            self._interrupt(ticket)
            if ticket is not self._running and ticket in self._tickets:
                self._end_expired(ticket)

    def forget_owner(self, prefix: str) -> None:
        """Take off the jobs of a client that has gone, and free its lanes as soon as nothing runs."""
        with self._changed:
            for ticket in self._tickets:
                if ticket.job.lane.startswith(prefix):
                    self.cancel(ticket)
            self._chores.append(lambda: self._lanes.forget_owner(prefix))
            self._changed.notify()

    def stop(self) -> None:
        """End the thread; jobs that are left end with `EngineGone`."""
        with self._changed:
            self._stopping = True
            self._model.request_abort()
            self._changed.notify()
        self._thread.join()
        while self._tickets:
            self._tell(self._tickets[0], _shutting_down())

    @property
    def counters(self) -> Counters:
        """Tokens given to the model since the start."""
        return self._lanes.counters

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or runs."""
        with self._changed:
            return all(ticket.abandoned or ticket.cancelled for ticket in self._tickets)

    # Under the lock

    def _interrupt(self, ticket: Ticket) -> None:
        if self._running is ticket:
            self._model.request_abort()
        self._changed.notify()

    def _abandon(self, ticket: Ticket) -> None:
        ticket.abandoned = True
        heirs = [other for other in self._tickets if not other.abandoned and not other.cancelled]
        if heirs:
            self._make_way(ticket, min(heirs, key=lambda other: other.rank))

    def _make_way(self, abandoned: Ticket, heir: Ticket) -> None:
        """End an abandoned job: after its running call where the heir can use what that evaluates, else at once."""
        reading = abandoned.generation
        shared = common_prefix_length(abandoned.job.tokens, heir.job.tokens)
        if reading is not None and abandoned.job.lane == heir.job.lane and shared >= reading.next_stop:
            self.stop_reading(abandoned)
        else:
            self.cancel(abandoned)

    def _end_expired(self, ticket: Ticket) -> None:
        """End a job that does not run at this moment."""
        try:
            self._generation(ticket).finish(FinishReason.DEADLINE)
        except EngineError as error:
            self._tell(ticket, error)

    def _generation(self, ticket: Ticket) -> Generation:
        if ticket.generation is None:
            emit = functools.partial(self._tell, ticket)
            ticket.generation = Generation(ticket.job, self._model, self._lanes, emit, self._micro_batch)
        return ticket.generation

    def _tell(self, ticket: Ticket, event: Piece | Finished | EngineError) -> None:
        """Emit, unless nobody wants it. The lock makes `cancel` the end of it, whatever the engine's thread does."""
        with self._changed:
            if ticket in self._tickets and not isinstance(event, Piece):
                self._tickets.remove(ticket)  # before anybody learns of the end and asks whether we are idle
            if not ticket.cancelled and not ticket.abandoned:
                try:
                    ticket.emit(event)
                except Exception:  # noqa: BLE001 - a listener that fails, as on a closed event loop, has gone
                    ticket.cancelled = True

    # The engine's thread

    def _work(self) -> None:
        while (ticket := self._next()) is not None:
            self._advance(ticket)
            with self._changed:
                self._running = None
                if ticket.abandoned and ticket.generation is not None and not ticket.generation.reading:
                    ticket.cancelled = True
                if ticket.expired and ticket in self._tickets:
                    self._end_expired(ticket)

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

    def _advance(self, ticket: Ticket) -> None:
        """One step of a job."""
        try:
            self._generation(ticket).step()
        except EngineError as error:
            self._fail(ticket, error)
        except Exception as error:  # noqa: BLE001 - the thread outlives any bad job
            self._fail(ticket, EngineError(f"The engine failed: {error!r}."))

    def _fail(self, ticket: Ticket, error: EngineError) -> None:
        """End a job with an error. What its lane holds is not certain any more."""
        if ticket.generation is not None:
            self._lanes.forget(ticket.job.lane)
        self._tell(ticket, error)


def _is_reading(ticket: Ticket) -> bool:
    return ticket.generation is not None and ticket.generation.reading and not ticket.cancelled


def _shutting_down() -> EngineGone:
    return EngineGone("The engine is shutting down.")
