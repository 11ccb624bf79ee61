"""What sources are asked, and what they answer with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from lsp_server.context.ignore import IgnoreRules
from lsp_server.context.imports import Import, imports
from lsp_server.context.index.lookup import Index
from lsp_server.context.recent import RecentPlace
from lsp_server.documents import queries
from lsp_server.documents.snapshot import DocumentSnapshot


@dataclass(frozen=True, slots=True)
class ContextPiece:
    """A part of a file that the model should see, and why. Lines are 1-based and inclusive."""

    kind: str
    path: str
    lines: tuple[int, int]
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A piece that may be shown; `score` says how much it is worth to whoever writes at the caret."""

    piece: ContextPiece
    score: float
    head: str = ""
    """What must stand above it where it is shown without its surroundings, such as the head of its class."""
    head_line: int = 0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not shown, and why not."""

    path: str
    why: str


@dataclass(frozen=True)
class Question:
    """A caret, and everything that may be known when a prompt is anchored there."""

    snapshot: DocumentSnapshot
    shown: tuple[int, int]
    """First and last line of the current file that the prompt shows anyway, 1-based."""
    index: Index | None = None
    """`None` in a workspace that is not trusted, or without a folder: then only the current file is a source."""
    rules: IgnoreRules | None = None
    """Without them nothing of another file is shown."""
    recent: tuple[RecentPlace, ...] = ()
    """Newest first."""
    is_late: Callable[[], bool] = field(default=lambda: False, compare=False)
    """Whether the time for all sources together is over."""

    @property
    def path(self) -> str:
        """Of the current file; empty for a document without one."""
        return self.snapshot.path or ""

    @cached_property
    def structure(self) -> list[queries.Match]:
        """What the query finds in the current file."""
        syntax = self.snapshot.syntax
        return queries.structure(syntax.grammar, syntax.root) if syntax is not None else []

    @cached_property
    def imports(self) -> list[Import]:
        """What the current file imports."""
        syntax = self.snapshot.syntax
        return imports(syntax, self.structure) if syntax is not None else []

    @property
    def grammar(self) -> str:
        """Of the current file; empty where there is none."""
        return self.snapshot.syntax.grammar if self.snapshot.syntax is not None else ""
