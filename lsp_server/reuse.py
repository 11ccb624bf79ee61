"""Answers without the model: the user types what was suggested, takes a part of it back, or accepted a part of it.

A record is what was shown and the text around it. It answers as long as the text before its place is unchanged, what
was typed since is a beginning of what was suggested, and the text after the caret is what it was, but for closers that
the editor inserted. The same rule serves typing along, backspace, accepting a word or a line, and asking again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, replace

from lsp_server.context.window import covered_length, text_after, unix
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.outcome import Outcome

_COMPARED_CHARACTERS = 512
"""How much of the text after the caret must be what it was."""

_RECORDS = 16
_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class Record:
    """A suggestion and where it was made. Line ends are LF."""

    lines_before: tuple[str, ...]
    line_before_caret: str
    after: str
    text: str
    prompt_tokens: int = 0
    """Tokens of the prompt that it answered."""
    confidence: float = 0.0
    """See `Outcome.confidence`."""
    whole: bool = True
    """See `Outcome.whole`."""

    ahead_tokens: int = 0
    """Tokens that were generated for it before anybody asked; 0 once it was shown."""

    @staticmethod
    def of(snapshot: DocumentSnapshot, outcome: Outcome, *, ahead_tokens: int = 0) -> Record:
        """The record of an outcome with a suggestion for this snapshot."""
        before = snapshot.lines[: snapshot.caret_line]
        after = text_after(snapshot, _COMPARED_CHARACTERS)[:_COMPARED_CHARACTERS]
        return Record(
            before,
            snapshot.line_before_caret,
            after,
            unix(outcome.suggestion.text if outcome.suggestion else ""),
            outcome.tokens.prompt,
            outcome.confidence or 0.0,
            outcome.whole,
            ahead_tokens,
        )

    def rest(self, snapshot: DocumentSnapshot) -> str | None:
        """What is left to suggest here: empty when all of it was typed, `None` when the record says nothing."""
        line = len(self.lines_before)
        if snapshot.caret_line < line or snapshot.lines[:line] != self.lines_before:
            return None
        since = "".join(snapshot.lines[line : snapshot.caret_line]) + snapshot.line_before_caret
        if not since.startswith(self.line_before_caret):
            return None
        typed = unix(since[len(self.line_before_caret) :])
        if not self.text.startswith(typed) or not self._same_after(snapshot):
            return None
        return self.text[len(typed) :]

    def _same_after(self, snapshot: DocumentSnapshot) -> bool:
        after = text_after(snapshot, _COMPARED_CHARACTERS * 2)
        return covered_length(after, self.after) is not None


class SuggestionHistory:
    """The last suggestions of each document, the newest first."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, deque[Record]] = OrderedDict()

    def add(self, uri: str, record: Record) -> None:
        """Remember what was computed; the oldest is forgotten."""
        self._records.setdefault(uri, deque(maxlen=_RECORDS)).appendleft(record)
        self._records.move_to_end(uri)
        while len(self._records) > _DOCUMENTS:
            self._records.popitem(last=False)

    def find(self, snapshot: DocumentSnapshot) -> tuple[Record, str] | None:
        """A record that still has something to say here, and what; the newest wins."""
        for record in self._records.get(snapshot.uri, ()):
            rest = record.rest(snapshot)
            if rest:
                return record, rest
        return None

    def shown(self, uri: str, record: Record) -> int:
        """The suggestion of a record reaches the screen: how many tokens of work done ahead that was worth."""
        records = self._records[uri]
        records[records.index(record)] = replace(record, ahead_tokens=0)
        return record.ahead_tokens

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._records.pop(uri, None)
