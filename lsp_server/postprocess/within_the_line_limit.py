"""As many lines as the settings allow, and one where text follows on the caret's line."""

from __future__ import annotations

from lsp_server.postprocess.rule import Candidate


def within_the_line_limit(candidate: Candidate) -> Candidate:
    """Cut after the last line that may be shown."""
    most = 1 if candidate.snapshot.line_after_caret.strip() else candidate.max_lines
    lines = candidate.text.split("\n")
    leading = next((index for index, line in enumerate(lines) if line.strip()), 0)
    kept = lines[: leading + most] if most > 1 else lines[:1]
    return candidate.with_text("\n".join(kept))


def single_line(candidate: Candidate) -> bool:
    """Whether only one line may be shown here."""
    return bool(candidate.snapshot.line_after_caret.strip()) or candidate.max_lines == 1
