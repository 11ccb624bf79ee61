"""The syntax tree of one text, for rules that ask where the caret stands and whether a suggestion breaks the code.

Offsets are characters of the whole document, as everywhere. Trees are not changed once they are handed out: an edit
makes another one, which shares all that the edit left alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from tree_sitter import Node, Tree, TreeCursor

from lsp_server.documents.encoded_lines import BYTES_PER_CHARACTER
from lsp_server.documents.languages import grammar_of
from lsp_server.documents.parsing import parsed, parsed_again
from lsp_server.documents.scopes import Scope, scope_of
from lsp_server.documents.text_lines import Edit, TextLines

LONGEST_TEXT_CHARACTERS = 2_000_000
"""Larger texts get no tree: at 5-8 million characters a second a first parse would take longer than it is of use, and
a tree takes about ten times the memory of its text."""


class Syntax:
    """The tree of one text, and the text. Nodes are tree-sitter's own; `start_of` and `end_of` give their offsets."""

    def __init__(self, grammar: str, lines: Sequence[str], tree: Tree) -> None:
        self.grammar = grammar
        self.lines = tuple(lines)
        self._tree = tree

    @property
    def root(self) -> Node:
        """The node of the whole document."""
        return self._tree.root_node

    # ---- places

    @staticmethod
    def start_of(node: Node) -> int:
        """Offset of a node's first character."""
        return node.start_byte // BYTES_PER_CHARACTER

    @staticmethod
    def end_of(node: Node) -> int:
        """Offset behind a node's last character."""
        return node.end_byte // BYTES_PER_CHARACTER

    def place_of(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        offset = max(0, min(offset, self._line_starts[-1]))
        line = min(bisect_right(self._line_starts, offset) - 1, len(self.lines) - 1)
        return line, offset - self._line_starts[line]

    def text_between(self, start_offset: int, end_offset: int) -> str:
        """A part of the text, as it stands in the document."""
        (first, column), (last, _) = self.place_of(start_offset), self.place_of(end_offset)
        return "".join(self.lines[first : last + 1])[column : column + max(0, end_offset - start_offset)]

    @cached_property
    def _line_starts(self) -> list[int]:
        """Offset of each line, and of the end of the text."""
        return list(accumulate(map(len, self.lines), initial=0))

    # ---- what stands where

    def node_at(self, offset: int) -> Node:
        """The innermost node around a caret; of two that meet there, the one that begins."""
        byte = offset * BYTES_PER_CHARACTER
        return self.root.descendant_for_byte_range(byte, byte) or self.root

    def nodes_at(self, offset: int) -> list[Node]:
        """`node_at` and all nodes around it, innermost first."""
        innermost, path = self.node_at(offset), [self.root]
        while path[-1] != innermost:
            # From above: tree-sitter finds a parent by going down from the root each time.
            child = path[-1].child_with_descendant(innermost)
            if child is None:
                break
            path.append(child)
        return path[::-1]

    def node_types_at(self, offset: int) -> tuple[str, ...]:
        """Their types."""
        return tuple(node.type for node in self.nodes_at(offset))

    def scope_at(self, offset: int) -> Scope:
        """What a caret stands in."""
        return scope_of(self, offset)

    # ---- errors

    def errors(self) -> int:
        """How many nodes are errors or missing."""
        return self.errors_within(0, self._line_starts[-1])

    def errors_within(self, start_offset: int, end_offset: int) -> int:
        """How many of the nodes that touch a part of the text are errors or missing."""
        return sum(1 for _ in self.error_nodes(start_offset, end_offset))

    def error_nodes(self, start_offset: int, end_offset: int) -> Iterator[Node]:
        """These nodes, from left to right. Only what contains an error is looked at."""
        first_byte, last_byte = start_offset * BYTES_PER_CHARACTER, end_offset * BYTES_PER_CHARACTER
        cursor = self.root.walk()
        going_down = True
        while True:
            node = cursor.node
            assert node is not None
            if going_down and node.start_byte <= last_byte:
                if (node.is_error or node.is_missing) and node.end_byte >= first_byte:
                    yield node
                if node.has_error and _go_down(cursor, first_byte):
                    continue
            beyond = node.start_byte > last_byte
            if not beyond and cursor.goto_next_sibling():
                going_down = True
            elif cursor.goto_parent():
                going_down = False
            else:
                return

    # ---- other texts

    def edited(self, edits: Sequence[Edit], lines: Sequence[str]) -> Syntax | None:
        """The tree after `edits`, each of what the ones before it left; `lines` is the text after all of them.

        `None` when that would take too long.
        """
        return _syntax(self.grammar, lines, parsed_again(self.grammar, lines, self._tree, edits))

    def with_replaced(self, start_offset: int, end_offset: int, text: str) -> Syntax | None:
        """The tree of the document as if `text` stood in place of `start_offset:end_offset`.

        `None` when that would take too long.
        """
        lines = TextLines.of(self.lines)
        edit = lines.replace(self.place_of(start_offset), self.place_of(end_offset), text)
        return self.edited([edit], lines.frozen())


def parse(language_id: str, path: str | None, lines: Sequence[str]) -> Syntax | None:
    """The tree of a text; `None` where there is no grammar, or the text is too large or takes too long."""
    grammar = grammar_of(language_id, path)
    if grammar is None or sum(map(len, lines)) > LONGEST_TEXT_CHARACTERS:
        return None
    return _syntax(grammar, lines, parsed(grammar, lines))


def _go_down(cursor: TreeCursor, byte: int) -> bool:
    """Whether there is a child that ends at a byte or later, to which the cursor has gone; the first one."""
    if byte <= 0:
        return cursor.goto_first_child()  # the other call passes over what has no length at the very beginning
    return cursor.goto_first_child_for_byte(byte - 1) is not None


def _syntax(grammar: str, lines: Sequence[str], tree: Tree | None) -> Syntax | None:
    return Syntax(grammar, lines, tree) if tree is not None else None
