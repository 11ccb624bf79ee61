"""As many lines as the settings allow, and one where text follows on the caret's line."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate

LONGEST_LINE_CHARACTERS = 1_000
"""Longer lines are data, or a model that has lost its way."""


def within_the_line_limit(candidate: Candidate) -> Candidate:
    """Cut after the last line that may be shown. A line end right at the caret only finishes the line that is there."""
    lines = candidate.text.split("\n")
    most = 1 if single_line(candidate) else candidate.max_lines + (not lines[0].strip())
    too_long = (index for index, line in enumerate(lines[:most]) if len(line) > LONGEST_LINE_CHARACTERS)
    return candidate.with_text("\n".join(lines[: next(too_long, most)]))


def single_line(candidate: Candidate) -> bool:
    """Whether the answer must stay in the caret's line, because text follows there."""
    return bool(candidate.snapshot.line_after_caret.strip())
