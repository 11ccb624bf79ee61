"""A body is completed, what comes after it is not: the next function is another suggestion."""

from __future__ import annotations

import re

from lsp_server.postprocess.code_lines import CodeLine, code_lines, next_line, opens_a_block
from lsp_server.postprocess.indentation import columns
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.shape import Shape, shape_of
from lsp_server.postprocess.surroundings import Surroundings

_OUTDENTED = re.compile(r"\s*(?:#|(?!case\b|default\b|public\b|private\b|protected\b)\w+:\s*$)")
"""Lines of C and its kin that stand further left than their block: preprocessor lines and labels."""

_GRAMMARS_WITH_OUTDENTED_LINES = ("c", "cpp", "objc", "cuda", "csharp", "glsl", "hlsl")


def until_the_block_ends(candidate: Candidate) -> Candidate:
    """Cut where the block ends that the caret is in or, outside of functions, where the first paragraph does."""
    lines = code_lines(candidate)
    if len(lines) < 2 or shape_of(candidate, lines) is not Shape.BLOCK:
        return candidate
    around = candidate.surroundings
    opens = bool(around.line_before_caret.strip()) and opens_a_block(around, lines[0])
    first = next_line(lines, 1 if around.line_before_caret.strip() else 0)
    if first is None:
        return candidate
    end = _Block(around, lines, first, opens=opens).end()
    return candidate.with_text("\n".join(candidate.text.split("\n")[:end]))


class _Block:
    """The lines of a suggestion from the first one that says something."""

    def __init__(self, around: Surroundings, lines: list[CodeLine], first: int, *, opens: bool) -> None:
        self._around, self._lines, self._first = around, lines, first
        self._width = lines[first].width
        self._header_width = lines[0].width if opens else None
        """Indentation of the caret's line where it opens the block."""
        self._by_bracket = opens and lines[0].depth_behind > lines[0].depth
        self._depth = lines[first].depth
        self._is_for_definitions = self._holds_definitions()
        headers = around.headers(self._width, with_space=True)
        self._closing_width = lines[0].width if opens else columns(headers[0]) if headers else 0
        self._skips_outdented = around.language.grammar in _GRAMMARS_WITH_OUTDENTED_LINES

    def end(self) -> int:
        """The index behind the last line of the block."""
        last, compound = self._first - 1, False
        following: int | None = self._first
        while following is not None:
            line = self._lines[following]
            if self._is_inside(line):
                compound = compound or line.depth > self._depth or line.width > self._width
            elif self._is_beyond(line):
                break
            elif self._ends_with(following):
                return following + 1
            elif following > self._first and self._begins_another(line, following - last > 1, compound):
                break
            else:
                compound = line.is_clause
            last, following = following, next_line(self._lines, following + 1)
        return last + 1

    def _is_inside(self, line: CodeLine) -> bool:
        if line.begins_in_text or line.depth > self._depth:
            return True
        if self._skips_outdented and _OUTDENTED.match(line.code):
            return True
        return line.width > self._width

    def _is_beyond(self, line: CodeLine) -> bool:
        """Whether the block has ended before this line."""
        if line.depth < self._depth:
            return not line.is_clause
        if line.begins_with_a_closer:
            return not self._closes_what_is_open(line)
        if self._header_width is None:
            return line.width < self._width
        if self._by_bracket:
            return line.width < self._header_width
        return line.width < self._header_width or (line.width == self._header_width and not line.is_clause)

    def _ends_with(self, index: int) -> bool:
        """Whether this line is the block's last one."""
        line = self._lines[index]
        if self._closes_what_is_open(line) and line.depth_behind < self._depth:
            following = next_line(self._lines, index + 1)
            return following is None or not self._lines[following].is_clause
        words = line.code.split()
        is_at_the_header = line.width == self._header_width
        return is_at_the_header and bool(words) and words[0] in self._around.language.end_keywords

    def _closes_what_is_open(self, line: CodeLine) -> bool:
        if not line.begins_with_a_closer or not self._around.lacking[line.raw.lstrip()[0]]:
            return False
        return line.width < self._width or line.width <= self._closing_width

    def _begins_another(self, line: CodeLine, after_a_blank_line: bool, compound: bool) -> bool:
        if not self._is_for_definitions or line.is_clause or line.begins_with_a_closer or line.width != self._width:
            return False
        return after_a_blank_line or compound

    def _holds_definitions(self) -> bool:
        if self._header_width is None:
            return self._around.is_for_definitions(self._width)
        return self._around.is_for_definitions(self._header_width, self._lines[0].raw.strip())
