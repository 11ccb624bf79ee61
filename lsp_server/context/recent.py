"""Where somebody edited and looked lately, in all open files: places and a few lines, kept in memory only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_PLACES = 16
AROUND_LINES = 8
"""How much is shown above and below a place."""
_SAME_PLACE_LINES = 16
"""Two places nearer to each other are one."""


@dataclass(frozen=True, slots=True)
class RecentPlace:
    """A few lines of a file as they were when somebody was there."""

    path: str
    """Relative to the workspace, as in a snapshot."""
    kind: str
    """`edit` or `view`."""
    first_line: int
    """1-based."""
    lines: tuple[str, ...]


@dataclass
class Recent:
    """Told of each edit and of each look at a file; hands out what is recent, newest first."""

    _places: list[RecentPlace] = field(default_factory=list)

    def edited(self, path: str, line: int, lines: Sequence[str]) -> None:
        """A document was edited at a line (0-based); `lines` are all of its lines after that."""
        self._add(path, "edit", line, lines)

    def viewed(self, path: str, line: int, lines: Sequence[str]) -> None:
        """Somebody looks at a line of a document. An edit there counts for more."""
        if not any(place.kind == "edit" and _is_near(place, path, line) for place in self._places):
            self._add(path, "view", line, lines)

    def forget(self, path: str) -> None:
        """The file is gone, or may not be read any more."""
        self._places = [place for place in self._places if place.path != path]

    def places(self) -> tuple[RecentPlace, ...]:
        """Newest first."""
        return tuple(self._places)

    def _add(self, path: str, kind: str, line: int, lines: Sequence[str]) -> None:
        first = max(0, line - AROUND_LINES)
        shown = tuple(lines[first : line + AROUND_LINES + 1])
        place = RecentPlace(path, kind, first + 1, shown)
        others = [each for each in self._places if not _is_near(each, path, line)]
        self._places = [place, *others][:MOST_PLACES]


def _is_near(place: RecentPlace, path: str, line: int) -> bool:
    middle = place.first_line - 1 + min(AROUND_LINES, len(place.lines) // 2)
    return place.path == path and abs(middle - line) < _SAME_PLACE_LINES
