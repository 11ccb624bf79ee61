"""What is known of the editor beside the text: the last edits, carets, what became of suggestions."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents.text_lines import Place


@dataclass(frozen=True, slots=True)
class EditorFacts:
    """As of the moment of a request. Where an editor does not tell, nothing is assumed."""

    deletions_in_a_row: int = 0
    """How many edits did nothing but delete since something was typed."""
    selections: tuple[tuple[Place, Place], ...] = ()
    """Start and end of each; a plain caret is an empty one."""
    dismissals_in_a_row: int = 0
    """How many suggestions were dismissed at this place since one was accepted."""
    since_dismissal_s: float = 0.0
    """How long ago the last of them was."""
