"""Who gets how much of the budget."""

from __future__ import annotations

from lsp_server.context.budget import NO_ROOM, SHOWN, choose
from lsp_server.context.question import Candidate, ContextPiece


def candidate(kind: str, path: str, text: str, lines: tuple[int, int] = (1, 1), head: str = "") -> Candidate:
    return Candidate(ContextPiece(kind, path, lines, text, ""), 1.0, head)


def check(
    budget_tokens: int, shares: dict[str, float], *candidates: Candidate
) -> tuple[list[str], list[tuple[str, str]]]:
    """Texts that are chosen, and paths with reasons of those that are not; a letter is a token."""
    by_kind: dict[str, list[Candidate]] = {}
    for each in candidates:
        by_kind.setdefault(each.piece.kind, []).append(each)
    costs = {text: len(text) for each in candidates for text in (each.piece.text, each.piece.path, each.head)}
    chosen, left_out = choose(by_kind, costs, budget_tokens, shares)
    return [each.piece.text for each in chosen], [(each.path, each.why) for each in left_out]


def test_each_kind_has_a_share_and_the_rest_is_for_who_needs_it() -> None:
    """A kind that comes first cannot take everything, but it gets what the others leave."""
    many = [candidate("a", "p", letter * 10, (number, number)) for number, letter in enumerate("xyz")]
    assert check(48, {"a": 0.4, "b": 0.6}, *many, candidate("b", "q", "w" * 10))[0] == ["x" * 10, "w" * 10, "y" * 10]
    assert check(48, {"a": 0.4, "b": 0.6}, *many)[0] == ["x" * 10, "y" * 10, "z" * 10]


def test_what_does_not_fit_is_named_and_smaller_things_may() -> None:
    """The best one is too large, the next one is not."""
    chosen = check(20, {"a": 1.0}, candidate("a", "p", "x" * 30), candidate("a", "q", "y" * 5))
    assert chosen == (["yyyyy"], [("p", NO_ROOM)])


def test_the_same_is_not_shown_twice() -> None:
    """Neither the same text of two files nor some of the same lines as two kinds."""
    chosen = check(
        200, {"a": 0.5, "b": 0.5}, candidate("a", "p", "same"), candidate("b", "q", "same"),
        candidate("a", "r", "part", (5, 6)), candidate("b", "r", "whole", (1, 9)), candidate("b", "r", "other", (7, 9)),
    )  # fmt: skip
    assert chosen == (["same", "part", "other"], [("q", SHOWN), ("r", SHOWN)])


def test_headers_and_heads_are_paid_once() -> None:
    """A second member of the same class costs less than the first."""
    members = [candidate("definition", "p", letter * 5, (n, n), "class C:") for n, letter in enumerate("xyz")]
    assert len(check(19, {"definition": 1.0}, *members)[0]) == 1
    assert len(check(25, {"definition": 1.0}, *members)[0]) == 2
