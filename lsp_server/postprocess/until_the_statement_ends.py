"""Where the caret's line says something already, the suggestion ends with the statement, however many lines it has."""

from __future__ import annotations

from lsp_server.documents.languages import BlockStyle
from lsp_server.postprocess.code_lines import CodeLine, code_lines, next_line
from lsp_server.postprocess.lexis import QUOTES
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.shape import Shape, shape_of
from lsp_server.postprocess.surroundings import Surroundings


def until_the_statement_ends(candidate: Candidate) -> Candidate:
    """`if x█` gets its condition and its body; a line that is done gets at most one more statement."""
    lines = code_lines(candidate)
    if len(lines) < 2 or shape_of(candidate, lines) is not Shape.STATEMENT:
        return candidate
    around = candidate.surroundings
    if around.opened:
        end = _end_in_text(around, lines)
    elif not around.has_blocks and lines[0].depth_behind == 0 and not _begins_a_line(around, lines):
        end = 1
    elif (start := _start(around, lines)) is None:
        end = 0
    else:
        only_parts = candidate.text.split("\n", 1)[0].strip() == ","
        end = end_of_statement(around, lines, 1 if only_parts else start)
    return candidate.with_text("\n".join(candidate.text.split("\n")[:end]))


def _end_in_text(around: Surroundings, lines: list[CodeLine]) -> int:
    """In a comment or string: its line; where a docstring is closed, what follows it, too."""
    following = next_line(lines, 1)
    if around.opened not in QUOTES or len(around.opened) < len('"""') or following is None:
        return 1
    is_closed = not lines[following].begins_in_text and lines[following].width == lines[0].width
    is_body = bool(around.headers(lines[0].width))
    return len(lines) if is_closed and is_body else 1


def _start(around: Surroundings, lines: list[CodeLine]) -> int | None:
    """The line in which the statement begins that the suggestion adds to; `None` where the caret's block has ended."""
    following = next_line(lines, 1)
    if following is None or not _begins_a_line(around, lines) or goes_on(around, lines, 0, 0, following):
        return 0
    line = lines[following]
    if line.width < lines[0].width and not (line.begins_with_a_closer and around.lacking[line.raw.lstrip()[0]]):
        return None
    return following if following == 1 or not around.is_for_definitions(line.width) else None


def _begins_a_line(around: Surroundings, lines: list[CodeLine]) -> bool:
    return lines[0].raw.rstrip() == around.line_before_caret.rstrip()


def end_of_statement(around: Surroundings, lines: list[CodeLine], start: int) -> int:
    """The index behind the last line of the statement that begins in line `start`."""
    last = start
    while (following := next_line(lines, last + 1)) is not None and goes_on(around, lines, start, last, following):
        last = following
    return last + 1


def goes_on(around: Surroundings, lines: list[CodeLine], start: int, last: int, following: int) -> bool:
    """Whether line `following` belongs to the statement that began in line `start` and has reached line `last`."""
    line, before = lines[following], lines[last]
    if line.begins_in_text or line.depth > 0:
        return True
    is_next = following == last + 1
    if before.is_comment or before.is_decorator:
        return is_next and last > 0 and line.width == before.width
    if line.width > lines[start].width:
        return True
    if line.width < lines[start].width:
        return False
    if last > start and line.is_clause:
        return True
    if not is_next:
        return False
    uses_lines = around.language.blocks is BlockStyle.INDENTATION
    if line.code.lstrip().startswith("{") and not uses_lines:
        return before.code.endswith((")", "else", "do", "try")) or before is lines[start]
    return before.code.endswith("\\") if uses_lines else before.is_unfinished and before.code[-1:] != ","
