"""Stop texts against a model that sees the whole text at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.stops import StopTexts

pieces = st.lists(st.text("ab\n", max_size=4), max_size=12)
stop_lists = st.lists(st.text("ab\n", max_size=5), max_size=4).map(tuple)


def stream(pieces_of_text: list[str], stops: tuple[str, ...]) -> tuple[list[str], bool]:
    """What is streamed, and whether a stop ended it."""
    stopper = StopTexts(stops)
    out = [stopper.feed(piece) for piece in pieces_of_text]
    if not stopper.hit:
        out.append(stopper.rest())
    return out, stopper.hit


@given(pieces, stop_lists)
def test_what_is_streamed_is_what_stands_before_the_first_stop(
    pieces_of_text: list[str], stops: tuple[str, ...]
) -> None:
    """However the text is cut into pieces, and whichever stop completes first."""
    text = "".join(pieces_of_text)
    first = min((text.find(stop) for stop in stops if stop and stop in text), default=len(text))
    out, hit = stream(pieces_of_text, stops)
    assert "".join(out) == text[:first]
    assert hit == (first < len(text))


@given(pieces, stop_lists)
def test_nothing_is_held_back_that_cannot_become_a_stop(pieces_of_text: list[str], stops: tuple[str, ...]) -> None:
    """Text is streamed as soon as it is certain."""
    stopper, streamed, seen = StopTexts(stops), "", ""
    for piece in pieces_of_text:
        seen += piece
        streamed += stopper.feed(piece)
        held = seen[len(streamed) :]
        assert stopper.hit or not held or any(stop.startswith(held) for stop in stops)


@pytest.mark.parametrize(
    ("pieces_of_text", "stops", "streamed"),
    [
        (["a", "b", "c", "d"], ("abcd", "b"), ["", "", "", ""]),  # the longer one began first
        (["a", "b", "x"], ("abcd", "b"), ["", "", "a"]),  # it came to nothing: the shorter one counts
        (["a", "b"], ("abcd", "b"), ["", "", "a"]),  # the same where the text ends
        (["xa", "b"], ("ab", "b"), ["x", ""]),
        (["one\ntwo"], ("\n",), ["one"]),
        (["one"], (), ["one", ""]),
        (["one"], ("",), ["one", ""]),  # an empty stop is none
    ],
)
def test_the_earliest_stop_wins(pieces_of_text: list[str], stops: tuple[str, ...], streamed: list[str]) -> None:
    """A stop that is complete waits for one that began earlier."""
    assert stream(pieces_of_text, stops)[0] == streamed


def test_nothing_comes_after_a_stop() -> None:
    """Later pieces are dropped."""
    stopper = StopTexts(("!",))
    assert [stopper.feed("a!b"), stopper.feed("c"), stopper.rest()] == ["a", "", ""]
