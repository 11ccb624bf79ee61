"""Work that nobody waits for: the suggestion after the one that is shown, and reading a file in which somebody stays.

Both run at lower priorities than any request and end when something else happens. On a battery nothing is done ahead.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from lsp_server.answer import stream
from lsp_server.completion import CompletionRequest, ends_early, judged, least_percent
from lsp_server.context.gate.rules import refuses_the_file
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.text_lines import Place
from lsp_server.engine.base import Engine, ModelInfo, Priority
from lsp_server.errors import CompletionError
from lsp_server.laying_out import Layout
from lsp_server.memory import Memory
from lsp_server.outcome import Outcome, Skip, Suggestion
from lsp_server.power import Power
from lsp_server.reuse import Record
from lsp_server.state import State

IDLE_S = 2.0
"""Files that somebody only passes through are not read."""
SCRATCH_LANE = "ahead"
"""One for all documents: what is computed ahead begins with what the document's own lane holds."""
_LOADING_LIMIT_MS = 3_600_000.0
_ENDED_EARLY = (Skip.CANCELLED, Skip.SUPERSEDED, Skip.STALE, Skip.CLOSED)
"""Something else has happened since: nobody stays where such a request was made."""


class Worker(Protocol):
    """What is needed of the session."""

    state: State
    memory: Memory

    @property
    def engine(self) -> Engine:
        """The engine for the present settings."""

    def is_computing(self, uri: str) -> bool:
        """Whether a completion for this document is on its way."""


class Ahead:
    """At most one speculation and one warm-up at a time."""

    def __init__(self, worker: Worker, idle_s: float = IDLE_S) -> None:
        self._worker, self._idle_s = worker, idle_s
        self._speculation: asyncio.Task[None] | None = None
        self._target: DocumentSnapshot | None = None
        """The document for which the speculation is made."""
        self._warm_up: asyncio.Task[None] | None = None

    # ---- the next suggestion

    def asked(self, snapshot: DocumentSnapshot) -> None:
        """A request comes in: if nothing that is known answers it, what was computed ahead was computed in vain."""
        self._end_warm_up()
        if self._worker.memory.history.find(snapshot) is None:
            self._end_speculation()

    def answered(self, request: CompletionRequest, outcome: Outcome) -> None:
        """A request has its outcome: compute what follows its suggestion."""
        if outcome.skip in _ENDED_EARLY:
            return
        snapshot = request.snapshot
        self.stays_at(snapshot.uri, (snapshot.caret_line, snapshot.caret_column))
        model = self._worker.engine.status.model
        if outcome.suggestion is None or model is None or not self._allows(request.settings.speculation):
            return
        target = accepted(snapshot, outcome.suggestion)
        if self._speculation is not None and self._target is not None and _is_same_place(self._target, target):
            return
        self._end_speculation()
        self._target = target
        following = CompletionRequest(target, request.settings)
        self._speculation = _quietly(partial(self._speculate, following, outcome, snapshot, model))

    async def _speculate(
        self, request: CompletionRequest, shown: Outcome, before: DocumentSnapshot, model: ModelInfo
    ) -> None:
        memory, uri = self._worker.memory, request.snapshot.uri
        if memory.history.find(request.snapshot) is not None:
            return
        asked = Layout(request.snapshot, request.settings, model).ask_again(memory.anchors)
        if asked is None:
            return
        asked = replace(asked, lane=SCRATCH_LANE, priority=Priority.SPECULATION)
        answer = await stream(self._worker.engine, asked, None, memory.heard, ends_early(request, model))
        memory.learn(answer)
        following = judged(request, answer, least_percent(request, model))
        if following.suggestion is None:
            return
        tokens = sum(piece.tokens for piece in answer.pieces)
        memory.history.add(uri, Record.of(request.snapshot, following, ahead_tokens=tokens))
        if not shown.whole and shown.suggestion is not None and following.suggestion.start == following.suggestion.end:
            # What the clock cut off belongs to the suggestion that is shown: it may grow when it is asked for again.
            grown = replace(shown.suggestion, text=shown.suggestion.text + following.suggestion.text)
            memory.history.add(uri, Record.of(before, replace(shown, suggestion=grown, whole=following.whole)))

    # ---- reading ahead

    def stays_at(self, uri: str, place: Place) -> None:
        """The caret is here; if nothing happens for a while, the model reads what is around it."""
        self._end_warm_up()
        if self._allows(self._worker.state.settings.warm_up):
            self._warm_up = _quietly(partial(self._read_when_idle, uri, place))

    def something_happened(self) -> None:
        """Whoever types or leaves does not stay."""
        self._end_warm_up()

    def closed(self, uri: str) -> None:
        """A document is gone, and with it the wish to see more of it."""
        self._end_warm_up()
        if self._target is not None and self._target.uri == uri:
            self._end_speculation()

    async def _read_when_idle(self, uri: str, place: Place) -> None:
        await asyncio.sleep(self._idle_s)
        status = await self._worker.engine.wait_ready(_LOADING_LIMIT_MS)
        document = self._worker.state.documents.get(uri)
        if document is None or status.model is None or self._worker.is_computing(uri):
            return
        request = CompletionRequest(document.snapshot(*place), self._worker.state.settings)
        if not refuses_the_file(request.snapshot, request.settings):
            await self._read(request, status.model)

    async def _read(self, request: CompletionRequest, model: ModelInfo) -> None:
        memory, engine, uri = self._worker.memory, self._worker.engine, request.snapshot.uri
        layout = Layout(request.snapshot, request.settings, model)
        asked = await layout.ask(engine, memory.anchors, memory.speed.suffix_tokens, settle=True)
        if not memory.anchors.is_read(uri):
            asked = replace(asked, max_new_tokens=0, priority=Priority.WARM_UP)
            memory.learn(await stream(engine, asked, None), uri)

    # ---- both

    def end(self) -> None:
        """Stop everything."""
        self._end_speculation()
        self._end_warm_up()

    def _allows(self, setting: bool) -> bool:
        if self._worker.state.settings.save_battery and self._worker.memory.meter.power is not Power.MAINS:
            return False
        return setting and self._worker.state.settings.enabled

    def _end_speculation(self) -> None:
        if self._speculation is not None:
            self._speculation.cancel()
        self._speculation = self._target = None

    def _end_warm_up(self) -> None:
        if self._warm_up is not None:
            self._warm_up.cancel()
        self._warm_up = None


def accepted(snapshot: DocumentSnapshot, suggestion: Suggestion) -> DocumentSnapshot:
    """The document with a suggestion in its place and the caret after it."""
    start = (snapshot.caret_line, snapshot.caret_column)
    line, column = snapshot.caret_line, snapshot.caret_column + suggestion.end - suggestion.start
    while line + 1 < len(snapshot.lines) and column > len(snapshot.lines[line]):
        column -= len(snapshot.lines[line])
        line += 1
    return snapshot.with_replaced(start, (line, column), suggestion.text)


def _is_same_place(one: DocumentSnapshot, other: DocumentSnapshot) -> bool:
    """Whether text and caret are the same, whatever the version."""
    places = [(here.uri, here.caret_line, here.caret_column, here.lines) for here in (one, other)]
    return places[0] == places[1]


def _quietly(work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """A task whose failure nobody needs to hear of: the next request will meet the same engine."""

    async def guarded() -> None:
        with contextlib.suppress(CompletionError):
            await work()

    return asyncio.ensure_future(guarded())
