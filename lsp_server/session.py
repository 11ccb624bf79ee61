"""What one server does for its editor, free of LSP: state, engine and the rule that only current work is answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lsp_server.ahead import IDLE_S, Ahead
from lsp_server.completion import CompletionRequest, complete
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import Engine, EngineCounters, EngineState, EngineStatus, StatusListener
from lsp_server.errors import EngineError
from lsp_server.in_flight import InFlight
from lsp_server.memory import Memory
from lsp_server.outcome import Outcome, Skip, Times
from lsp_server.settings import Settings
from lsp_server.state import Document, State
from lsp_server.trace import TraceLog

logger = logging.getLogger(__name__)


@dataclass
class Session:
    """One editor's documents and the engine that works for them."""

    make_engine: Callable[[Settings], Engine]
    """Must not raise: an engine that cannot work has status `FAILED`."""
    state: State = field(default_factory=State)
    _engine: Engine | None = None
    _listeners: list[StatusListener] = field(default_factory=list)
    _in_flight: InFlight = field(default_factory=InFlight)
    memory: Memory = field(default_factory=Memory)
    traces: TraceLog = field(default_factory=TraceLog)
    idle_s: float = IDLE_S
    """After how long without an event a file is read ahead."""
    _ahead: Ahead = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = Ahead(self, self.idle_s)

    # ---- documents

    def open(self, document: Document) -> None:
        """Take a document in; one that was open under the same URI is replaced."""
        self.close_document(document.uri)
        self.state.documents[document.uri] = document

    def changed(self, document: Document, version: int) -> None:
        """The text of a document was edited: what is being computed for the old text is of no use."""
        if version <= document.version:
            logger.warning("Version %d of a document arrived after version %d.", version, document.version)
        document.version = version  # the editor's word goes: later changes count from it
        document.computed.clear()
        self._ahead.something_happened()
        self._in_flight.end(document.uri, Skip.STALE)

    def close_document(self, uri: str) -> None:
        """Forget a document and end the work for it."""
        self.state.documents.pop(uri, None)
        self._ahead.closed(uri)
        self.memory.forget(uri)
        self._in_flight.end(uri, Skip.CLOSED)

    def caret_moved(self, document: Document) -> None:
        """The editor tells where the caret is."""
        if document.editor is not None and document.editor.caret is not None:
            self._ahead.stays_at(document.uri, document.editor.caret)

    # ---- completion

    def is_computing(self, uri: str) -> bool:
        """Whether a completion for this document is on its way."""
        return self._in_flight.is_running(uri)

    async def complete(self, snapshot: DocumentSnapshot, *, invoked: bool) -> Outcome:
        """The suggestion for a document that was open a moment ago; counted in the statistics.

        Raises:
            CancelledError: the editor called the request off.
        """
        request = CompletionRequest(snapshot, self.state.settings, invoked)
        self._ahead.asked(snapshot)
        try:
            outcome = await self._in_flight.run(snapshot.uri, complete(request, self.engine, self.memory))
        except asyncio.CancelledError:
            waited_ms = (time.perf_counter() - request.received_s) * 1000
            self._ended(request, Outcome(skip=Skip.CANCELLED, times=Times(waited_ms)))
            raise
        self._ahead.answered(request, outcome)
        return self._ended(request, outcome)

    def _ended(self, request: CompletionRequest, outcome: Outcome) -> Outcome:
        """Count a request and keep its trace."""
        model = self.engine_status.model
        name = model.name if model else ""
        self.traces.add(request.snapshot, request.notes, outcome, invoked=request.invoked, model=name)
        return self.state.statistics.count(outcome)

    # ---- engine

    @property
    def engine(self) -> Engine:
        """The engine for the present settings, made at the first use."""
        if self._engine is None:
            engine = self._engine = self.make_engine(self.state.settings)
            engine.on_status(lambda status: self._tell(engine, status))
        return self._engine

    @property
    def engine_status(self) -> EngineStatus:
        """The engine's status, without making one."""
        return self._engine.status if self._engine else EngineStatus(EngineState.STOPPED)

    async def engine_counters(self) -> EngineCounters:
        """What the engine has counted; zeros where there is none to ask."""
        if self._engine is None or self._engine.status.model is None:
            return EngineCounters()
        try:
            return await self._engine.counters()
        except EngineError:
            return EngineCounters()

    def on_status(self, listener: StatusListener) -> None:
        """Call `listener` at each change of the present engine's status."""
        self._listeners.append(listener)

    def _tell(self, engine: Engine, status: EngineStatus) -> None:
        if engine is self._engine:
            for listener in self._listeners:
                listener(status)

    async def start_engine(self) -> None:
        """Begin to load the model."""
        engine = self.engine
        await engine.start()
        self._tell(engine, engine.status)  # one that cannot work never changes its status

    async def use_settings(self, settings: Settings, problems: list[str]) -> None:
        """Work with these from now on; another model means another engine."""
        before, self.state.settings = self.state.settings, settings
        self.state.problems = tuple(problems)
        if settings != before:
            self._ahead.end()
            self.memory = self.memory.anew(same_model=settings.model == before.model)
        old = self._engine
        if old is None:
            return
        if settings.model == before.model:
            self._tell(old, old.status)
            return
        self._engine = None
        await old.close()
        await self.start_engine()

    async def close(self) -> None:
        """End all work and let go of the engine."""
        self._ahead.end()
        self._in_flight.end_all(Skip.CANCELLED)
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()
