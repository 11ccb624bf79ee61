"""Closing braces for the blocks that an answer did not get to close: half a function is no code, its beginning is."""

from __future__ import annotations

import re

from lsp_server.documents.languages import BlockStyle
from lsp_server.postprocess.brackets import CLOSER_OF, CLOSERS, OPENERS, unmatched_in
from lsp_server.postprocess.indentation import leading
from lsp_server.postprocess.lexis import bare, masked
from lsp_server.postprocess.rule import Candidate

_NEEDS_MORE = re.compile(r"\s*(?:try|do)\b")
"""What is no code without a `catch` or a `while` behind its block."""


def with_its_blocks_closed(candidate: Candidate) -> Candidate:
    """With a line for each line that leaves a block open; as it is where there is none, or a block has no line yet."""
    around = candidate.surroundings
    if around.language.blocks is not BlockStyle.BRACES or around.rest_of_line.strip():
        return candidate
    whole = around.line_before_caret + candidate.text
    code = masked(whole, candidate.snapshot.language_id, around.opened_at_line_start)
    left_open = len(unmatched_in(masked(candidate.text, candidate.snapshot.language_id, around.opened).text)[1])
    if not left_open or code.opened or bare(code.text)[-1:] in OPENERS:
        return candidate
    lines, code_lines = whole.split("\n"), code.text.split("\n")
    if around.line_before_caret.strip() and bare(code_lines[0]).endswith("{") and around.lacking["}"]:
        left_open += 1  # of the caret's own line
    openings = _left_open(lines, code_lines, left_open)
    if not all(bare(line).endswith("{") and not _NEEDS_MORE.match(line) for _, _, line in openings):
        return candidate
    closing = [space + "".join(map(CLOSER_OF.__getitem__, openers[::-1])) for space, openers, _ in reversed(openings)]
    return candidate.with_text("\n".join([candidate.text.rstrip(), *closing]))


def _left_open(lines: list[str], code: list[str], most: int) -> list[tuple[str, str, str]]:
    """For each line that leaves brackets open the white space that it begins with, these brackets, and its code."""
    found: list[tuple[int, str]] = []
    for index, code_of_line in enumerate(code):
        for character in code_of_line:
            if character in OPENERS:
                found.append((index, character))
            elif character in CLOSERS and found:
                found.pop()
    by_line: dict[int, str] = {}
    for index, opener in found[-most:]:
        by_line[index] = by_line.get(index, "") + opener
    return [(leading(lines[index]), openers, code[index]) for index, openers in by_line.items()]
