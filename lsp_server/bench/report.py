"""The figures of a replay as `ling-coder-lsp bench --json` prints them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from lsp_server.bench.replay import Replay
from lsp_server.bench.trace import Trace

_FIGURES = ("prompt", "reused", "evaluated", "generated")


def report(trace: Trace, found: Replay) -> dict[str, Any]:
    """One object; the README says what its keys mean."""
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
            "total": sum(found.evaluated) + found.evaluated_afterwards,
        },
        "reused_share": round(sums["reused"] / max(1, sums["prompt"]), 4),
        "latency_ms": spread(found.latency_ms, 50, 95),
        "overhead_ms": spread([ms["overhead"] for ms in found.ms], 50, 95),
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
        "never_shown_tokens": found.never_shown_tokens,
    }


def percentile(values: Sequence[float], share: int) -> float:
    """The nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * share // 100) - 1)], 2) if ordered else 0.0


def spread(values: Sequence[float], *shares: int) -> dict[str, float]:
    """`{"p50": ..., ...}`."""
    return {f"p{share}": percentile(values, share) for share in shares}


def as_text(found: dict[str, Any]) -> str:
    """The same for a person: one line a figure."""
    return "\n".join(f"{name:22} {_plain(value)}" for name, value in found.items())


def _plain(value: Any) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)


def _rate(tokens: int, ms: float) -> float:
    return round(tokens / ms * 1000, 1) if ms > 0 else 0.0
