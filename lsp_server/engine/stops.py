"""Ending a stream before a stop text that may arrive in several pieces."""

from __future__ import annotations


class StopTexts:
    """Holds back what could still turn out to be the beginning of a stop text.

    The stop that begins first in the whole text wins. So a short one that is already there waits while a longer one
    that began before it can still be completed.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._longest = max(map(len, self._stops), default=0)
        self._held = ""
        self.hit = False
        """Whether a stop text was found; nothing comes after it."""

    def feed(self, text: str) -> str:
        """What can be streamed for certain after `text` arrived."""
        if self.hit:
            return ""
        self._held += text
        complete, begun = self._first_complete(), self._first_begun()
        if complete is not None and complete <= begun:
            return self._end_at(complete)
        out, self._held = self._held[:begun], self._held[begun:]
        return out

    def rest(self) -> str:
        """What was held back when generation ended; `hit` is set when a stop text was in it."""
        complete = self._first_complete()
        if complete is not None:
            return self._end_at(complete)
        out, self._held = self._held, ""
        return out

    def _end_at(self, place: int) -> str:
        self.hit = True
        out, self._held = self._held[:place], ""
        return out

    def _first_complete(self) -> int | None:
        """Where the first whole stop text begins."""
        return min((place for stop in self._stops if (place := self._held.find(stop)) >= 0), default=None)

    def _first_begun(self) -> int:
        """Where the first stop text of which the end is missing begins; the end of what is held without one."""
        held = self._held
        for place in range(max(0, len(held) - self._longest + 1), len(held)):
            tail = held[place:]
            if any(len(stop) > len(tail) and stop.startswith(tail) for stop in self._stops):
                return place
        return len(held)
