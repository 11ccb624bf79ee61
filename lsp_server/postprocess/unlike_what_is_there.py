"""A suggestion changes something."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate


def unlike_what_is_there(candidate: Candidate) -> Candidate:
    """Nothing, where the suggestion is what it would take the place of."""
    there = candidate.snapshot.line_after_caret[: candidate.replaced_characters]
    return candidate.with_text("") if candidate.text.strip() == there.strip() else candidate
