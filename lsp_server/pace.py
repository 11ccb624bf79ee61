"""How long a line takes on this machine, and what follows from it: where to ask, how long to wait, how much to read.

All from what the engine reports of its own work; until that is known, everything is asked and the longest time given.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.outcome import Times, TokenCounts
from lsp_server.settings import Settings

LINE_TOKENS = 10
"""Tokens of a line of code: 35 characters at 3.5 characters a token."""
KEY_TOKENS = 4
"""Prompt tokens that one more key costs at most, on average (`tests/end_to_end/test_traces.py`)."""

EVERYWHERE_MS, LINE_ENDS_MS = 400.0, 1500.0
"""Up to the first, suggestions come at every pause; up to the second, at the ends of lines."""
DEADLINE_SHARE = 1.3
SHORTEST_DEADLINE_MS, LONGEST_DEADLINE_MS = 500.0, 2000.0
PAUSE_SHARE, LONGEST_PAUSE_MS, NO_PAUSE_BELOW_MS = 0.25, 150.0, 100.0

SUFFIX_SECONDS = 1.5
"""What reading the suffix may take: it is read anew with each anchor."""
FEWEST_SUFFIX_TOKENS, MOST_SUFFIX_TOKENS = 64, 256

_FEWEST_PREFILL_TOKENS = 32
"""Shorter prompts tell more about the cost of a call than about the speed of reading."""
_FEWEST_ANSWERS = 3
"""The first answers after loading wait for weights to come from the disk."""
_FORGETTING = 0.8
_FRESH_S = 300.0
"""Where suggestions are not asked for any more, nothing is measured any more: after so long they are tried again."""
_CLOSERS = ")]}>\"'`;,:"


@dataclass
class _Rate:
    """Tokens by time, the past forgotten little by little."""

    tokens: float = 0.0
    ms: float = 0.0
    count: int = 0

    def add(self, tokens: int, ms: float) -> None:
        self.tokens = self.tokens * _FORGETTING + tokens
        self.ms = self.ms * _FORGETTING + ms
        self.count += 1

    @property
    def per_s(self) -> float | None:
        return self.tokens / self.ms * 1000 if self.ms > 0 else None


@dataclass
class Speed:
    """What the engine's answers tell about its speed."""

    clock: Callable[[], float] = time.monotonic
    _prefill: _Rate = field(default_factory=_Rate)
    _decode: _Rate = field(default_factory=_Rate)
    _measured_s: float = 0.0

    def observe(self, tokens: TokenCounts, times: Times) -> None:
        """Take one more answer into account."""
        if tokens.evaluated >= _FEWEST_PREFILL_TOKENS:
            self._prefill.add(tokens.evaluated, times.prefill_ms)
        if tokens.generated:
            if self.clock() - self._measured_s > _FRESH_S:
                self._decode = _Rate()
            self._decode.add(tokens.generated, times.decode_ms)
            self._measured_s = self.clock()

    @property
    def prefill_tokens_per_s(self) -> float | None:
        """Prompt tokens a second; `None` until measured."""
        return self._prefill.per_s

    @property
    def decode_tokens_per_s(self) -> float | None:
        """Generated tokens a second; `None` until measured, and when that is long ago."""
        fresh = self._decode.count >= _FEWEST_ANSWERS and self.clock() - self._measured_s <= _FRESH_S
        return self._decode.per_s if fresh else None

    @property
    def line_ms(self) -> float | None:
        """Predicted time for one line, the prompt but for the last key being in the cache; `None` when unknown."""
        decode = self.decode_tokens_per_s
        if decode is None:
            return None
        return 1000 * (LINE_TOKENS / decode + KEY_TOKENS / max(decode, self.prefill_tokens_per_s or 0.0))

    @property
    def suffix_tokens(self) -> int | None:
        """How much suffix can be read with each new anchor; `None` when unknown."""
        prefill = self.prefill_tokens_per_s
        if prefill is None:
            return None
        return min(MOST_SUFFIX_TOKENS, max(FEWEST_SUFFIX_TOKENS, int(SUFFIX_SECONDS * prefill)))


def is_worth_asking(snapshot: DocumentSnapshot, settings: Settings, line_ms: float | None) -> bool:
    """Whether an automatic request is answered at this place, on a machine that needs `line_ms` for a line."""
    where = settings.suggest_at
    if where == "auto":
        slow = line_ms if line_ms is not None else 0.0
        where = "everywhere" if slow < EVERYWHERE_MS else "lineEnds" if slow <= LINE_ENDS_MS else "key"
    return where == "everywhere" or (where == "lineEnds" and is_at_line_end(snapshot))


def is_at_line_end(snapshot: DocumentSnapshot) -> bool:
    """Whether only closers follow on the caret's line, and no word is being written."""
    before = snapshot.line_before_caret[-1:]
    return not snapshot.line_after_caret.strip().strip(_CLOSERS) and not (before.isalnum() or before == "_")


def deadline_ms(settings: Settings, line_ms: float | None, *, prompt_is_read: bool) -> float:
    """How long an automatic request may take: the setting, or 1.3 times what a line takes.

    A prompt that has to be read as a whole gets all the time there is.
    """
    if settings.deadline_ms:
        return settings.deadline_ms
    if line_ms is None or not prompt_is_read:
        return LONGEST_DEADLINE_MS
    return min(LONGEST_DEADLINE_MS, max(SHORTEST_DEADLINE_MS, DEADLINE_SHARE * line_ms))


def pause_ms(settings: Settings, line_ms: float | None) -> float:
    """How long an automatic request waits for the next key before it takes the engine; fast machines need not."""
    if settings.pause_ms >= 0:
        return settings.pause_ms
    if line_ms is None or line_ms < NO_PAUSE_BELOW_MS:
        return 0.0
    return min(LONGEST_PAUSE_MS, PAUSE_SHARE * line_ms)
