"""The suggestion ends where the model begins to repeat itself: small models run into loops that never end."""

from __future__ import annotations

import re

from lsp_server.postprocess.rule import Candidate

_LONG = re.compile(r"([^\n]{6,60}?)\1{2,}")
_SHORT = re.compile(r"([^\n]{1,5}?)\1{11,}")
_SAME = re.compile(r"\w{0,16}?(\w)\1{40,}")
"""One character without end: the longest that people write are the zeros of a hash."""
_SIGN = re.compile(r"[^\w\s]")
_PARTS = re.compile(r"[,.;&|]")
_LETTER = re.compile(r"[^\W\d_]")

_SEEN_BEFORE_CHARACTERS = 200
"""How much of the caret's line before the caret a loop may have begun in."""

_LONGEST_ROUND_LINES = 12
_LETTERS_OF_A_ROUND = 24
"""A round of several lines that is shorter, as closing brackets are, may come twice."""


_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){3,}")
"""No style has three blank lines in a row."""


def without_loops(candidate: Candidate) -> Candidate:
    """Cut after the first of three equal lines in a row, of two equal groups of lines, of equal stretches of a line."""
    text = _before_equal_lines(_BLANK_LINES.split(candidate.text, 1)[0])
    before = candidate.surroundings.line_before_caret[-_SEEN_BEFORE_CHARACTERS:]
    for pattern in (_LONG, _SHORT):
        text = _before_equal_stretches(before, text, pattern)
    if (found := _SAME.search(text)) is not None:
        text = text[: found.start()]
    return candidate.with_text(text)


def _before_equal_stretches(before: str, text: str, pattern: re.Pattern[str]) -> str:
    """Indentation, rulers and tables of numbers may repeat; what the user repeated may be said once more."""
    for found in pattern.finditer(before + text):
        said = found.end() - max(found.start(), len(before))
        if _LETTER.search(found[1]) and said >= 2 * len(found[1]):
            return (before + text)[: _end_of_the_first(found)][len(before) :]
    return text


def _end_of_the_first(found: re.Match[str]) -> int:
    """Where the first of the equal stretches ends: before the sign that parts it from the next one, as in `a, a, a`.

    Words that are repeated without any sign are no code at all.
    """
    if not _SIGN.search(found[1]):
        return found.start()
    parted = _PARTS.search(found.string, max(found.start() + 1, found.end(1) - 2), found.end())
    return parted.start() if parted else found.end(1)


def _before_equal_lines(text: str) -> str:
    lines = text.split("\n")
    bare = [line.strip() for line in lines]
    for index in range(len(bare)):
        for height in range(1, min(_LONGEST_ROUND_LINES, (len(bare) - index) // 2) + 1):
            if bare[index] and bare[index] == bare[index + height] and _is_a_loop(bare, index, height):
                return "\n".join(lines[: index + height])
    return text


def _is_a_loop(bare: list[str], index: int, height: int) -> bool:
    """Whether the lines from `index` on come again at once."""
    first = bare[index : index + height]
    if first != bare[index + height : index + 2 * height]:
        return False
    if height == 1:
        return len(bare) > index + 2 and bare[index + 2] == first[0]
    letters = sum(map(len, _LETTER.findall("".join(first))))
    return letters >= _LETTERS_OF_A_ROUND or first == bare[index + 2 * height : index + 3 * height]
