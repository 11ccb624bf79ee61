"""Replays a trace against the real server, as fast as it answers, and counts what each request cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsp_server.bench.buffers import Buffers, Edit
from lsp_server.bench.trace import Accept, Action, Ask, Trace

if TYPE_CHECKING:
    from lsp_server.protocol.driver import Editor, Suggested

SETTINGS: dict[str, Any] = {
    "deadlineMs": 600_000,
    "invokedDeadlineMs": 600_000,
    "pauseMs": 0,
    "suggestAt": "everywhere",
    "saveBattery": False,
}
"""Each request is answered by the engine, however slow the machine is, and on battery, too."""

WITHOUT_SPECULATION: dict[str, Any] = {"speculation": False, "warmUp": False}
"""Nothing is evaluated that nobody asked for."""

Progress = Callable[[int, int], None]
"""Told how many requests were answered, and of how many."""


@dataclass(slots=True)
class Replay:
    """What was measured, one entry a request."""

    evaluated: list[int] = field(default_factory=list)
    """Prompt tokens that the engine evaluated since the request before, whatever for."""
    tokens: list[dict[str, int]] = field(default_factory=list)
    ms: list[dict[str, float]] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    """From sending the request to its answer, in the client."""
    accepted_characters: int = 0
    evaluated_afterwards: int = 0
    """Prompt tokens that the engine evaluated after the last answer, until it had nothing left to do."""
    never_shown_tokens: int = 0
    """Generated, and never part of an answer."""
    cancel_to_free_ms: list[float] = field(default_factory=list)
    peak_rss_mb: float = 0.0
    private_mb: float = 0.0


async def replay(editor: Editor, trace: Trace, tell: Progress = lambda done, of: None) -> Replay:
    """Play a trace; the model is loaded already."""
    run = await _Run.start(editor, trace)
    tell(0, trace.requests)
    for action in trace.actions:
        await run.do(action)
        if isinstance(action, Ask):
            tell(len(run.found.evaluated), trace.requests)
    await run.finish()
    return run.found


class _Run:
    """One replay while it goes on."""

    def __init__(self, editor: Editor, trace: Trace, stats: dict[str, Any]) -> None:
        self.found = Replay()
        self._editor = editor
        self._buffers = Buffers(trace.documents)
        self._shown: list[Suggested] = []
        """The last answer, as long as nothing was done since."""
        self._counted = evaluated_tokens(stats)
        self._never_shown = never_shown_tokens(stats)

    @staticmethod
    async def start(editor: Editor, trace: Trace) -> _Run:
        """Open the documents."""
        before = await editor.stats()
        for document in trace.documents:
            editor.open(document.uri, document.text, document.language)
        return _Run(editor, trace, before)

    async def do(self, action: Action) -> None:
        """Carry out one action."""
        if isinstance(action, Ask):
            await self._ask(invoked=action.invoked)
        elif isinstance(action, Accept):
            self._accept()
        else:
            self._tell(self._buffers.do(action))
            self._shown = []

    async def finish(self) -> None:
        """Wait for what goes on behind the last answer."""
        stats = await self._editor.stats()
        while not stats["engine"]["idle"]:  # each round asks the server and waits for its answer
            stats = await self._editor.stats()
        self.found.evaluated_afterwards = evaluated_tokens(stats) - self._counted
        self.found.never_shown_tokens = never_shown_tokens(stats) - self._never_shown

    async def _ask(self, *, invoked: bool) -> None:
        found, buffer = self.found, self._buffers.current
        began = time.perf_counter()
        self._shown = await self._editor.ask(buffer.document.uri, buffer.caret, invoked=invoked)
        found.latency_ms.append((time.perf_counter() - began) * 1000)
        stats = await self._editor.stats()
        found.tokens.append(stats["last"]["tokens"])
        found.ms.append(stats["last"]["ms"])
        found.evaluated.append(evaluated_tokens(stats) - self._counted)
        self._counted = evaluated_tokens(stats)

    def _accept(self) -> None:
        if self._shown:
            start, end, text = self._editor.place_of(self._buffers.current.document.uri, self._shown[0])
            self._tell(self._buffers.insert_suggestion(start, end, text))
            self.found.accepted_characters += len(text)
        self._shown = []

    def _tell(self, edit: Edit | None) -> None:
        if edit is not None:
            self._editor.replace(edit.uri, edit.start, edit.end, edit.text)


def evaluated_tokens(stats: dict[str, Any]) -> int:
    """Prompt tokens that the engine has evaluated since it was started, counted where llama.cpp is called."""
    return int(stats["engine"]["promptTokens"])


def never_shown_tokens(stats: dict[str, Any]) -> int:
    """Tokens that were generated for this server and never shown."""
    return int(stats["tokens"].get("neverShown", 0))
