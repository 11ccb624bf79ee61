"""What every rule works on and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.postprocess.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suggestion on its way to the screen. Line ends are LF until the last rule."""

    text: str
    snapshot: DocumentSnapshot
    max_lines: int
    replaced_characters: int = 0
    """How many characters after the caret the suggestion takes the place of."""
    surroundings: Surroundings = field(default=None, repr=False, compare=False)  # type: ignore[assignment]
    """What stands around the caret; all candidates of one answer share it."""

    def __post_init__(self) -> None:
        if self.surroundings is None:
            object.__setattr__(self, "surroundings", Surroundings(self.snapshot))

    def with_text(self, text: str) -> Candidate:
        """The same with another text."""
        return self if text == self.text else replace(self, text=text)


Rule = Callable[[Candidate], Candidate]
