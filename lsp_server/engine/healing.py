"""Token healing: the prompt ends at the last border of the pre-tokenizer, and the answer must begin with the rest.

A caret in the middle of a word or after an indentation cuts a token in two, and models continue half tokens badly. So
the tail behind the last border is left out of the prompt, and generation is constrained to reproduce its bytes first.
The idea is Guidance's ("token healing"); the table of byte-sorted tokens makes the candidates of each step a matter of
two bisections.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable

_LONGEST_TAIL_CHARACTERS = 32
_LOOK_BACK_CHARACTERS = 256

_PIECE = re.compile(
    r"'(?:[sdmt]|ll|ve|re)|[^\r\n\w]?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+", re.IGNORECASE
)
"""The pre-tokenizer of Ling (`bailingmoe` in llama.cpp), near enough for other families: any border is safe."""


def tail_of(text: str) -> str:
    """What stands behind the last border; empty where healing has no sense (a line end, digits, a very long word)."""
    tail = ""
    for found in _PIECE.finditer(text[-_LOOK_BACK_CHARACTERS:]):
        tail = found.group()
    if not tail or tail[-1] in "\r\n" or tail[-1].isdigit() or len(tail) > _LONGEST_TAIL_CHARACTERS:
        return ""
    return tail


class TokenTable:
    """All tokens of a vocabulary that have bytes, sorted by them."""

    def __init__(self, pieces: Iterable[tuple[bytes, int]]) -> None:
        pairs = sorted((data, token) for data, token in pieces if data)
        self._bytes = [data for data, _ in pairs]
        self._ids = [token for _, token in pairs]

    def candidates(self, rest: bytes) -> list[int]:
        """Tokens that begin with `rest`, and tokens that `rest` begins with."""
        start = bisect_left(self._bytes, rest)
        end = bisect_left(self._bytes, rest + b"\xff" * 64, start)
        found = self._ids[start:end]
        for length in range(1, len(rest)):
            place = bisect_left(self._bytes, rest[:length])
            while place < len(self._bytes) and self._bytes[place] == rest[:length]:
                found.append(self._ids[place])
                place += 1
        return found
