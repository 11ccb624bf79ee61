"""Closing brackets that the editor put after the caret, and that the suggestion closes itself, are replaced."""

from __future__ import annotations

import os
from dataclasses import replace

from lsp_server.postprocess.brackets import CLOSERS, unmatched
from lsp_server.postprocess.rule import Candidate


def over_the_closers(candidate: Candidate) -> Candidate:
    """`x) -> int:` in `def f(█)` takes the place of the bracket that is there."""
    rest = candidate.snapshot.line_after_caret.rstrip()
    there = rest[: len(rest) - len(rest.lstrip(CLOSERS))]
    covered = len(os.path.commonprefix((unmatched(candidate.text)[0], there)))
    left = rest[covered:]
    if covered and len(left) == 1 and candidate.text.rstrip().endswith(left):
        covered += len(left)  # the `:` or `;` after the bracket
    return replace(candidate, replaced_characters=covered)
