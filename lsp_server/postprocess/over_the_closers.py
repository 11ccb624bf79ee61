"""Quotes and brackets that the editor put after the caret, and that the suggestion closes itself, are replaced."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from lsp_server.postprocess.brackets import CLOSERS, unmatched_in
from lsp_server.postprocess.lexis import QUOTES, masked
from lsp_server.postprocess.rule import Candidate


def over_the_closers(candidate: Candidate) -> Candidate:
    """`x) -> int:` in `def f(█)` takes the place of the bracket that is there, `a", b` in `f("█")` that of both."""
    around, rest = candidate.surroundings, candidate.surroundings.rest_of_line
    opened = around.opened
    code = masked(candidate.text, candidate.snapshot.language_id, opened)
    quotes = 0
    if opened in QUOTES:
        if not rest.startswith(opened) or code.opened == opened:
            return replace(candidate, replaced_characters=0)  # the suggestion stays within the string
        quotes = len(opened)
    rest = rest[quotes:]
    there = rest[: len(rest) - len(rest.lstrip(CLOSERS))]
    both = zip(unmatched_in(code.text)[0], there, strict=False)
    covered = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
    left = rest[covered:]
    if covered + quotes and len(left) == 1 and candidate.text.rstrip().endswith(left):
        covered += len(left)  # the `:` or `;` after the bracket
    return replace(candidate, replaced_characters=covered + quotes)
