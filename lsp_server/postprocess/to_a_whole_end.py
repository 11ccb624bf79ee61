"""A suggestion ends with something whole: not in the middle of a call, of a string, or with the header of a body."""

from __future__ import annotations

from collections import Counter

from lsp_server.documents.languages import BlockStyle
from lsp_server.postprocess.brackets import CLOSER_OF, unmatched_in
from lsp_server.postprocess.code_lines import code_lines, opens_a_block
from lsp_server.postprocess.lexis import QUOTES, masked
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.with_its_blocks_closed import with_its_blocks_closed
from lsp_server.postprocess.within_the_brackets import counts_brackets

_QUOTES = ("'", '"')
_MOST_LINES = 40
"""How many lines are given up at most, before all of it is."""


def to_a_whole_end(candidate: Candidate) -> Candidate:
    """Close the blocks that were not finished, or cut the last lines until nothing is open."""
    around = candidate.surroundings
    is_in_quotes = around.rest_of_line[:1] in _QUOTES and around.line_before_caret.endswith(around.rest_of_line[:1])
    if is_in_quotes or not counts_brackets(around) or ends_whole(candidate):
        return candidate
    lines = candidate.text.split("\n")
    for length in range(len(lines), max(0, len(lines) - _MOST_LINES), -1):
        shorter = candidate.with_text("\n".join(lines[:length]).rstrip())
        if not shorter.text:
            break
        for tried in (shorter, with_its_blocks_closed(shorter)):
            if ends_whole(tried):
                return tried
    return candidate.with_text("")


def ends_whole(candidate: Candidate) -> bool:
    """Whether nothing is open at its end that it opened itself, and a body follows each header."""
    around, candidate = candidate.surroundings, candidate.with_text(candidate.text.rstrip())
    code = masked(candidate.text, candidate.snapshot.language_id, around.opened)
    if code.opened in QUOTES and code.opened != around.opened:
        return False
    left_open = Counter(map(CLOSER_OF.__getitem__, unmatched_in(code.text)[1]))
    if left_open - around.surplus:
        return False
    if around.language.blocks is not BlockStyle.INDENTATION or "\n" not in candidate.text.lstrip():
        return True
    last = code_lines(candidate)[-1]
    return last.begins_in_text or not opens_a_block(around, last)
