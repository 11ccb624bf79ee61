"""Ending a stream before a stop text that may arrive in several pieces."""

from __future__ import annotations


class StopTexts:
    """Holds back as many characters as could still turn out to be the beginning of a stop text."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.hit = False
        """Whether a stop text was found; nothing comes after it."""

    def feed(self, text: str) -> str:
        """What can be streamed for certain after `text` arrived."""
        if self.hit:
            return ""
        self._held += text
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.hit = True
            out, self._held = self._held[: min(found)], ""
            return out
        keep = self._longest_beginning()
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out

    def rest(self) -> str:
        """What was held back when generation ended without the stop text completing."""
        out, self._held = self._held, ""
        return out

    def _longest_beginning(self) -> int:
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
