"""Replaying a typing trace against the real server: tokens evaluated per request, times, and how fast a cancel frees.

A trace is `{"name", "language", "path", "text", "offset", "typed", "requests": [n, ...]}`: the document opens with
`text`; `typed` is inserted at character `offset` one character at a time; after the n-th character, for each n in
`requests`, the editor asks for an inline completion and waits for the answer.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from lsp_server.errors import CompletionError

if TYPE_CHECKING:
    from lsp_server.protocol.driver import Editor

_CANCELS = 5
_FIGURES = ("prompt", "reused", "evaluated", "generated")


@dataclass(frozen=True, slots=True)
class Trace:
    """What somebody typed, and where the editor asked."""

    name: str
    language: str
    path: str
    text: str
    offset: int
    typed: str
    requests: tuple[int, ...]


def read_trace(path: Path) -> Trace:
    """A trace from its file.

    Raises:
        CompletionError: it cannot be read, or is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        trace = Trace(**{**data, "requests": tuple(data["requests"])})
        if not 0 <= trace.offset <= len(trace.text):
            raise ValueError("`offset` is outside of `text`")
        if any(not 0 < count <= len(trace.typed) for count in trace.requests) or not trace.requests:
            raise ValueError("`requests` must hold counts of typed characters, from 1 to the length of `typed`")
    except OSError as error:
        raise CompletionError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise CompletionError(f"{path} is no trace ({error}); the README lists its fields.") from error
    return trace


@dataclass(slots=True)
class Replay:
    """What was measured, one entry a request."""

    evaluated: list[int] = field(default_factory=list)
    """Prompt tokens that the engine evaluated since the request before, whatever for."""
    tokens: list[dict[str, int]] = field(default_factory=list)
    ms: list[dict[str, float]] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    """From sending the request to its answer, in the client."""
    cancel_to_free_ms: list[float] = field(default_factory=list)
    peak_rss_mb: float = 0.0
    private_mb: float = 0.0


async def replay(editor: Editor, trace: Trace) -> Replay:
    """Type a trace; the model is loaded already."""
    uri, asked, found = f"file:///{trace.path}", set(trace.requests), Replay()
    editor.open(uri, trace.text, trace.language)
    counted = (await editor.stats())["engine"]["promptTokens"]
    for count, character in enumerate(trace.typed, 1):
        place = trace.offset + count - 1
        editor.replace(uri, place, place, character)
        if count in asked:
            began = time.perf_counter()
            await editor.ask(uri, place + 1)
            found.latency_ms.append((time.perf_counter() - began) * 1000)
            stats = await editor.stats()
            found.tokens.append(stats["last"]["tokens"])
            found.ms.append(stats["last"]["ms"])
            found.evaluated.append(stats["engine"]["promptTokens"] - counted)
            counted = stats["engine"]["promptTokens"]
    return found


async def measure_cancel(editor: Editor, trace: Trace, found: Replay) -> None:
    """Call off requests for documents that the engine has not seen, and ask for a short one in the same moment.

    What the short one takes longer than when nothing else goes on is the time that the engine needed to be free.
    """
    undisturbed_ms = statistics.median(
        [await _short_request_ms(editor, f"calm_{number}") for number in range(_CANCELS)]
    )
    for number in range(_CANCELS):
        uri = f"file:///cancelled_{number}/{trace.path}"
        editor.open(uri, f"{number}\n" + trace.text, trace.language)
        request = editor.begin_to_ask(uri, trace.offset, invoked=True)
        while not request.done() and (await editor.stats())["engine"]["idle"]:
            pass  # each round asks the server and waits for its answer
        editor.call_off()
        took_ms = await _short_request_ms(editor, f"free_{number}")
        found.cancel_to_free_ms.append(max(0.0, took_ms - undisturbed_ms))
        with contextlib.suppress(Exception):  # answered with an error, unless it was too quick to be called off
            await request


async def _short_request_ms(editor: Editor, name: str) -> float:
    """How long a request takes whose prompt is a few tokens long, and which nobody has asked before."""
    text = f"{name} = "
    editor.open(f"file:///{name}.py", text, "python")
    began = time.perf_counter()
    await editor.ask(f"file:///{name}.py", len(text), invoked=True)
    return (time.perf_counter() - began) * 1000


async def measure_memory(editor: Editor, found: Replay) -> None:
    """The engine's process: the most it ever held, and what it shares with nobody."""
    process = psutil.Process((await editor.stats())["engine"]["processId"])
    found.peak_rss_mb = _peak_bytes(process) / 1e6
    with contextlib.suppress(psutil.Error):
        found.private_mb = process.memory_full_info().uss / 1e6


def _peak_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


def report(trace: Trace, found: Replay) -> dict[str, Any]:
    """What `ling-coder-lsp bench --json` prints."""
    later = found.evaluated[1:] or [0]
    sums = {name: sum(tokens[name] for tokens in found.tokens[1:]) for name in _FIGURES}
    return {
        "trace": trace.name,
        "requests": len(found.evaluated),
        "first": {"evaluated": found.evaluated[0], "ms": round(found.latency_ms[0], 1)},
        "evaluated_per_request": {
            "mean": round(statistics.fmean(later), 2),
            "p50": percentile(later, 50),
            "p95": percentile(later, 95),
            "total": sum(found.evaluated),
        },
        "reused_share": round(sums["reused"] / max(1, sums["prompt"]), 4),
        "latency_ms": _spread(found.latency_ms, 50, 95),
        "overhead_ms": _spread([ms["overhead"] for ms in found.ms], 50, 95),
        "cancel_to_free_ms": {
            "p50": percentile(found.cancel_to_free_ms, 50),
            "max": percentile(found.cancel_to_free_ms, 100),
        },
        "prefill_tokens_per_s": _rate(found.tokens[0]["evaluated"], found.ms[0]["prefill"]),
        "decode_tokens_per_s": _rate(
            sum(tokens["generated"] for tokens in found.tokens), sum(ms["decode"] for ms in found.ms)
        ),
        "peak_rss_mb": round(found.peak_rss_mb, 1),
        "private_mb": round(found.private_mb, 1),
    }


def percentile(values: Sequence[float], share: int) -> float:
    """The nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * share // 100) - 1)], 2) if ordered else 0.0


def _spread(values: Sequence[float], *shares: int) -> dict[str, float]:
    return {f"p{share}": percentile(values, share) for share in shares}


def _rate(tokens: int, ms: float) -> float:
    return round(tokens / ms * 1000, 1) if ms > 0 else 0.0
