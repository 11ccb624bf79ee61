"""Names in a text and how near they stand to the caret: what the model is likely to write next resembles them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

WORD = re.compile(r"[^\W\d]\w{1,60}")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_HALF_LINES = 12
"""At this distance a name counts half."""


@lru_cache(maxsize=50_000)
def parts(name: str) -> frozenset[str]:
    """`read_HTTPHeader` -> read, http, header."""
    return frozenset(part.lower() for part in _PARTS.findall(name) if len(part) > 1)


def near(lines: Sequence[str], caret_line: int, first: int, last: int) -> dict[str, float]:
    """Names in a range of lines with a weight from 0 to 1: that of their place nearest to the caret.

    The caret's own line must be given only as far as it is written.
    """
    weights: dict[str, float] = {}
    for number in range(max(0, first), min(last, len(lines))):
        weight = _HALF_LINES / (_HALF_LINES + abs(number - caret_line))
        for word in WORD.findall(lines[number]):
            if weight > weights.get(word, 0.0):
                weights[word] = weight
    return weights
