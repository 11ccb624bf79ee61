"""An item chosen in the editor's popup: the suggestion begins with it and takes its range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.text_lines import TextLines
from lsp_server.outcome import Outcome, Skip, Suggestion
from lsp_server.protocol.to_lsp import after_chosen
from tests.marked import snapshot


@pytest.mark.parametrize(
    ("marked", "start", "end", "text", "expected"),
    [
        ("a.fo█\n", (0, 2), (0, 4), "foobar", "a.foobar█\n"),
        ("a.fo█o + 1\n", (0, 2), (0, 5), "format", "a.format█ + 1\n"),
        ("x\n█\ny\n", (1, 0), (1, 0), "if a:\n    b", "x\nif a:\n    b█\ny\n"),
    ],
)
def test_the_document_as_if_the_item_were_accepted(
    marked: str, start: tuple[int, int], end: tuple[int, int], text: str, expected: str
) -> None:
    """With the caret after it."""
    assert snapshot(marked).with_replaced(start, end, text) == snapshot(expected)


@given(st.text(alphabet="ab\n", max_size=20), st.text(alphabet="xy\n", max_size=8), st.data())
def test_applying_the_suggestion_is_accepting_both(text: str, item: str, data: st.DataObject) -> None:
    """The item, and then what was suggested for the document with it."""
    lines = TextLines(text)
    line = data.draw(st.integers(0, len(lines) - 1))
    end = (line, data.draw(st.integers(0, len(lines.line(line)))))
    start = (line, data.draw(st.integers(0, end[1])))
    seen = snapshot(text[: _offset(text, end)] + "█" + text[_offset(text, end) :])
    with_item = seen.with_replaced(start, end, item)
    made = Suggestion("!", with_item.caret_offset, with_item.caret_offset)
    whole = after_chosen(Outcome(suggestion=made), seen, start, end, item).suggestion
    assert whole is not None
    applied = text[: whole.start] + whole.text + text[whole.end :]
    there = "".join(with_item.lines)
    assert applied == there[: made.start] + "!" + there[made.end :]


def _offset(text: str, place: tuple[int, int]) -> int:
    return sum(len(line) + 1 for line in text.split("\n")[: place[0]]) + place[1]


def test_without_a_suggestion_there_is_none() -> None:
    """The item alone is the editor's business."""
    silent = Outcome(skip=Skip.EMPTY)
    assert after_chosen(silent, snapshot("█"), (0, 0), (0, 0), "item") is silent
