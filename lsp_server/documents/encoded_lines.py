"""Lines as tree-sitter reads them: every character takes two bytes, every line of ours is a row of the tree.

So a byte of the tree is twice an offset of ours, whatever the text holds, and nothing needs to be counted or converted.
Characters that take more in UTF-16, and those that no grammar knows, are read as others in their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from tree_sitter import Tree

from lsp_server.documents.text_lines import Edit, Place

ENCODING: Final = "utf16le"
BYTES_PER_CHARACTER = 2

_CHUNK_CHARACTERS = 2048
"""Read at a time: an edit costs one or two chunks, a whole file some hundred. No line is copied as a whole."""

_UNREADABLE = re.compile("[\0\ud800-\udfff\U00010000-\U0010ffff]")


def reader(lines: Sequence[str]) -> Callable[[int, tuple[int, int]], bytes]:
    """The function from which a parser reads `lines`."""

    def read(_: int, point: tuple[int, int]) -> bytes:
        row, column = point[0], point[1] // BYTES_PER_CHARACTER
        parts, room = [], _CHUNK_CHARACTERS
        while row < len(lines) and room > 0:
            parts.append(_readable(lines[row], column, column + room))
            room -= len(parts[-1])
            row, column = row + 1, 0
        return "".join(parts).encode("utf-16-le")

    return read


def _readable(line: str, start: int, end: int) -> str:
    """A part of a line, as long as it is. A CR that ends a line by itself is read as LF: it must end a row, too."""
    part = line[start:end]
    if not part.isascii() or "\0" in part:
        part = _UNREADABLE.sub(_stand_in, part)
    if part.endswith("\r") and end >= len(line):
        part = part[:-1] + "\n"
    return part


def _stand_in(found: re.Match[str]) -> str:
    """A letter for a letter, so that an identifier stays one."""
    return "ª" if f"a{found[0]}".isidentifier() else "\ufffd"


def edit_tree(tree: Tree, edit: Edit) -> None:
    """Tell a tree what was edited: the nodes behind it move, those around it will be parsed again.

    A character of white space is put in before the edit's end, and the next one taken out. Grammars that live on
    indentation end lines and blocks with tokens of no length. Where these are gone, tree-sitter 0.26 compares the node
    that comes next with them in mind, finds that it does not fit and reads the rest of the file again. Displaced by one
    character the node is compared later, when the new tokens are there.
    """
    _tell(tree, (edit.start_offset, edit.old_end_offset, edit.new_end_offset), (edit.start, edit.old_end, edit.new_end))
    if edit.gap is not None:
        offset, start, second = edit.gap.offset, edit.gap.start, edit.gap.second
        lines = second[0] - start[0]
        third = (second[0] + 1, 0) if lines else (second[0], second[1] + 1)
        _tell(tree, (offset, offset, offset + 1), (start, start, second))
        _tell(tree, (offset + 1, offset + 2, offset + 1), (second, third, second))


def _tell(tree: Tree, offsets: tuple[int, int, int], places: tuple[Place, Place, Place]) -> None:
    """Offsets and places of start, old end and new end."""
    start, old_end, new_end = (BYTES_PER_CHARACTER * offset for offset in offsets)
    tree.edit(start, old_end, new_end, *map(_point, places))


def _point(place: Place) -> Place:
    return place[0], BYTES_PER_CHARACTER * place[1]
