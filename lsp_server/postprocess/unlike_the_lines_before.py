"""What stands above the caret already is not suggested again: small models go round."""

from __future__ import annotations

import re

from lsp_server.postprocess.lexis import bare, masked
from lsp_server.postprocess.rule import Candidate

_MOST_LINES = 8
_LETTER = re.compile(r"[^\W\d_]")
_FEWEST_LETTERS = 6
"""Lines with fewer, as `}` and `pass`, may follow each other."""


def unlike_the_lines_before(candidate: Candidate) -> Candidate:
    """Nothing, where the suggestion begins with the lines that it follows; a line the user began is meant twice."""
    around = candidate.surroundings
    if around.line_before_caret.strip():
        return candidate
    said = [line.strip() for line in candidate.text.split("\n", 2 * _MOST_LINES) if line.strip()][:_MOST_LINES]
    above = [line.strip() for line in around.lines_before[-4 * _MOST_LINES :] if line.strip()][-_MOST_LINES:]
    if said and said[0] in above and not bare(masked(said[0], candidate.snapshot.language_id).text):
        return candidate.with_text("")  # a comment, which nobody writes twice
    for height in range(1, min(len(said), len(above)) + 1):
        first = said[:height]
        if first == above[-height:] and len(_LETTER.findall("".join(first))) >= _FEWEST_LETTERS * height:
            return candidate.with_text("")
    return candidate
