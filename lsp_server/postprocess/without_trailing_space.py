"""No white space that nobody would type."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate


def without_trailing_space(candidate: Candidate) -> Candidate:
    """Strip the end; a suggestion of white space alone is none."""
    return candidate.with_text(candidate.text.rstrip())
