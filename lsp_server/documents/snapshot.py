"""One document as it was when a request came in: frozen, so that nothing needs a lock while the model runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from lsp_server.documents.editor_facts import EditorFacts
from lsp_server.documents.open_tree import LateSyntax
from lsp_server.documents.positions import PositionEncoding, to_units
from lsp_server.documents.syntax import Syntax
from lsp_server.documents.text_lines import TextLines, without_end


@dataclass(frozen=True)
class DocumentSnapshot:
    """Text and caret of one document at one version. Lines and columns are 0-based, columns count characters."""

    uri: str
    path: str | None
    """Path relative to its workspace folder with `/`, the file name outside of one, `None` for untitled documents."""
    language_id: str
    version: int
    lines: tuple[str, ...]
    """Each with its line end."""
    caret_line: int
    caret_column: int
    editor: EditorFacts = field(default_factory=EditorFacts)
    late_syntax: LateSyntax = field(default_factory=LateSyntax, compare=False, repr=False)
    """See `syntax`."""

    @property
    def syntax(self) -> Syntax | None:
        """The tree of this very text; `None` where there is no grammar, or no tree yet."""
        return self.late_syntax.get()

    @cached_property
    def size_characters(self) -> int:
        """Length of the text."""
        return sum(map(len, self.lines))

    def is_larger_than(self, limit_bytes: int) -> bool:
        """Whether the text takes more than `limit_bytes` in UTF-8; counted only where the length does not tell."""
        if not limit_bytes // 4 < self.size_characters <= limit_bytes:
            return self.size_characters > limit_bytes
        return sum(to_units(line, PositionEncoding.UTF8) for line in self.lines) > limit_bytes

    def with_replaced(self, start: tuple[int, int], end: tuple[int, int], text: str) -> DocumentSnapshot:
        """The document as it would be with `text` in place of `start:end` and the caret after it."""
        lines = TextLines.of(self.lines)
        edit = lines.replace(start, end, text)
        frozen = lines.frozen()
        before, newline, last = text.rpartition("\n")
        line = start[0] + (before + newline).count("\n")
        column = len(last) if newline else start[1] + len(last)
        late = LateSyntax(lambda: self.syntax.edited([edit], frozen) if self.syntax else None)
        return replace(self, lines=frozen, caret_line=line, caret_column=column, late_syntax=late)

    def offset_at(self, line: int, column: int) -> int:
        """Offset of a place into the text, in characters."""
        return sum(map(len, self.lines[:line])) + column

    @cached_property
    def caret_offset(self) -> int:
        """Offset of the caret into the text, in characters."""
        return self.offset_at(self.caret_line, self.caret_column)

    @property
    def line_before_caret(self) -> str:
        """The caret's line up to the caret."""
        return self.lines[self.caret_line][: self.caret_column]

    @property
    def line_after_caret(self) -> str:
        """The rest of the caret's line, without its line end."""
        return without_end(self.lines[self.caret_line])[self.caret_column :]

    @property
    def line_end(self) -> str:
        """The line end that this file uses: that of its first line, LF where it has only one line."""
        first = self.lines[0]
        return first[len(without_end(first)) :] or "\n"
