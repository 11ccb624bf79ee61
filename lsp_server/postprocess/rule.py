"""What every rule works on and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lsp_server.documents.snapshot import DocumentSnapshot


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suggestion on its way to the screen. Line ends are LF until the last rule."""

    text: str
    snapshot: DocumentSnapshot
    max_lines: int
    replaced_characters: int = 0
    """How many characters after the caret the suggestion takes the place of."""

    def with_text(self, text: str) -> Candidate:
        """The same with another text."""
        return replace(self, text=text)


Rule = Callable[[Candidate], Candidate]
