"""What the keys of a trace do to the open documents, as an editor with automatic closers does it. Pure: no server."""

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
class Page:
    """One open document and its caret."""

    document: TraceDocument
    text: str
    caret: int
    closers: list[tuple[int, str]] = field(default_factory=list)
    """Closers that the editor put behind the caret, the nearest last: where the opener stands, and the closer."""


class TypingHands:
    """The documents of a trace while it is played. Does everything but asking and accepting by itself."""

    def __init__(self, documents: Iterable[TraceDocument]) -> None:
        self.pages = {each.path: Page(each, each.text, each.offset) for each in documents}
        self.page = next(iter(self.pages.values()))
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
        self.page.closers.clear()
        return self._replace(start, end, text)

    def _press(self, key: Key) -> Edit | None:
        page = self.page
        if page.closers and page.closers[-1][1] == key.character and page.text.startswith(key.character, page.caret):
            page.closers.pop()
            page.caret += 1
            return None
        opener = page.caret
        edit = self._replace(opener, opener, key.character + key.before_caret, key.after_caret)
        if key.after_caret in _CLOSERS:
            page.closers.append((opener, key.after_caret))
        return edit

    def _delete(self) -> Edit:
        page, caret = self.page, self.page.caret
        if caret == 0:
            raise ValueError("there is nothing before the caret to delete")
        pair = bool(page.closers) and page.closers[-1][0] == caret - 1
        if pair:
            page.closers.pop()
        return self._replace(caret - 1, caret + pair, "")

    def _jump(self, offset: int) -> None:
        if not 0 <= offset <= len(self.page.text):
            raise ValueError(
                f"`caret` {offset} is outside of the text, which has {len(self.page.text)} characters then"
            )
        self.page.closers.clear()
        self.page.caret = offset

    def _switch(self, path: str) -> None:
        if path not in self.pages:
            raise ValueError(f"no document has the path {path!r}")
        self.page.closers.clear()
        self.page = self.pages[path]

    def _replace(self, start: int, end: int, before_caret: str, after_caret: str = "") -> Edit:
        page = self.page
        page.text = page.text[:start] + before_caret + after_caret + page.text[end:]
        page.caret = start + len(before_caret)
        return Edit(page.document.uri, start, end, before_caret + after_caret)
