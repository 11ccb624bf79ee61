"""The one mutable thing: open documents, settings, what the editor told about itself, statistics.

Work never touches it: requests get a frozen `DocumentSnapshot`, taken before their first `await`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lsp_server.documents.edit_history import EditHistory
from lsp_server.documents.editor_facts import EditorFacts
from lsp_server.documents.open_tree import OpenTree
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.text_lines import Edit, Place, TextLines
from lsp_server.outcome import Outcome
from lsp_server.settings import DEFAULTS, Settings
from lsp_server.statistics import Statistics


@dataclass(frozen=True, slots=True)
class EditorState:
    """What standard LSP does not tell a server, as the editor last told it."""

    caret: Place | None = None
    selections: tuple[tuple[Place, Place], ...] = ()
    """Start and end of each; a plain caret is an empty one."""
    last_event: str = ""
    """What became of the last suggestion: `shown`, `accepted`, `partiallyAccepted` or `dismissed`."""


@dataclass
class Document:
    """One open document."""

    uri: str
    path: str | None
    """See `DocumentSnapshot.path`."""
    language_id: str
    version: int
    lines: TextLines
    editor: EditorState | None = None
    """`None` when the editor does not send any."""
    computed: dict[Place, Outcome] = field(default_factory=dict)
    """What was computed for this very text, for editors that fetch suggestions instead of waiting for them."""
    computing: tuple[int, Place] | None = None
    """The version and the place for which such a suggestion is being computed."""
    history: EditHistory = field(default_factory=EditHistory)
    tree: OpenTree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = OpenTree(self.language_id, self.path, self.lines)

    def edited(self, edits: Sequence[Edit]) -> None:
        """The lines were edited: everything that goes with them follows."""
        self.tree.changed(edits)
        self.history.edited(edits)
        if self.editor is not None and len(self.editor.selections) <= 1:
            # Typing ends a selection; several carets type together.
            self.editor = replace(self.editor, selections=())

    def told(self, editor: EditorState) -> None:
        """The editor told about itself."""
        self.editor = editor
        if editor.last_event == "dismissed":
            self.history.dismissed(editor.caret[0] if editor.caret else -1)
        elif editor.last_event in ("accepted", "partiallyAccepted"):
            self.history.accepted()

    def snapshot(self, line: int, column: int) -> DocumentSnapshot:
        """The document as it is now with the caret at a place, which is moved to the nearest one that exists."""
        line, column = self.lines.clamp(line, column)
        return DocumentSnapshot(
            uri=self.uri,
            path=self.path,
            language_id=self.language_id,
            version=self.version,
            lines=self.lines.frozen(),
            caret_line=line,
            caret_column=column,
            editor=self._facts(),
            late_syntax=self.tree.late,
        )

    def _facts(self) -> EditorFacts:
        return EditorFacts(
            deletions_in_a_row=self.history.deletions_in_a_row,
            selections=self.editor.selections if self.editor else (),
            dismissals_in_a_row=self.history.dismissals_in_a_row,
            since_dismissal_s=self.history.since_dismissal_s,
        )


@dataclass
class State:
    """All that one server remembers."""

    documents: dict[str, Document] = field(default_factory=dict)
    """By URI."""
    folders: list[str] = field(default_factory=list)
    """URIs of the workspace folders."""
    settings: Settings = DEFAULTS
    problems: tuple[str, ...] = ()
    """What could not be used of the settings, as sentences."""
    editor_state_is_sent: bool = False
    """Whether this editor sends `lingCoder/editorState` at all."""
    statistics: Statistics = field(default_factory=Statistics)
