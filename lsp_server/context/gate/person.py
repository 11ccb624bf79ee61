"""What the person does: selecting, deleting, sending suggestions away."""

from __future__ import annotations

from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.settings import Settings

_DELETIONS = 3
"""One or two correct a slip; who deletes on wants less text, not more."""

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 64.0


def several_carets(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """A suggestion would go to one of them only."""
    return len(snapshot.editor.selections) > 1


def selection(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """Something is selected: what is typed next replaces it."""
    return any(start != end for start, end in snapshot.editor.selections)


def deleting(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """Several deletions in a row, and nothing typed since."""
    return snapshot.editor.deletions_in_a_row >= _DELETIONS


def dismissed(snapshot: DocumentSnapshot, _: Settings) -> str | bool:
    """A suggestion was sent away here a moment ago. Each time the pause is twice as long: 1 s, 2 s, 4 s, up to 64 s."""
    times = snapshot.editor.dismissals_in_a_row
    if times == 0:
        return False
    pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(times - 1, 10))
    is_over = snapshot.editor.since_dismissal_s >= pause_s
    return False if is_over else f"a suggestion was dismissed here: {pause_s:.0f} s of silence"
