"""Line ends as the file has them."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate


def with_the_files_line_ends(candidate: Candidate) -> Candidate:
    """CR LF in a file that uses CR LF."""
    return candidate.with_text(candidate.text.replace("\n", candidate.snapshot.line_end))
