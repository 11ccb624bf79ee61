"""The suggestion ends where the text after the caret begins."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate

_SHORTEST_LINE_CHARACTERS = 3


def before_what_follows(candidate: Candidate) -> Candidate:
    """Cut what the document says next anyway: the rest of the line, or the next line and all after it."""
    rest = candidate.snapshot.line_after_caret.rstrip()
    if rest and candidate.text.rstrip().endswith(rest):
        return candidate.with_text(candidate.text.rstrip()[: -len(rest)])
    following = _next_line(candidate)
    if len(following.strip()) < _SHORTEST_LINE_CHARACTERS:
        return candidate
    lines = candidate.text.split("\n")
    same = next((index for index, line in enumerate(lines) if index and line.rstrip() == following), None)
    return candidate if same is None else candidate.with_text("\n".join(lines[:same]))


def _next_line(candidate: Candidate) -> str:
    snapshot = candidate.snapshot
    following = (line.rstrip() for line in snapshot.lines[snapshot.caret_line + 1 :])
    return next((line for line in following if line), "")
