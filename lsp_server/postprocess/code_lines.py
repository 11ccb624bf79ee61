"""A suggestion by lines, the caret's line as it would be among them, with what rules ask of each line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lsp_server.documents.languages import BlockStyle
from lsp_server.postprocess.brackets import BRACKET, CLOSERS, OPENERS
from lsp_server.postprocess.indentation import columns
from lsp_server.postprocess.lexis import FILLER, QUOTES, bare, masked
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.surroundings import Surroundings

_CLAUSES = ("else", "elif", "elsif", "elseif", "except", "finally", "catch", "rescue", "ensure")
"""What continues a statement whose block is done, at the statement's own indentation."""

_DECORATOR = re.compile(r"\s*(?:@\w|#!?\[|\[\w+\S*\]$|template\s*<)")
"""What belongs to the next line: decorators, annotations, attributes."""

_OPENER = re.compile(r"(?:[{:]|=>|->|\b(?:do|then|else|begin|try|of|where|loop)|\bdo\s*\|[^|]*\|)$")
_KEYWORD_HEADER = re.compile(
    r"\s*(?:(?:local|private|public|async)\s+)?"
    r"(?:def|class|module|if|unless|while|until|for|case|function|sub|struct|macro|foreach|repeat)\b"
)
"""What begins a block where blocks end with a keyword and nothing marks their beginning."""

_UNFINISHED = re.compile(r"(?:\\|[-+*/%|&=?.,]|\b(?:and|or|not|in|instanceof|extends|implements))$")
_FINISHED = re.compile(r"(?:\+\+|--|->|=>)$")


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line."""

    raw: str
    code: str
    """Masked, without comment or space at its end."""
    width: int
    """Columns of indentation."""
    begins_in_text: bool
    """Whether its beginning lies in a string or comment."""
    depth: int
    """Brackets that are open at its beginning: of the lines before, and those that the document does not close."""
    depth_behind: int
    """The same at its end."""
    is_clause: bool
    """Whether it continues a statement: `else` and the like, and what ends a block where keywords do."""

    @property
    def is_blank(self) -> bool:
        """Whether it is white space."""
        return not self.raw.strip()

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment and nothing else."""
        return not self.is_blank and not self.begins_in_text and not self.code.strip()

    @property
    def is_decorator(self) -> bool:
        """Whether it says something about the next line."""
        return bool(_DECORATOR.match(self.code)) and self.depth == self.depth_behind

    @property
    def begins_with_a_closer(self) -> bool:
        """`}`, `)` and `]`."""
        return self.raw.lstrip()[:1] in tuple(CLOSERS)

    @property
    def is_unfinished(self) -> bool:
        """Whether it ends with an operator."""
        return bool(_UNFINISHED.search(self.code)) and not _FINISHED.search(self.code)


def code_lines(candidate: Candidate) -> list[CodeLine]:
    """The lines of a suggestion; the first one with what stands before the caret."""
    return list(_code_lines(candidate.text, candidate.surroundings))


@lru_cache(maxsize=2)
def _code_lines(text: str, around: Surroundings) -> tuple[CodeLine, ...]:
    """Several rules in a row ask for the same."""
    whole = around.line_before_caret + text
    opened = around.opened_at_line_start
    code = masked(whole, around.snapshot.language_id, opened).text.split("\n")
    clause = _clause(around.language.end_keywords)
    lines, depth = [], around.depth
    for index, raw in enumerate(whole.split("\n")):
        behind = _depth_behind(code[index], depth)
        in_text = code[index].startswith(FILLER) or (index == 0 and opened in QUOTES)
        is_clause = bool(clause.match(code[index]))
        lines.append(CodeLine(raw, bare(code[index]), columns(raw), in_text, depth, behind, is_clause))
        depth = behind
    return tuple(lines)


@lru_cache(maxsize=64)
def _clause(end_keywords: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(map(re.escape, (*_CLAUSES, *(word for word in end_keywords if word[-1].isalpha()))))
    return re.compile(rf"[}}\s]*(?:{words})\b(?!\s*(?:[.:]?=|\.))|\s*(?:\}}\s*while\b|</)")


def _depth_behind(code: str, depth: int) -> int:
    """Brackets that are open behind a line; what it closes beyond those that were counted is a block around it."""
    for character in BRACKET.findall(code):
        if character in OPENERS:
            depth += 1
        elif character in CLOSERS and depth > 0:
            depth -= 1
    return depth


def next_line(lines: list[CodeLine], index: int) -> int | None:
    """The first line from `index` on that is not blank."""
    return next((place for place in range(index, len(lines)) if not lines[place].is_blank), None)


def opens_a_block(around: Surroundings, line: CodeLine) -> bool:
    """Whether what follows this line belongs into a block of its own."""
    if _OPENER.search(line.code):
        return not (line.code.endswith(":") and around.language.blocks is BlockStyle.NONE)
    return around.language.blocks is BlockStyle.KEYWORDS and bool(_KEYWORD_HEADER.match(line.code))
