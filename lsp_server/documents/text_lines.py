"""The text of an open document as a list of lines, so that one keystroke costs one line and not the whole file.

Lines end where LSP says that they end: at LF, CR LF and CR, nowhere else (Python's `splitlines` also breaks at form
feed and U+2028, which shifts every later position). Each line keeps its own line end, so joining them gives the text
back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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

    def clamp(self, line: int, column: int) -> tuple[int, int]:
        """The nearest position that exists: past the last line is the end of the text."""
        if line < 0:
            return 0, 0
        if line >= len(self._lines):
            return len(self._lines) - 1, len(self.line(len(self._lines) - 1))
        return line, max(0, min(column, len(self.line(line))))

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Put `text` where `start:end` was; a range given backwards is turned round."""
        start, end = sorted((self.clamp(*start), self.clamp(*end)))
        first, last = start[0], end[0] + 1
        head, tail = self._lines[first][: start[1]], self._lines[end[0]][end[1] :]
        if first > 0 and self._lines[first - 1].endswith("\r"):
            # A bare CR before the edit and an LF at its beginning become one line end.
            first -= 1
            head = self._lines[first] + head
        at_the_end = last == len(self._lines)
        fresh = split_lines(head + text + tail)
        if not at_the_end and fresh[-1] == "":
            fresh.pop()
        self._lines[first:last] = fresh
