"""What stands below the caret already is not suggested once more."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate


def unlike_the_next_lines(candidate: Candidate) -> Candidate:
    """Nothing, where the suggestion says what the next lines say and no more; one that goes on otherwise may stay."""
    around = candidate.surroundings
    if around.line_before_caret.strip() or around.rest_of_line.strip():
        return candidate
    said = [line.rstrip() for line in (around.line_before_caret + candidate.text).split("\n") if line.strip()]
    if not said or len(said) > len(around.following):
        return candidate
    *whole, last = said
    there = around.following[len(whole)]
    ends_alike = there.startswith(last) if whole else there == last
    return candidate.with_text("") if ends_alike and tuple(whole) == around.following[: len(whole)] else candidate
