"""A typing trace: the documents that are open, and what somebody does to them, one small action after another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One typed character, and what the editor inserts by itself in the same change."""

    character: str
    before_caret: str = ""
    """An indentation after a line end."""
    after_caret: str = ""
    """A closer: typing it later moves the caret over it, deleting its opener deletes it, too."""


@dataclass(frozen=True, slots=True)
class Backspace:
    """Deletes the character before the caret."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Puts the caret to another place of the same document."""

    offset: int


@dataclass(frozen=True, slots=True)
class Switch:
    """Goes to another open document, to where its caret was left."""

    path: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks for an inline completion and waits for the answer."""

    invoked: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """Takes over all of what the last answer showed, if it showed something and nothing was done since."""


Action = Key | Backspace | Jump | Switch | Ask | Accept


@dataclass(frozen=True, slots=True)
class TraceDocument:
    """One document as it was opened."""

    path: str
    language: str
    text: str
    offset: int
    """Where the caret is at first, in characters."""

    @property
    def uri(self) -> str:
        """What the server knows it by."""
        return f"file:///{self.path}"


@dataclass(frozen=True, slots=True)
class Trace:
    """What somebody typed, and where the editor asked."""

    name: str
    documents: tuple[TraceDocument, ...]
    """All are open from the beginning; typing begins in the first."""
    actions: tuple[Action, ...]

    @property
    def requests(self) -> int:
        """How often the editor asks."""
        return sum(isinstance(action, Ask) for action in self.actions)

    @property
    def jumps(self) -> bool:
        """Whether the caret ever leaves the place where it types."""
        return any(isinstance(action, (Jump, Switch)) for action in self.actions)

    @property
    def accepts(self) -> bool:
        """Whether what is typed depends on what the model says."""
        return any(isinstance(action, Accept) for action in self.actions)
