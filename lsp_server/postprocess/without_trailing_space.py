"""No white space that nobody would type."""

from __future__ import annotations

from lsp_server.postprocess.brackets import CLOSERS
from lsp_server.postprocess.rule import Candidate


def without_trailing_space(candidate: Candidate) -> Candidate:
    """Strip the end, but for the space that stands before what follows on the line: `a ` in `x = █+ 1`."""
    rest = candidate.snapshot.line_after_caret[candidate.replaced_characters :]
    if rest.strip() and not rest[0].isspace() and rest[0] not in CLOSERS + ",;:":
        return candidate
    return candidate.with_text(candidate.text.rstrip())
