"""How far a download is, in one line that is written again and again; nothing where nobody looks."""

from __future__ import annotations

import time
from collections import deque
from typing import TextIO

_REDRAW_S = 0.2
_WINDOW_S = 20
"""The speed is that of the last seconds: what was fetched in an earlier try took no time in this one."""
_BAR_CHARACTERS = 24


class ProgressBar:
    """Writes to a terminal, else only sentences."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._seen: deque[tuple[float, int]] = deque()
        self._drawn_at_s = float("-inf")

    def show(self, arrived_bytes: int, of_bytes: int) -> None:
        """Redraw, if it is time."""
        now_s = time.monotonic()
        if not self._live or now_s - self._drawn_at_s < _REDRAW_S:
            return
        self._drawn_at_s = now_s
        self._seen.append((now_s, arrived_bytes))
        while now_s - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        first_s, first_bytes = self._seen[0]
        speed = (arrived_bytes - first_bytes) / (now_s - first_s) if now_s > first_s else 0.0
        self._draw(line(arrived_bytes, of_bytes, speed))

    def say(self, sentence: str) -> None:
        """A sentence that stays."""
        self.clear()
        print(sentence, file=self._stream, flush=True)

    def clear(self) -> None:
        """Leave an empty line behind."""
        if self._live:
            self._draw("")

    def _draw(self, text: str) -> None:
        print(f"\r\033[K{text}", end="", file=self._stream, flush=True)


def line(arrived_bytes: int, of_bytes: int, bytes_per_s: float) -> str:
    """`[######      ]  50.0 %  5.60 of 11.20 GB  23.1 MB/s  4 min`."""
    share = arrived_bytes / of_bytes if of_bytes else 1.0
    bar = ("#" * round(share * _BAR_CHARACTERS)).ljust(_BAR_CHARACTERS)
    text = f"[{bar}] {share:5.1%}  {arrived_bytes / 1e9:.2f} of {of_bytes / 1e9:.2f} GB"
    if bytes_per_s <= 0:
        return text
    left_s = (of_bytes - arrived_bytes) / bytes_per_s
    return f"{text}  {bytes_per_s / 1e6:.1f} MB/s  {_duration(left_s)}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
