"""What a silence rule is: a name, and a question about one request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.outcome import Skip
from lsp_server.settings import Settings


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """One reason to show nothing."""

    skip: Skip
    """Its name, which is the outcome of the request, and its sentence for people."""
    applies: Callable[[DocumentSnapshot, Settings], str | bool]
    """Whether to be silent; a text says more about this case than the sentence does."""
    needs_editor_state: bool = False
    """Whether it can know nothing in editors that do not send `lingCoder/editorState`."""
    also_when_invoked: bool = False
    """Whether it holds for a suggestion that was asked for by key, too."""

    @property
    def name(self) -> str:
        """As in outcomes, statistics and traces."""
        return self.skip.label
