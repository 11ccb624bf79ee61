"""Why (not) this suggestion: what one request went through, step by step, and the last of them.

A trace holds paths, line numbers, counts, names of rules and times. Code is in it only where the user asked for that
(`lingCoder.traceCode`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.outcome import Outcome
from lsp_server.statistics import times_as_json, tokens_as_json

KEPT_TRACES = 100

NOBODY, ENGINE, EARLIER, AHEAD = "", "engine", "earlier suggestion", "computed ahead"
"""Who answered."""


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of the prompt, by its place. Lines count from 1, both ends included."""

    kind: str
    path: str | None
    lines: tuple[int, int]
    tokens: int | None
    """`None` where they were not counted one by one."""
    why: str


@dataclass(slots=True)
class Notes:
    """What the steps write down while a request goes through them."""

    gate: str = ""
    """The rule that asked for silence."""
    template: str = ""
    answered_by: str = NOBODY
    sources: list[Source] = field(default_factory=list)
    stages_ms: dict[str, float] = field(default_factory=dict)
    line_ms: float | None = None
    """What a line was predicted to take."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time of a step, awaited or not."""
        began_s = time.perf_counter()
        try:
            yield
        finally:
            spent_ms = (time.perf_counter() - began_s) * 1000
            self.stages_ms[name] = self.stages_ms.get(name, 0.0) + spent_ms


@dataclass(frozen=True)
class Trace:
    """One request from its gate to its outcome."""

    number: int
    at_s: float
    """When it was answered, by the wall clock, in seconds since 1970."""
    path: str | None
    language_id: str
    place: tuple[int, int]
    """Line and column of the caret, 1-based, in characters."""
    invoked: bool
    notes: Notes
    outcome: Outcome
    model: str = ""

    def as_json(self, *, with_code: bool = False) -> dict[str, Any]:
        """The README lists the keys."""
        notes, outcome = self.notes, self.outcome
        found: dict[str, Any] = {
            "number": self.number,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at_s)),
            "path": self.path,
            "language": self.language_id,
            "line": self.place[0],
            "column": self.place[1],
            "invoked": self.invoked,
            "gate": notes.gate or "passed",
            "model": self.model,
            "template": notes.template,
            "answeredBy": notes.answered_by,
            "sources": [asdict(source) for source in notes.sources],
            "tokens": tokens_as_json(outcome.tokens),
            "rules": [asdict(verdict) for verdict in outcome.rules],
            "confidence": outcome.confidence,
            "outcome": outcome.label,
            "detail": outcome.sentence,
            "ms": {**times_as_json(outcome.times), **{name: round(ms, 3) for name, ms in notes.stages_ms.items()}},
            "predictedLineMs": None if notes.line_ms is None else round(notes.line_ms, 1),
        }
        if with_code:
            found["raw"] = outcome.raw
            found["text"] = outcome.suggestion.text if outcome.suggestion else ""
        return found


class TraceLog:
    """The last traces, the newest last."""

    def __init__(self) -> None:
        self._traces: deque[Trace] = deque(maxlen=KEPT_TRACES)
        self._count = 0

    def add(
        self, snapshot: DocumentSnapshot, notes: Notes, outcome: Outcome, *, invoked: bool, model: str = ""
    ) -> Trace:
        """Keep what a request left."""
        self._count += 1
        place = (snapshot.caret_line + 1, snapshot.caret_column + 1)
        trace = Trace(
            self._count, time.time(), snapshot.path, snapshot.language_id, place, invoked, notes, outcome, model
        )  # not the snapshot: a hundred copies of a large file are too much to keep
        self._traces.append(trace)
        return trace

    def last(self, count: int = KEPT_TRACES) -> list[Trace]:
        """So many of the newest, the newest last."""
        return list(self._traces)[-count:] if count > 0 else []
