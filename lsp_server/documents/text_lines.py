"""The text of an open document as a list of lines, so that one keystroke costs one line and not the whole file.

Lines end where LSP says that they end: at LF, CR LF and CR, nowhere else (Python's `splitlines` also breaks at form
feed and U+2028, which shifts every later position). Each line keeps its own line end, so joining them gives the text
back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split_lines(text: str) -> list[str]:
    """The lines with their ends; the last one has none, and is empty where the text ends with a line end."""
    lines = _LINE.findall(text)
    if not lines or lines[-1][-1] in "\r\n":
        lines.append("")
    return lines


def without_end(line: str) -> str:
    """The line without its line end."""
    return line.rstrip("\r\n")


Place = tuple[int, int]
"""Line and column in characters, both 0-based."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Where the white space before a place begins, line ends included; where there is none, the place itself."""

    offset: int
    start: Place
    second: Place
    """Behind its first character."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replaced stretch, as offsets and as places (line, column), all in characters.

    It begins one character earlier than what was asked for where that is a CR: whether it ends a line may have changed.
    """

    start_offset: int
    old_end_offset: int
    new_end_offset: int
    start: Place
    old_end: Place
    """In the text before the edit."""
    new_end: Place
    """In the text after it."""
    gap: Gap | None
    """The white space in which it ends; `None` at the end of the text."""
    only_deletes: bool
    """Whether nothing took the place of what was there."""

    @property
    def removed_characters(self) -> int:
        """Length of what was replaced."""
        return self.old_end_offset - self.start_offset

    @property
    def inserted_characters(self) -> int:
        """Length of what took its place."""
        return self.new_end_offset - self.start_offset


class TextLines:
    """Mutable lines; positions are (line, column in characters), both 0-based and clamped to the text."""

    def __init__(self, text: str = "") -> None:
        self._lines = split_lines(text)

    @classmethod
    def of(cls, lines: Iterable[str]) -> TextLines:
        """Lines that were split before."""
        made = cls()
        made._lines = list(lines)
        return made

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def line(self, index: int) -> str:
        """One line without its end; empty past the end of the text."""
        return without_end(self._lines[index]) if 0 <= index < len(self._lines) else ""

    def frozen(self) -> tuple[str, ...]:
        """The lines as they are at this moment."""
        return tuple(self._lines)

    def clamp(self, line: int, column: int) -> Place:
        """The nearest position that exists: past the last line is the end of the text."""
        if line < 0:
            return 0, 0
        if line >= len(self._lines):
            return len(self._lines) - 1, len(self.line(len(self._lines) - 1))
        return line, max(0, min(column, len(self.line(line))))

    def replace(self, start: Place, end: Place, text: str) -> Edit:
        """Put `text` where `start:end` was; a range given backwards is turned round. Returns what was done."""
        start, end = sorted((self.clamp(*start), self.clamp(*end)))
        only_deletes = start != end and not text
        before = self._lines[start[0] - 1] if start[0] > 0 else ""
        if start[1] == 0 and before.endswith("\r"):
            # A bare CR before the edit and an LF at its beginning become one line end.
            start, text = (start[0] - 1, len(before) - 1), "\r" + text
        offset = sum(map(len, islice(self._lines, start[0]))) + start[1]
        removed_characters = sum(map(len, self._lines[start[0] : end[0]])) + end[1] - start[1]
        head, tail = self._lines[start[0]][: start[1]], self._lines[end[0]][end[1] :]
        fresh = split_lines(head + text + tail)
        new_line, new_column = _place_in(fresh, len(head) + len(text))
        at_the_end = end[0] + 1 == len(self._lines)
        if not at_the_end and fresh[-1] == "":
            fresh.pop()
        self._lines[start[0] : end[0] + 1] = fresh
        new_end = (start[0] + new_line, new_column)
        old_end, new_end_offset = offset + removed_characters, offset + len(text)
        gap = _gap(self._lines, *new_end, new_end_offset)
        return Edit(offset, old_end, new_end_offset, start, end, new_end, gap, only_deletes)

    def become(self, text: str) -> Edit:
        """Take over all of another text, as one edit of the lines that differ."""
        old, new = self._lines, split_lines(text)
        least = min(len(old), len(new)) - 1
        same = next((index for index in range(least) if old[index] != new[index]), least)
        kept = next((back for back in range(least - same) if old[-1 - back] != new[-1 - back]), least - same)
        offset = sum(map(len, islice(old, same)))
        old_end, new_end = _end_before(old, kept), _end_before(new, kept)
        removed, inserted = (sum(map(len, lines[same : len(lines) - kept])) for lines in (old, new))
        self._lines = new
        gap, only_deletes = _gap(new, *new_end, offset + inserted), removed > 0 and inserted == 0
        return Edit(offset, offset + removed, offset + inserted, (same, 0), old_end, new_end, gap, only_deletes)


def _place_in(lines: Sequence[str], offset: int) -> Place:
    """Line and column of an offset into a few lines."""
    index = 0
    while index < len(lines) - 1 and offset >= len(lines[index]):
        offset -= len(lines[index])
        index += 1
    return index, offset


def _gap(lines: Sequence[str], line: int, column: int, offset: int) -> Gap | None:
    """The gap before a place, which is given as both line and column and offset."""
    code = lines[line][:column].rstrip()
    while not code and line > 0:
        line, offset, column = line - 1, offset - column, len(lines[line - 1])
        code = lines[line].rstrip()
    start, offset = (line, len(code)), offset - column + len(code)
    if start == (len(lines) - 1, len(lines[-1])):
        return None
    is_last = len(code) == len(lines[line]) - 1 and line < len(lines) - 1
    return Gap(offset, start, (line + 1, 0) if is_last else (line, len(code) + 1))


def _end_before(lines: Sequence[str], kept: int) -> Place:
    """Where the lines before the last `kept` ones end."""
    return (len(lines) - kept, 0) if kept else (len(lines) - 1, len(lines[-1]))
