"""The suggestion ends where the model begins to repeat itself: small models run into loops that never end."""

from __future__ import annotations

import re

from lsp_server.postprocess.rule import Candidate

_LOOP = re.compile(r"([^\n]{6,60}?)\1{2,}")
_LETTER = re.compile(r"[^\W\d_]")


def without_loops(candidate: Candidate) -> Candidate:
    """Cut after the first of three equal lines in a row, and after the first of three equal stretches of one line."""
    text = _before_equal_lines(candidate.text)
    for found in _LOOP.finditer(text):
        if _LETTER.search(found[1]):  # indentation, rulers and tables of numbers may repeat
            return candidate.with_text(text[: found.end(1)])
    return candidate.with_text(text)


def _before_equal_lines(text: str) -> str:
    lines = text.split("\n")
    bare = [line.strip() for line in lines]
    for index in range(2, len(bare)):
        if bare[index] and bare[index] == bare[index - 1] == bare[index - 2]:
            return "\n".join(lines[: index - 1])
    return text
