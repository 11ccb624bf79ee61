"""What a suggestion may be at a place: the rest of a line, of a statement, or of a block. Decided by the syntax."""

from __future__ import annotations

from enum import Enum

from lsp_server.postprocess.code_lines import CodeLine, opens_a_block
from lsp_server.postprocess.rule import Candidate


class Shape(Enum):
    """How far a suggestion reaches at most."""

    LINE = "line"
    """Text follows on the caret's line: never a block in the middle of a line."""
    STATEMENT = "statement"
    """The caret's line says something: it is finished; where the answer begins with a line end, the next one is."""
    BLOCK = "block"
    """An empty line, an empty body, or a comment that announces code."""


def shape_of(candidate: Candidate, lines: list[CodeLine]) -> Shape:
    """What this suggestion may be; `lines` are its `code_lines`."""
    around = candidate.surroundings
    if around.rest_of_line.strip():
        return Shape.LINE
    if not around.line_before_caret.strip():
        return Shape.BLOCK
    begins_a_line = not candidate.text.split("\n", 1)[0].strip()
    announces = opens_a_block(around, lines[0]) or lines[0].is_comment or lines[0].is_decorator
    return Shape.BLOCK if begins_a_line and announces and not lines[0].begins_in_text else Shape.STATEMENT
