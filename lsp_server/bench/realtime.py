"""Replays a trace at the speed of a person, asking as an editor does, and looks at what each pause brings.

After each key the request before is called off if it is still open, and a new one is sent: nothing here waits for an
answer before the next key.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from lsp_server.bench.buffers import Buffers, Edit
from lsp_server.bench.replay import Progress, evaluated_tokens, never_shown_tokens
from lsp_server.bench.report import percentile, spread
from lsp_server.bench.trace import Accept, Action, Ask, Backspace, Key, Trace
from lsp_server.bench.typist import pauses_ms

if TYPE_CHECKING:
    from lsp_server.protocol.driver import Editor, Suggested

LONG_PAUSE_MS = 700
"""In a pause of this length somebody has the time to see and read ghost text."""

_LAST_PAUSE_MS = 2000.0
"""How long nobody types after the last key."""


@dataclass(slots=True)
class Pause:
    """What happened between a key that asked for a suggestion and the next key."""

    began_s: float
    lasted_ms: float = 0.0
    text_after_ms: float | None = None
    """When ghost text was there; `None`: not before the next key."""
    answer_after_ms: float | None = None
    """When the server had said what it has to say, be it that there is nothing."""


@dataclass(slots=True)
class Session:
    """What was measured."""

    pauses: list[Pause] = field(default_factory=list)
    typed_s: float = 0.0
    cpu_s: float = 0.0
    """Of the server's and the engine's process."""
    evaluated_tokens: int = 0
    """Of prompts, for every kind of work."""
    generated_tokens: int = 0
    """Evaluated to write answers and suggestions, shown or not."""
    never_shown_tokens: int = 0


async def replay_in_real_time(editor: Editor, trace: Trace, tell: Progress = lambda done, of: None) -> Session:
    """Play a trace; the model is loaded already."""
    counts = await _Counts.now(editor)
    run = _Run(editor, trace)
    began_s = time.perf_counter()
    due_s = began_s
    for done, (pause_ms, action) in enumerate(zip(pauses_ms(trace.actions), trace.actions, strict=True), 1):
        due_s += pause_ms / 1000
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        run.do(action)
        tell(done, len(trace.actions))
    await asyncio.sleep(_LAST_PAUSE_MS / 1000)
    found = Session(await run.finish(), time.perf_counter() - began_s)
    (await _Counts.now(editor)).add_difference(counts, found)
    return found


class _Run:
    """One replay while it goes on."""

    def __init__(self, editor: Editor, trace: Trace) -> None:
        self._editor, self._buffers = editor, Buffers(trace.documents)
        self._pauses: list[Pause] = []
        self._shown: list[Suggested] = []
        """Ghost text at the caret, as it is now."""
        self._request: asyncio.Future[Any] | None = None
        self._listening: set[asyncio.Task[None]] = set()
        for document in trace.documents:
            editor.open(document.uri, document.text, document.language)

    def do(self, action: Action) -> None:
        """Carry out one action and ask where an editor would: after each change of the text."""
        if isinstance(action, Ask):
            if action.invoked:
                self._ask(invoked=True)
            return
        self._end_pause()
        shown, self._shown = self._shown, []
        if isinstance(action, Accept):
            if not shown:
                return
            start, end, text = self._editor.place_of(self._buffers.current.document.uri, shown[0])
            self._tell(self._buffers.insert_suggestion(start, end, text))
        else:
            self._tell(self._buffers.do(action))
        if isinstance(action, (Key, Backspace, Accept)):
            self._pauses.append(Pause(time.perf_counter()))
            self._ask()

    async def finish(self) -> list[Pause]:
        """All pauses, the one after the last key included."""
        self._end_pause()
        await asyncio.gather(*self._listening)
        return [pause for pause in self._pauses if pause.lasted_ms]

    def _end_pause(self) -> None:
        if self._pauses and not self._pauses[-1].lasted_ms:
            self._pauses[-1].lasted_ms = (time.perf_counter() - self._pauses[-1].began_s) * 1000
        self._call_off()

    def _call_off(self) -> None:
        if self._request is not None and not self._request.done():
            self._editor.call_off()
        self._request = None

    def _ask(self, *, invoked: bool = False) -> None:
        self._call_off()
        buffer = self._buffers.current
        self._request = self._editor.begin_to_ask(buffer.document.uri, buffer.caret, invoked=invoked)
        task = asyncio.ensure_future(self._listen(self._request))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

    async def _listen(self, request: asyncio.Future[Any]) -> None:
        """Note an answer, unless it came too late."""
        items = await self._editor.suggested(request)
        if request is not self._request or items is None:
            return
        self._shown, pause = items, self._pauses[-1]
        after_ms = (time.perf_counter() - pause.began_s) * 1000
        if pause.answer_after_ms is None:
            pause.answer_after_ms = after_ms
        if items and pause.text_after_ms is None:
            pause.text_after_ms = after_ms

    def _tell(self, edit: Edit | None) -> None:
        if edit is not None:
            self._editor.replace(edit.uri, edit.start, edit.end, edit.text)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is counted anyway, at one moment."""

    cpu_s: float
    evaluated_tokens: int
    generated_tokens: int
    never_shown_tokens: int

    @staticmethod
    async def now(editor: Editor) -> _Counts:
        stats = await editor.stats()
        processes = (editor.process_id, stats["engine"]["processId"])
        return _Counts(
            sum(_cpu_s(process) for process in set(processes)),
            evaluated_tokens(stats),
            int(stats["tokens"]["generated"]),
            never_shown_tokens(stats),
        )

    def add_difference(self, before: _Counts, found: Session) -> None:
        found.cpu_s = self.cpu_s - before.cpu_s
        found.evaluated_tokens = self.evaluated_tokens - before.evaluated_tokens
        found.generated_tokens = self.generated_tokens - before.generated_tokens
        found.never_shown_tokens = self.never_shown_tokens - before.never_shown_tokens


def _cpu_s(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


def report_in_real_time(trace: Trace, found: Session) -> dict[str, Any]:
    """What `ling-coder-lsp bench --realtime --json` prints; the README says what its keys mean."""
    long = [pause for pause in found.pauses if pause.lasted_ms >= LONG_PAUSE_MS]
    with_text = [pause.text_after_ms for pause in long if pause.text_after_ms is not None]
    answered = [pause.answer_after_ms for pause in long if pause.answer_after_ms is not None]
    return {
        "trace": trace.name,
        "typed_s": round(found.typed_s, 1),
        "requests": len(found.pauses),
        "pauses": len(long),
        "pauses_with_text_share": _share(len(with_text), len(long)),
        "pauses_answered_share": _share(len(answered), len(long)),
        "pause_to_text_ms": spread(with_text, 50, 95),
        "pause_to_answer_ms": spread(answered, 50, 95),
        "cpu_s_per_typed_minute": percentile([found.cpu_s / max(found.typed_s, 0.001) * 60], 50),
        "evaluated_tokens": found.evaluated_tokens,
        "generated_tokens": found.generated_tokens,
        "never_shown_tokens": found.never_shown_tokens,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0
