"""Indentation of lines, and what a file uses for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

TAB_COLUMNS = 4
"""How wide a tab is taken to be where tabs and spaces meet."""

_UNITS = (2, 3, 4, 8)
"""Columns that a level may have; other steps are alignment."""

_CERTAIN_STEPS = 3


def leading(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def columns(line: str) -> int:
    """How far a line is indented."""
    space = leading(line)
    return len(space.expandtabs(TAB_COLUMNS)) if "\t" in space else len(space)


@dataclass(frozen=True, slots=True)
class IndentationStyle:
    """What one level of a file's indentation is."""

    tabs: bool
    unit: int
    """Columns of one level."""
    is_certain: bool = False
    """Whether the file says so often enough to correct others by it."""

    def of(self, width: int) -> str:
        """White space that is `width` columns wide; what is no whole level is alignment, and made of spaces."""
        if not self.tabs:
            return " " * width
        return "\t" * (width // self.unit) + " " * (width % self.unit)


def style_of(lines: Iterable[str]) -> IndentationStyle | None:
    """What most of these lines use; `None` where they tell nothing."""
    tabs = spaces = 0
    steps: Counter[int] = Counter()
    before = 0
    for line in lines:
        if not line.strip():
            continue
        space = leading(line)
        tabs, spaces = tabs + ("\t" in space), spaces + space.startswith(" ")
        width = columns(line)
        if width > before:
            steps[width - before] += 1
        before = width
    if tabs > spaces:
        return IndentationStyle(tabs=True, unit=TAB_COLUMNS)
    likely = [step for step in steps.most_common() if step[0] in _UNITS]
    if not spaces or not likely:
        return None
    (unit, times), others = likely[0], sum(count for _, count in likely[1:])
    return IndentationStyle(tabs=False, unit=unit, is_certain=times >= _CERTAIN_STEPS and times > 2 * others)
