"""The suggestion ends where the lines below the caret begin."""

from __future__ import annotations

from lsp_server.postprocess.indentation import TAB_COLUMNS, columns
from lsp_server.postprocess.rule import Candidate

_FEWEST_LETTERS = 3
"""A line with fewer letters and digits stands anywhere in code."""
_LATER_LINES = 5
"""How far below the caret an answer may take up what is there."""


def before_the_next_lines(candidate: Candidate) -> Candidate:
    """Cut what the document says next anyway."""
    following = candidate.surroundings.following
    if not following or candidate.surroundings.rest_of_line.strip():
        return candidate
    lines = candidate.text.split("\n")
    unit = candidate.surroundings.style.unit if candidate.surroundings.style else TAB_COLUMNS
    same = next((index for index in range(1, len(lines)) if _arrives(lines, index, following, unit)), None)
    return candidate if same is None else candidate.with_text("\n".join(lines[:same]))


def _arrives(lines: list[str], index: int, following: tuple[str, ...], unit: int) -> bool:
    """Whether from this line on the suggestion says what the document says: its next line, or two of the later ones."""
    if _are_alike(lines[index], following[0], unit):
        return True
    others = [line for line in lines[index : index + 4] if line.strip()][:2]
    if len(others) < 2 or not all(map(_says_something, others)):
        return False
    later = range(1, min(_LATER_LINES, len(following) - 1))
    return any(all(_are_alike(*pair, unit) for pair in zip(others, following[place:], strict=False)) for place in later)


def _are_alike(said: str, there: str, unit: int) -> bool:
    """Whether two lines are the same, or one of them is off by less than a level of indentation."""
    if said.rstrip() == there:
        return True
    return _says_something(there) and said.strip() == there.strip() and abs(columns(said) - columns(there)) < unit


def _says_something(line: str) -> bool:
    return sum(map(str.isalnum, line)) >= _FEWEST_LETTERS
