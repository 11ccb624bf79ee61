"""What was done to a document lately, as far as it tells whether somebody wants a suggestion."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lsp_server.documents.text_lines import Edit


@dataclass
class EditHistory:
    """Kept with each open document. Edits come in as the editor sends them: several at a time are one step."""

    now_s: Callable[[], float] = time.monotonic
    deletions_in_a_row: int = 0
    dismissals_in_a_row: int = 0
    _dismissed_s: float = 0.0
    _dismissed_line: int = -1

    def edited(self, edits: Sequence[Edit]) -> None:
        """The text changed. Typing ends a run of deletions, an edit in another line forgets the dismissals."""
        if not edits:
            return
        self.deletions_in_a_row = self.deletions_in_a_row + 1 if all(edit.only_deletes for edit in edits) else 0
        if any(edit.start[0] != self._dismissed_line for edit in edits):
            self.dismissals_in_a_row = 0

    def dismissed(self, line: int) -> None:
        """A suggestion was sent away. One in another line than the last begins to count anew."""
        self.dismissals_in_a_row = self.dismissals_in_a_row + 1 if line == self._dismissed_line else 1
        self._dismissed_line, self._dismissed_s = line, self.now_s()

    def accepted(self) -> None:
        """A suggestion was of use: all is forgiven."""
        self.dismissals_in_a_row = self.deletions_in_a_row = 0

    @property
    def since_dismissal_s(self) -> float:
        """How long ago a suggestion was dismissed last; means something only after a dismissal."""
        return self.now_s() - self._dismissed_s
