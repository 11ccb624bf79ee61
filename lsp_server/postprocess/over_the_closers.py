"""Closing brackets that the editor put after the caret, and that the suggestion closes itself, are replaced."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from lsp_server.postprocess.brackets import CLOSERS, unmatched
from lsp_server.postprocess.rule import Candidate


def over_the_closers(candidate: Candidate) -> Candidate:
    """`x) -> int:` in `def f(█)` takes the place of the bracket that is there."""
    rest = candidate.snapshot.line_after_caret.rstrip()
    there = rest[: len(rest) - len(rest.lstrip(CLOSERS))]
    both = zip(unmatched(candidate.text)[0], there, strict=False)
    covered = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
    left = rest[covered:]
    if covered and len(left) == 1 and candidate.text.rstrip().endswith(left):
        covered += len(left)  # the `:` or `;` after the bracket
    return replace(candidate, replaced_characters=covered)
