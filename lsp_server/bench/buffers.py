"""An editor's buffers: what the keys of a trace do to the open documents. Pure, nothing here knows a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lsp_server.bench.trace import Accept, Action, Ask, Backspace, Jump, Key, Switch, TraceDocument
from lsp_server.context.window import INSERTED_BY_EDITORS

_CLOSERS = frozenset(INSERTED_BY_EDITORS)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one document: `text` in place of the characters `start:end`."""

    uri: str
    start: int
    end: int
    text: str


@dataclass(slots=True)
class Buffer:
    """One open document and its caret."""

    document: TraceDocument
    text: str
    caret: int
    closers: list[tuple[int, str]] = field(default_factory=list)
    """Closers that the editor put behind the caret, the nearest last: where the opener stands, and the closer."""


class Buffers:
    """All open documents while a trace is played. Actions that need an answer of the server do nothing here."""

    def __init__(self, documents: Iterable[TraceDocument]) -> None:
        self.by_path = {each.path: Buffer(each, each.text, each.offset) for each in documents}
        self.current = next(iter(self.by_path.values()))
        """The one that is being typed in."""

    def do(self, action: Action) -> Edit | None:
        """Carry out one action; the change that the server must hear of, `None` when the text stays.

        Raises:
            ValueError: it is not possible here.
        """
        match action:
            case Key():
                return self._press(action)
            case Backspace():
                return self._delete()
            case Jump():
                self._jump(action.offset)
            case Switch():
                self._switch(action.path)
            case Ask() | Accept():
                pass
        return None

    def insert_suggestion(self, start: int, end: int, text: str) -> Edit:
        """Put an accepted suggestion in place of `start:end`; the caret goes behind it."""
        self.current.closers.clear()
        return self._replace(start, end, text)

    def _press(self, key: Key) -> Edit | None:
        buffer = self.current
        if (
            buffer.closers
            and buffer.closers[-1][1] == key.character
            and buffer.text.startswith(key.character, buffer.caret)
        ):
            buffer.closers.pop()
            buffer.caret += 1
            return None
        opener = buffer.caret
        edit = self._replace(opener, opener, key.character + key.before_caret, key.after_caret)
        if key.after_caret in _CLOSERS:
            buffer.closers.append((opener, key.after_caret))
        return edit

    def _delete(self) -> Edit:
        buffer, caret = self.current, self.current.caret
        if caret == 0:
            raise ValueError("there is nothing before the caret to delete")
        pair = bool(buffer.closers) and buffer.closers[-1][0] == caret - 1
        if pair:
            buffer.closers.pop()
        return self._replace(caret - 1, caret + pair, "")

    def _jump(self, offset: int) -> None:
        if not 0 <= offset <= len(self.current.text):
            raise ValueError(
                f"`caret` {offset} is outside of the text, which has {len(self.current.text)} characters then"
            )
        self.current.closers.clear()
        self.current.caret = offset

    def _switch(self, path: str) -> None:
        if path not in self.by_path:
            raise ValueError(f"no document has the path {path!r}")
        self.current.closers.clear()
        self.current = self.by_path[path]

    def _replace(self, start: int, end: int, before_caret: str, after_caret: str = "") -> Edit:
        buffer = self.current
        buffer.text = buffer.text[:start] + before_caret + after_caret + buffer.text[end:]
        buffer.caret = start + len(before_caret)
        return Edit(buffer.document.uri, start, end, before_caret + after_caret)
