"""Indentation as the file has it: its tabs or spaces, its unit, and counted from the caret's line."""

from __future__ import annotations

import re

from lsp_server.postprocess.code_lines import CodeLine, code_lines, next_line, opens_a_block
from lsp_server.postprocess.indentation import TAB_COLUMNS, IndentationStyle, columns, leading
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.surroundings import Surroundings

_LABEL = re.compile(r"\s*(?:case\b|default\b|when\b|public\b|private\b|protected\b|#|\w+:$)")
"""What stands as far left as the header of its block in many files."""
_UNITS = (2, 4, 8)
"""Columns that models indent by."""


def with_the_files_indentation(candidate: Candidate) -> Candidate:
    """Convert the beginning of each line that the suggestion begins itself; text inside of strings stays as it is."""
    candidate = candidate.with_text(_without_doubled_space(candidate))
    style = candidate.surroundings.style
    if style is None or ("\n" not in candidate.text and candidate.surroundings.line_before_caret):
        return candidate
    lines = code_lines(candidate)
    own = 1 if candidate.surroundings.line_before_caret else 0
    unit = _unit_of(candidate.surroundings, lines, style)
    text = candidate.text.split("\n")
    for index in range(own, len(lines)):
        if not lines[index].begins_in_text:
            text[index] = _converted(text[index], style, unit)
    text = _with_the_body_deeper(candidate.surroundings, text, lines, style)
    if style.is_certain:
        text = _with_the_unit(candidate.surroundings, text, lines, style.unit)
    return candidate.with_text("\n".join(text))


def _without_doubled_space(candidate: Candidate) -> str:
    """Without the white space at the beginning that is there already."""
    around, text = candidate.surroundings, candidate.text
    before = around.line_before_caret
    first, newline, others = text.partition("\n")
    if not before[-1:].isspace() or not leading(first) or not first.strip() or around.opened:
        return text
    if before.strip():
        return first.lstrip(" \t") + newline + others
    there = columns(before)
    said = [columns(line) for line in others.split("\n") if line.strip()]
    is_doubled = min(said) == there if said else there >= _expected_width(around)
    return first.lstrip(" \t") + newline + others if is_doubled else text


def _expected_width(around: Surroundings) -> int:
    """Columns at which a line at the caret would begin: those of the line above, deeper where that opens a block."""
    above = next((line for line in reversed(around.lines_before) if line.strip()), "")
    unit = around.style.unit if around.style else TAB_COLUMNS
    return columns(above) + unit * above.rstrip().endswith((":", "{", "(", "["))


def _unit_of(around: Surroundings, lines: list[CodeLine], style: IndentationStyle) -> int:
    """How many spaces the answer means by one level, in a file of tabs."""
    widths = [columns(line.raw) for line in lines[1:] if line.raw.startswith(" ") and line.raw.strip()]
    if not style.tabs or not widths:
        return style.unit
    level = lines[0].width // TAB_COLUMNS + opens_a_block(around, lines[0])
    if level and widths[0] % level == 0 and widths[0] // level in _UNITS:
        return widths[0] // level
    return next((unit for unit in (4, 2) if all(width % unit == 0 for width in widths)), TAB_COLUMNS)


def _converted(line: str, style: IndentationStyle, unit: int) -> str:
    space = leading(line)
    if style.tabs and space.startswith(" "):
        space = "\t" * (len(space.expandtabs(unit)) // unit) + " " * (len(space.expandtabs(unit)) % unit)
    elif not style.tabs and "\t" in space:
        space = " " * len(space.expandtabs(style.unit))
    return space + line.lstrip(" \t")


def _with_the_body_deeper(
    around: Surroundings, text: list[str], lines: list[CodeLine], style: IndentationStyle
) -> list[str]:
    """Moved to the right, where the model counted the lines of a block from the margin and not from the caret."""
    following = next_line(lines, 1)
    if around.line_before_caret.strip() or following is None or not opens_a_block(around, lines[0]):
        return text
    line, width = lines[following], columns(text[following])
    if line.begins_in_text or line.begins_with_a_closer or line.is_comment or _LABEL.match(line.code):
        return text
    missing = lines[0].width + style.unit - width
    if not lines[0].width or width > lines[0].width or missing < style.unit:
        return text
    moved = [style.of(columns(each) + missing) + each.lstrip(" \t") if each.strip() else each for each in text]
    return [*text[:1], *moved[1:]]


def _with_the_unit(around: Surroundings, text: list[str], lines: list[CodeLine], unit: int) -> list[str]:
    """Levels of the file's width, where the answer's first block shows that it means another one."""
    for index, line in enumerate(lines[:-1]):
        following = next_line(lines, index + 1)
        if following is None:
            break
        if not opens_a_block(around, line) or lines[following].begins_in_text:
            continue
        base, step = line.width, lines[following].width - line.width
        deeper = [each.width - base for each in lines[following:] if each.width > base and not each.begins_in_text]
        if step in _UNITS and step != unit and all(width % step == 0 for width in deeper):
            return text[:following] + [_rescaled(each, base, step, unit) for each in text[following:]]
        break
    return text


def _rescaled(line: str, base: int, step: int, unit: int) -> str:
    deeper = columns(line) - base
    return line if deeper <= 0 or not line.strip() else " " * (base + deeper // step * unit) + line.lstrip(" \t")
