"""No more than a screen can show: what an engine that has lost its way says beyond that is not even looked at."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate

MOST_CHARACTERS = 16_000
"""The longest answer that the settings allow has about as many; every later rule may rely on it."""


def within_the_length_limit(candidate: Candidate) -> Candidate:
    """Cut after so many characters."""
    return candidate.with_text(candidate.text[:MOST_CHARACTERS])
