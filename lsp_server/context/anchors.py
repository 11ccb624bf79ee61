"""The anchors of all open documents, and how many characters their budgets of tokens are.

Placing an anchor is the only moment at which tokens are counted; between two of them a request costs a few comparisons.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from lsp_server.context.window import GROWTH, Anchor, Budget, View, first_view, follow, place
from lsp_server.documents.snapshot import DocumentSnapshot

CountTokens = Callable[[tuple[str, ...]], Awaitable[tuple[int, ...]]]

CHARACTERS_PER_TOKEN = (4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.25)
"""Rates to try in this order. Code has 3 to 4 characters a token; symbols and rare scripts have less than one."""

SUFFIX_SHARE = 0.15
"""The suffix is evaluated anew with each anchor."""
_MOST_SUFFIX_SHARE = 0.2

MIDDLE_TOKENS = 512
"""What may be typed before a new anchor is due even while somebody waits."""


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """Room for the text around the caret, in tokens."""

    prefix: int
    suffix: int = field(compare=False)
    """Goes with the measured speed of reading, and matters only when an anchor is placed."""
    middle: int

    @staticmethod
    def within(prompt_tokens: int, room_tokens: int, suffix_tokens: int | None = None) -> TokenBudget:
        """Shares of the room for a prompt, such that even a grown prefix with a full middle fits.

        Args:
            prompt_tokens: what prefix and suffix may take when an anchor is placed.
            room_tokens: what the model's context has for the whole prompt.
            suffix_tokens: what the suffix should take, within reason; `None` for its usual share.
        """
        room_tokens = max(8, room_tokens)
        middle = min(MIDDLE_TOKENS, room_tokens // 4)
        prompt = max(2, min(prompt_tokens, int((room_tokens - middle) / GROWTH)))
        usual, most = max(1, int(prompt * SUFFIX_SHARE)), max(1, int(prompt * _MOST_SUFFIX_SHARE))
        return TokenBudget(prompt - most, usual if suffix_tokens is None else min(suffix_tokens, most), middle)

    def in_characters(self, rate: float) -> Budget:
        """The same at a rate of characters per token."""
        return Budget(*(max(1, int(tokens * rate)) for tokens in (self.prefix, self.suffix, self.middle)))


@dataclass(frozen=True, slots=True)
class _Entry:
    anchor: Anchor
    budget: TokenBudget
    rate: float
    is_read: bool = False
    """Whether the model has read prefix and suffix since the anchor was placed."""


class Anchors:
    """One anchor for each document that somebody types in."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    async def view(
        self, snapshot: DocumentSnapshot, budget: TokenBudget, count: CountTokens, *, settle: bool = False
    ) -> View:
        """What the prompt shows of this document.

        Args:
            snapshot: the document and the caret.
            budget: room in tokens; another one than before means a new anchor.
            count: the model's own tokenizer.
            settle: nobody waits: place an anchor also where much was typed since the last one.
        """
        view = self.follow(snapshot, budget)
        if view is not None and not (settle and len(view.middle) > self._half_of_the_middle(snapshot.uri)):
            return view
        return await self._placed(snapshot, budget, count, self._entries.get(snapshot.uri))

    def follow(self, snapshot: DocumentSnapshot, budget: TokenBudget) -> View | None:
        """The same where the present anchor still serves; `None` where a new one is due."""
        entry = self._entries.get(snapshot.uri)
        if entry is None or entry.budget != budget:
            return None
        return follow(entry.anchor, snapshot, budget.in_characters(entry.rate))

    def _half_of_the_middle(self, uri: str) -> int:
        entry = self._entries[uri]
        return entry.budget.in_characters(entry.rate).middle // 2

    def is_read(self, uri: str) -> bool:
        """Whether the model has read what stands around the anchor: more of the prompt is only what was typed."""
        entry = self._entries.get(uri)
        return entry is not None and entry.is_read

    def mark_read(self, uri: str) -> None:
        """The model has read the present prompt of a document."""
        if (entry := self._entries.get(uri)) is not None:
            self._entries[uri] = replace(entry, is_read=True)

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._entries.pop(uri, None)

    async def _placed(
        self, snapshot: DocumentSnapshot, budget: TokenBudget, count: CountTokens, entry: _Entry | None
    ) -> View:
        """A new anchor at the first rate at which the counted tokens fit; at the last one in any case."""
        known = entry if entry is not None and entry.budget == budget else None
        rates = [rate for rate in CHARACTERS_PER_TOKEN if known is None or rate <= known.rate]
        for rate in rates:
            kept = known.anchor if known is not None and rate == known.rate else None
            anchor = place(snapshot, budget.in_characters(rate), kept)
            view = first_view(anchor, snapshot)
            if rate == rates[-1] or await _fits(view, budget, rate, count):
                self._entries[snapshot.uri] = _Entry(anchor, budget, rate)
                return view
        raise AssertionError("the last rate is always taken")


async def _fits(view: View, budget: TokenBudget, rate: float, count: CountTokens) -> bool:
    grown = len(view.prefix) > budget.in_characters(rate).prefix
    limits = (int(budget.prefix * (GROWTH if grown else 1)), budget.suffix, budget.middle)
    texts = (view.prefix, view.suffix, view.middle)
    if all(len(text.encode("utf-8", "replace")) <= limit for text, limit in zip(texts, limits, strict=True)):
        return True  # a token has at least one byte
    return all(tokens <= limit for tokens, limit in zip(await count(texts), limits, strict=True))
