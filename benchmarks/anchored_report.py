"""What `anchored_quality.py` makes of its scores: differences with their standard errors, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

MOST_WORSE_NATS = 0.02
MOST_WORSE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Score:
    """What one prompt gave."""

    nats: float
    """Log-probability of the true rest of the line, summed."""
    tokens: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One layout against another one at the same holes."""

    nats_per_token: float
    standard_error: float
    exact: float
    """Difference of the shares of exact lines."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Differences are anchored minus the other: negative is worse."""

    typed_tokens: int
    nats_per_token: float
    exact: float
    against_plain: Comparison
    against_same_text: Comparison
    against_unhealed: Comparison
    moved: int
    """Holes at which the anchor did not stay where typing began."""

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return all(
            other.nats_per_token >= -MOST_WORSE_NATS and other.exact >= -MOST_WORSE_SHARE - 1e-9
            for other in (self.against_plain, self.against_unhealed)
        )


def compare(ours: Sequence[Score], theirs: Sequence[Score]) -> Comparison:
    """Ours minus theirs, hole by hole; every hole counts by its tokens.

    The standard error is that of a ratio of sums (the delta method), with the token counts as given.
    """
    tokens = np.array([score.tokens for score in ours])
    gains = np.array([score.nats for score in ours]) - np.array([score.nats for score in theirs])
    mean = float(gains.sum() / tokens.sum())
    error = float(np.sqrt(np.square(gains - mean * tokens).sum()) / tokens.sum())
    return Comparison(mean, error, exact_share(ours) - exact_share(theirs))


def nats_per_token(scores: Sequence[Score]) -> float:
    """Mean log-probability of a token."""
    return sum(score.nats for score in scores) / sum(score.tokens for score in scores)


def exact_share(scores: Sequence[Score]) -> float:
    """Share of holes at which the greedy line is the true one."""
    return sum(score.exact for score in scores) / len(scores)


def report(rows: Sequence[Row], holes: int) -> str:
    """The table for people."""
    first = rows[0]
    plain = first.nats_per_token - first.against_plain.nats_per_token
    lines = [
        f"{holes} holes; plain: {plain:.3f} nats per token, "
        f"{first.exact - first.against_plain.exact:.1%} exact. Differences are anchored minus the other:",
        "nats per token ± standard error, and points of exact lines.",
        f"typed tokens  nats/token  exact  {'plain':>22}  {'same text':>22}  {'unhealed':>22}  anchor moved",
    ]
    for row in rows:
        others = (row.against_plain, row.against_same_text, row.against_unhealed)
        lines.append(
            f"{row.typed_tokens:12d}  {row.nats_per_token:10.3f}  {row.exact:5.1%}  "
            f"{'  '.join(map(_difference, others))}  {row.moved:12d}{'' if row.holds else '  MISSED'}"
        )
    kept = "kept" if all(row.holds for row in rows) else "missed"
    return "\n".join([*lines, f"At most {MOST_WORSE_NATS} nats per token and 1 point of exact lines worse: {kept}."])


def _difference(found: Comparison) -> str:
    return f"{found.nats_per_token:+.3f} ± {found.standard_error:.3f}  {found.exact * 100:+5.1f}"


def as_json(rows: Sequence[Row], holes: int) -> dict[str, Any]:
    """The figures for programs."""
    return {"holes": holes, "rows": [{**asdict(row), "holds": row.holds} for row in rows]}
