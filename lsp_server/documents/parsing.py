"""Parsing by slices: a long parse must not keep the server from answering, and an edit must not begin it anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

from tree_sitter import Parser, Tree

from lsp_server.documents.encoded_lines import ENCODING, edit_tree, reader
from lsp_server.documents.text_lines import Edit

PARSE_LIMIT_MS = 2000
"""A parse that works longer is given up. Files of two million characters take 0.4 s; what a grammar cannot make sense
of may take far more than its length."""

EDIT_LIMIT_MS = 100
"""Nobody is answered meanwhile, so it must be short. In files of 10,000 lines it takes 1 to 60 ms."""


class Parse:
    """One parse of one text, old tree and all."""

    def __init__(self, grammar: str, lines: Sequence[str], old: Tree | None = None) -> None:
        from tree_sitter_language_pack import get_language  # 60 ms: not before `initialize` is answered

        self._parser = Parser(get_language(cast(Any, grammar)))
        self._read = reader(lines)
        self._old = old
        self._ends_s = 0.0
        self.worked_ms = 0.0

    @property
    def is_hopeless(self) -> bool:
        """Whether it has taken longer than any parse should."""
        return self.worked_ms > PARSE_LIMIT_MS

    def go_on(self, limit_ms: float) -> Tree | None:
        """The tree, or `None` when it is not there after a while; call it again to go on."""
        began_s = time.perf_counter()
        self._ends_s = began_s + limit_ms / 1000
        try:
            if self._old is None:
                return self._parser.parse(self._read, encoding=ENCODING, progress_callback=self._is_over)
            return self._parser.parse(self._read, self._old, ENCODING, self._is_over)
        except ValueError:  # how the binding says that the callback stopped it; the parser knows where it was
            return None
        finally:
            self.worked_ms += (time.perf_counter() - began_s) * 1000

    def _is_over(self, _offset: int, _has_error: bool) -> bool:
        return time.perf_counter() > self._ends_s


def parsed(grammar: str, lines: Sequence[str]) -> Tree | None:
    """The tree of a text at once; `None` when that would take longer than `PARSE_LIMIT_MS`."""
    return Parse(grammar, lines).go_on(PARSE_LIMIT_MS)


def parsed_again(grammar: str, lines: Sequence[str], old: Tree, edits: Sequence[Edit]) -> Tree | None:
    """The tree after some edits at once; `None` when that would take longer than `EDIT_LIMIT_MS`."""
    return Parse(grammar, lines, with_edits(old, edits)).go_on(EDIT_LIMIT_MS)


def with_edits(tree: Tree, edits: Sequence[Edit]) -> Tree:
    """A copy of a tree that knows what was edited, to be parsed again."""
    tree = tree.copy()
    for edit in edits:
        edit_tree(tree, edit)
    return tree
