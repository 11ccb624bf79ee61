"""How many prompt tokens go into one call of llama.cpp: what runs cannot always be called off."""

from __future__ import annotations

LONGEST_CALL_S = 0.05
"""Only the CPU backend can abort a call. Elsewhere a cancelled prompt has to wait for its end, and for no more."""
_GROW_BELOW_S = LONGEST_CALL_S / 3
"""A call of twice as many tokens must still be short enough, with room for one that takes longer than usual."""


class MicroBatch:
    """The size of the next call, from how long the ones before took. Belongs to the engine's thread."""

    def __init__(self, tokens: int, most_tokens: int | None = None) -> None:
        """Begin with `tokens`; never change where that is also the most."""
        self.tokens = tokens
        self._least = min(tokens, 8)
        self._most = most_tokens or tokens
        self._changes = self._most != tokens

    def took(self, tokens: int, seconds: float) -> None:
        """A call with this many tokens took so long."""
        if not self._changes:
            return
        if seconds > LONGEST_CALL_S and tokens <= self.tokens:
            self.tokens = max(self._least, tokens // 2)
        elif seconds < _GROW_BELOW_S and tokens == self.tokens:
            self.tokens = min(self._most, self.tokens * 2)
