"""Cutting text into blocks that tokenize alone to the same tokens as in one piece, and that cannot hurt the tokenizer.

llama.cpp's pre-tokenizer for `bailingmoe` is a recursive `std::regex`: 26,000 letters or spaces in a row overflow an
8 MB stack. Blocks also make a cache of token ids possible: after a key only the last block is new. A line end followed
by a non-blank character is a border of the pre-tokenizer, so nothing changes there; runs of one character class longer
than 1,000 characters are cut inside, which changes a token or two of text that no model was trained on.
"""

from __future__ import annotations

import re

BLOCK_CHARACTERS = 1024
"""Preferred size: one key re-tokenizes at most this much (about 0.5 ms)."""

MOST_CHARACTERS = 4096

LONGEST_RUN = 1000
"""Of characters of one class."""

_CLASSES = (r"[^\W\d_]", r"\d", r"[^\S\n]", r"\n", r"[^\w\s]", "_")
_STEP = LONGEST_RUN // 2
_PART_OF_A_RUN = re.compile("|".join(f"{kind}{{{_STEP}}}" for kind in _CLASSES))
"""Every run that is too long matches at some multiple of `_STEP`: that finds out quickly that there is none."""

_RUN = re.compile("|".join(f"(?<!{kind}){kind}{{{LONGEST_RUN + 1},}}" for kind in _CLASSES))
_BORDER = re.compile(r"\n(?=\S)")


def split_blocks(text: str) -> list[str]:
    """The text in blocks; joining them gives it back."""
    return [block for stretch in _cut_runs(text) for block in _cut_lines(stretch)]


def _cut_runs(text: str) -> list[str]:
    if not any(_PART_OF_A_RUN.match(text, place) for place in range(0, len(text), _STEP)):
        return [text]
    cuts = [0]
    for run in _RUN.finditer(text):
        cuts += range(run.start() + LONGEST_RUN, run.end(), LONGEST_RUN)
    return [text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _cut_lines(text: str) -> list[str]:
    """Cut at the last border within the preferred size, else the first after it, else anywhere at the limit."""
    blocks, start = [], 0
    while len(text) - start > BLOCK_CHARACTERS:
        end = _last_border(text, start, start + BLOCK_CHARACTERS) or _first_border(text, start)
        blocks.append(text[start:end])
        start = end
    return [*blocks, text[start:]] if start < len(text) else blocks


def _last_border(text: str, start: int, end: int) -> int | None:
    place = text.rfind("\n", start, end)
    while place > start:
        if place + 1 < len(text) and not text[place + 1].isspace():
            return place + 1
        place = text.rfind("\n", start, place)
    return None


def _first_border(text: str, start: int) -> int:
    limit = start + MOST_CHARACTERS
    found = _BORDER.search(text, start, limit + 1)
    return found.end() if found else min(limit, len(text))
