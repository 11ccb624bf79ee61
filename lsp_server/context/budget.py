"""Which candidates fit into a budget of tokens: a share for each source first, then the best of what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lsp_server.context.question import Candidate, ContextPiece, LeftOut

SHARES: Mapping[str, float] = {
    "scope": 0.1,
    "imports": 0.1,
    "definition": 0.6,
    "similar": 0.15,
    "edit": 0.15,
    "view": 0.05,
}
"""Of the budget, by kind; what a kind does not use is for the others, in this order."""

NO_ROOM = "no room in the budget"
SHOWN = "the same is shown already"


@dataclass
class _Purse:
    costs: Mapping[str, int]
    """Tokens of each text that may be shown."""
    left_tokens: int
    chosen: list[Candidate] = field(default_factory=list)
    _texts: set[str] = field(default_factory=set)
    _of_file: dict[str, list[ContextPiece]] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)
    """Files that have a header, and heads that are shown."""

    def price(self, candidate: Candidate) -> int:
        """What a candidate adds to the prompt, with its file's header and the head above it."""
        piece = candidate.piece
        price = self.costs[piece.text] + 1
        if piece.path not in self._open:
            price += self.costs[piece.path] + 3
        if candidate.head and f"{piece.path}\n{candidate.head}" not in self._open:
            price += self.costs[candidate.head] + 1
        return price

    def take(self, candidate: Candidate) -> None:
        """Pay for it."""
        self.left_tokens -= self.price(candidate)
        self.chosen.append(candidate)
        piece = candidate.piece
        self._texts.add(piece.text)
        self._of_file.setdefault(piece.path, []).append(piece)
        self._open |= {piece.path, f"{piece.path}\n{candidate.head}", f"{piece.path}\n{piece.text}"}

    def shows(self, candidate: Candidate) -> bool:
        """Whether the same text, or some of these lines in a piece of another kind, is chosen already."""
        piece = candidate.piece
        return piece.text in self._texts or any(_overlap(each, piece) for each in self._of_file.get(piece.path, ()))


def _overlap(one: ContextPiece, other: ContextPiece) -> bool:
    if one.kind == other.kind == "definition":
        return False  # several definitions may stand in one line
    return one.lines[0] <= other.lines[1] and other.lines[0] <= one.lines[1]


def choose(
    candidates: Mapping[str, Sequence[Candidate]],
    costs: Mapping[str, int],
    budget_tokens: int,
    shares: Mapping[str, float] = SHARES,
) -> tuple[list[Candidate], list[LeftOut]]:
    """What is shown, and what is not.

    Args:
        candidates: by kind, each best first.
        costs: tokens of every text, head and path among them.
        budget_tokens: for everything together.
        shares: of the budget, by kind.
    """
    purse = _Purse(costs, budget_tokens)
    waiting: list[Candidate] = []
    for kind in shares:
        share_tokens = int(budget_tokens * shares[kind])
        for candidate in candidates.get(kind, ()):
            price = purse.price(candidate)
            if not purse.shows(candidate) and price <= min(share_tokens, purse.left_tokens):
                purse.take(candidate)
                share_tokens -= price
            else:
                waiting.append(candidate)
    left_out: list[LeftOut] = []
    for candidate in waiting:
        if purse.shows(candidate):
            left_out.append(LeftOut(candidate.piece.path, SHOWN))
        elif purse.price(candidate) <= purse.left_tokens:
            purse.take(candidate)
        else:
            left_out.append(LeftOut(candidate.piece.path, NO_ROOM))
    return purse.chosen, list(dict.fromkeys(left_out))
