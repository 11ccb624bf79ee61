"""Columns as editors count them, against columns in characters (Python's, one per code point).

LSP counts a column in units of the negotiated encoding: bytes (UTF-8), 16-bit units (UTF-16) or code points (UTF-32).
A column inside a character is moved to its beginning; one past the end of the line to the end of the line.
Lone surrogates are counted as an editor counts U+FFFD, which takes their place on the wire.
"""

from __future__ import annotations

from enum import Enum


class PositionEncoding(Enum):
    """The three encodings of LSP 3.17 and later."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


def units_of(character: str, encoding: PositionEncoding) -> int:
    """How many units one character takes."""
    code = ord(character)
    if encoding is PositionEncoding.UTF32:
        return 1
    if encoding is PositionEncoding.UTF16:
        return 2 if code > 0xFFFF else 1
    return 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)


def to_units(text: str, encoding: PositionEncoding) -> int:
    """The length of `text` in units."""
    if text.isascii() or encoding is PositionEncoding.UTF32:
        return len(text)
    if encoding is PositionEncoding.UTF16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def to_characters(line: str, units: int, encoding: PositionEncoding) -> int:
    """The column in characters of the position `units` into `line` (given without its line end)."""
    if units <= 0:
        return 0
    if line.isascii() or encoding is PositionEncoding.UTF32:
        return min(units, len(line))
    passed = 0
    for index, character in enumerate(line):
        passed += units_of(character, encoding)
        if passed > units:
            return index
    return len(line)
