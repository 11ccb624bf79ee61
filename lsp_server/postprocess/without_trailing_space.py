"""No white space that nobody would type."""

from __future__ import annotations

from lsp_server.postprocess.brackets import CLOSERS
from lsp_server.postprocess.code_lines import code_lines
from lsp_server.postprocess.rule import Candidate


def without_trailing_space(candidate: Candidate) -> Candidate:
    """Strip each line's end, but for the space that stands before what follows on the line: `a ` in `x = █+ 1`."""
    rest = candidate.snapshot.line_after_caret[candidate.replaced_characters :]
    is_in_wide_braces = rest.startswith("}") and candidate.surroundings.line_before_caret.endswith("{ ")
    if is_in_wide_braces or (rest.strip() and not rest[0].isspace() and rest[0] not in CLOSERS + ",;:"):
        return candidate
    text = candidate.text.rstrip()
    if candidate.surroundings.has_blocks and (" \n" in text or "\t\n" in text):
        text = _stripped_lines(candidate.with_text(text))
    return candidate.with_text(text)


def _stripped_lines(candidate: Candidate) -> str:
    """In code, and not in strings of several lines: there the space may be meant."""
    lines = candidate.text.split("\n")
    in_text = [line.begins_in_text for line in code_lines(candidate)[1:]]
    return "\n".join(
        [*(line if inside else line.rstrip() for line, inside in zip(lines, in_text, strict=False)), lines[-1]]
    )
