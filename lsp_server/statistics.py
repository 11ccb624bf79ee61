"""What has been counted since the server started: how requests ended, tokens, and the figures of the last one.

Nothing here holds code: `lingCoder/stats` may be copied into a bug report as it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from lsp_server.outcome import Outcome, Times, TokenCounts


def tokens_as_json(tokens: TokenCounts) -> dict[str, int]:
    """`{"prompt", "reused", "evaluated", "generated"}`."""
    return asdict(tokens)


def times_as_json(times: Times) -> dict[str, float]:
    """`{"total", "prefill", "decode", "overhead", "paused"}`, in milliseconds."""
    figures = {
        "total": times.total_ms,
        "prefill": times.prefill_ms,
        "decode": times.decode_ms,
        "overhead": times.overhead_ms,
        "paused": times.paused_ms,
    }
    return {name: round(value, 3) for name, value in figures.items()}


@dataclass
class Statistics:
    """Counters of one server."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """How many requests ended in which way, by the outcome's label."""
    reused: int = 0
    evaluated: int = 0
    generated: int = 0
    last: Outcome | None = None

    def count(self, outcome: Outcome) -> Outcome:
        """Take one more outcome into account; returns it."""
        self.outcomes[outcome.label] += 1
        self.reused += outcome.tokens.reused
        self.evaluated += outcome.tokens.evaluated
        self.generated += outcome.tokens.generated
        self.last = outcome
        return outcome

    def as_json(self) -> dict[str, Any]:
        """The part of `lingCoder/stats` that is counted here."""
        return {
            "outcomes": dict(self.outcomes),
            "tokens": {"reused": self.reused, "evaluated": self.evaluated, "generated": self.generated},
            "last": self._last_as_json(),
        }

    def _last_as_json(self) -> dict[str, Any] | None:
        if self.last is None:
            return None
        return {
            "outcome": self.last.label,
            "detail": self.last.sentence,
            "confidence": self.last.confidence,
            "tokens": tokens_as_json(self.last.tokens),
            "ms": times_as_json(self.last.times),
        }
