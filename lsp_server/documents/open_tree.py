"""The syntax tree of one open document: each edit changes it, none makes it anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tree_sitter import Tree

from lsp_server.documents.languages import grammar_of
from lsp_server.documents.parsing import Parse, with_edits
from lsp_server.documents.syntax import LONGEST_TEXT_CHARACTERS, Syntax
from lsp_server.documents.text_lines import Edit, TextLines


class LateSyntax:
    """The tree of one text from the moment on when somebody has made it."""

    def __init__(self, make: Callable[[], Syntax | None] | None = None) -> None:
        self._syntax: Syntax | None = None
        self._make = make

    @classmethod
    def of(cls, syntax: Syntax | None) -> LateSyntax:
        """One that is there."""
        late = cls()
        late.set(syntax)
        return late

    def set(self, syntax: Syntax | None) -> None:
        """Here it is."""
        self._syntax, self._make = syntax, None

    def get(self) -> Syntax | None:
        """The tree, made now where somebody said how; `None` when there is none yet, or will be none."""
        if self._make is not None:
            self.set(self._make())
        return self._syntax


class OpenTree:
    """Holds the last tree, the edits since, and the parse that works on them.

    A parse that has begun is finished even when the text has changed meanwhile: the next one is fast then.
    """

    def __init__(self, language_id: str, path: str | None, lines: TextLines) -> None:
        self._grammar = grammar_of(language_id, path)
        self._tree: Tree | None = None
        self._edits: list[Edit] = []
        """Since the text of the last parse that has begun."""
        self._parse: Parse | None = None
        self._of_the_parse: tuple[Sequence[str], LateSyntax] = ((), LateSyntax())
        self._lines = lines
        self._characters = sum(map(len, lines))
        self._is_parsed = False
        self.is_taken_on = False
        """Whether somebody has promised to go on with the work."""
        self.late = LateSyntax()
        """Gets the tree of the text as it is."""

    def changed(self, edits: Sequence[Edit]) -> None:
        """The lines were edited."""
        self._edits += edits
        self._characters += sum(edit.inserted_characters - edit.removed_characters for edit in edits)
        self._is_parsed = False
        self.late = LateSyntax()

    def work(self, limit_ms: float) -> bool:
        """Parse for a while. Returns whether there is more to do."""
        ends_s = time.perf_counter() + limit_ms / 1000
        while self._grammar is not None and not (self._is_parsed and self._parse is None):
            parse = self._parse or self._begun(self._grammar)
            if parse is None:
                return False
            tree = parse.go_on(max(0.0, ends_s - time.perf_counter()) * 1000)
            if tree is not None:
                self._finished(self._grammar, tree)
            elif parse.is_hopeless:
                self._grammar = self._tree = self._parse = None
            else:
                return True
        return False

    def _begun(self, grammar: str) -> Parse | None:
        """A parse of the text as it is; none of a text that is too large."""
        self._is_parsed = True
        if self._characters > LONGEST_TEXT_CHARACTERS:
            self._tree = None
            self._edits.clear()
            return None
        old = with_edits(self._tree, self._edits) if self._tree is not None else None
        self._edits.clear()
        lines = self._lines.frozen()
        self._of_the_parse = lines, self.late
        self._parse = Parse(grammar, lines, old)
        return self._parse

    def _finished(self, grammar: str, tree: Tree) -> None:
        lines, late = self._of_the_parse
        late.set(Syntax(grammar, lines, tree))
        self._tree, self._parse = tree, None
