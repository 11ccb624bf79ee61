"""Ending an answer while it comes: what no rule would leave of it need not be generated.

The rules are those of the pipeline. They look at whole lines, because half a line may still become anything, and at the
beginning of the last one, because its indentation tells whether the block has ended.
"""

from __future__ import annotations

import re

from lsp_server.context.window import unix
from lsp_server.postprocess.pipeline import ON_THE_STREAM
from lsp_server.postprocess.rule import Candidate, Rule
from lsp_server.postprocess.until_the_block_ends import until_the_block_ends
from lsp_server.postprocess.until_the_statement_ends import until_the_statement_ends
from lsp_server.postprocess.with_the_files_indentation import with_the_files_indentation
from lsp_server.postprocess.within_the_brackets import within_the_brackets
from lsp_server.postprocess.within_the_length_limit import within_the_length_limit
from lsp_server.postprocess.within_the_line_limit import LONGEST_LINE_CHARACTERS, within_the_line_limit
from lsp_server.postprocess.without_loops import without_loops

_BEGINNING = re.compile(r"[ \t]*(?:\w+[^\w\n]|[^\w\s])")
"""As much of a line as tells what it is: `els` may become `else` or `elsewhere`."""

_OF_A_BEGINNING = (with_the_files_indentation, until_the_statement_ends, until_the_block_ends, within_the_brackets)
_ALLOW_NO_FURTHER_LINE = (within_the_length_limit, within_the_line_limit, without_loops)
"""Rules that have spoken even where they cut nothing but line ends."""
_SHARE = 12
"""Answers with more lines than this are looked at when they have grown by such a share."""
_LOOKED_AT_EVERY_CHARACTERS = 48
"""How often a line that does not end is searched for loops."""


class StreamedAnswer:
    """Fed with pieces, says when there were enough. One object an answer."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate.with_text("")
        self._whole_lines = ""
        self._last_line = ""
        self._lines = 0
        self._due_lines = 1
        self._is_watched = False
        self._looked_at_beginning = False
        self._looked_at_characters = 0

    def feed(self, piece: str) -> bool:
        """Take the next piece; whether the suggestion is complete, so that nothing more needs to be generated."""
        before, newline, last = piece.rpartition("\n")
        if newline:
            self._whole_lines += self._last_line + before + newline
            self._last_line, self._looked_at_beginning, self._looked_at_characters = last, False, 0
            if self._lines_are_due(newlines=piece.count("\n")) and self._has_ended(self._whole_lines, ON_THE_STREAM):
                return True
        else:
            self._last_line += last
        return self._has_ended_in_the_last_line()

    def _lines_are_due(self, newlines: int) -> bool:
        """Whether the lines are looked at: each of the first ones, then ever more seldom: the work stays linear."""
        self._lines += newlines
        self._is_watched = self._lines >= self._due_lines
        if self._is_watched:
            self._due_lines = self._lines + max(1, self._lines // _SHARE)
        return self._is_watched

    def _has_ended_in_the_last_line(self) -> bool:
        if len(self._last_line) > LONGEST_LINE_CHARACTERS:
            return True
        if self._is_watched and not self._looked_at_beginning and _BEGINNING.match(self._last_line):
            self._looked_at_beginning = True
            if self._has_ended(self._whole_lines + self._last_line, _OF_A_BEGINNING):
                return True
        if len(self._last_line) - self._looked_at_characters < _LOOKED_AT_EVERY_CHARACTERS:
            return False
        self._looked_at_characters = len(self._last_line)
        return self._has_ended(self._last_line, (without_loops,))

    def _has_ended(self, text: str, rules: tuple[Rule, ...]) -> bool:
        """Whether a rule cuts something that was said, or allows no further line."""
        candidate = self._candidate.with_text(unix(text))
        for rule in rules:
            before, candidate = candidate, rule(candidate)
            if rule in _ALLOW_NO_FURTHER_LINE and candidate.text != before.text:
                return True
            if rule is not with_the_files_indentation and len(candidate.text.rstrip()) < len(before.text.rstrip()):
                return True
        return False
