"""The suggestion ends where the model begins to repeat itself."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate


def without_loops(candidate: Candidate) -> Candidate:
    """Cut after the first of three equal lines in a row: small models run into loops that never end."""
    lines = candidate.text.split("\n")
    bare = [line.strip() for line in lines]
    for index in range(2, len(bare)):
        if bare[index] and bare[index] == bare[index - 1] == bare[index - 2]:
            return candidate.with_text("\n".join(lines[: index - 1]))
    return candidate
