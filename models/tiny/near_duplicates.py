"""Finds texts that are nearly the same, with MinHash (A. Broder, 1997) over runs of five words."""

from __future__ import annotations

import re
from zlib import crc32

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

THRESHOLD = 0.7
"""Jaccard similarity of the sets of word runs, from which on two texts count as the same."""
WORDS_IN_A_RUN = 5
PERMUTATIONS = 64

_WORD = re.compile(rb"\w+|[^\w\s]")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Odd, and without a pattern: 2^64 by the golden ratio (D. Knuth, volume 3, section 6.4)."""

Runs = NDArray[np.uint64]


class Seen:
    """Texts so far; says of each new one whether it is new."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
        self._runs: dict[str, Runs] = {}

    def twin_of(self, name: str, text: str) -> str | None:
        """The name of a text seen before that is nearly the same. Where there is none, this text is remembered."""
        runs = word_runs(text)
        if not len(runs):
            return None
        signature = _signature(runs)
        found = sorted(self._index.query(signature))
        twin = next((other for other in found if similarity(runs, self._runs[other]) >= self._threshold), None)
        if twin is None:
            self._index.insert(name, signature)
            self._runs[name] = runs
        return twin


def word_runs(text: str) -> Runs:
    """Checksums of all runs of five words, each once; a shorter text counts as one run."""
    words = _WORD.findall(text.encode())
    sums = np.fromiter(map(crc32, words), dtype=np.uint64, count=len(words))
    width = min(WORDS_IN_A_RUN, len(words))
    runs: Runs = np.zeros(len(words) - width + 1 if width else 0, dtype=np.uint64)
    for place in range(width):
        np.bitwise_xor(runs, sums[place : place + len(runs)], out=runs)
        np.multiply(runs, _FACTOR, out=runs)
    np.right_shift(runs, np.uint64(32), out=runs)
    return np.unique(runs)


def similarity(left: Runs, right: Runs) -> float:
    """Jaccard: what both have, among what either has."""
    both = len(np.intersect1d(left, right, assume_unique=True))
    return both / max(1, len(left) + len(right) - both)


def _signature(runs: Runs) -> MinHash:
    signature = MinHash(num_perm=PERMUTATIONS, hashfunc=_as_it_is)
    signature.update_batch(runs)
    return signature


def _as_it_is(value: np.uint64) -> int:
    return int(value)
