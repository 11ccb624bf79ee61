"""What editors get."""

from __future__ import annotations

import pytest
from lsprotocol import types

from lsp_server.documents.positions import PositionEncoding
from lsp_server.outcome import Outcome, Skip, Suggestion
from lsp_server.protocol import to_lsp
from tests.marked import snapshot

UTF8, UTF16, UTF32 = PositionEncoding.UTF8, PositionEncoding.UTF16, PositionEncoding.UTF32


@pytest.mark.parametrize(("encoding", "column"), [(UTF8, 8), (UTF16, 5), (UTF32, 4)])
def test_columns_are_in_units_of_the_encoding(encoding: PositionEncoding, column: int) -> None:
    """The same place has another column in each."""
    document = snapshot("one\n'é😀'█ rest")
    expected = types.Position(line=1, character=column)
    assert to_lsp.position_at(document, document.caret_offset, encoding) == expected


@pytest.mark.parametrize(("offset", "place"), [(0, (0, 0)), (3, (0, 3)), (5, (1, 0)), (9, (2, 0)), (99, (2, 1))])
def test_every_offset_has_a_position(offset: int, place: tuple[int, int]) -> None:
    """Before the caret, after it and past the end."""
    document = snapshot("one\r\ntw█o\nx")
    assert to_lsp.position_at(document, offset, UTF16) == types.Position(*place)


def test_a_skip_is_an_empty_list() -> None:
    """Silence is no error."""
    document = snapshot("x█")
    assert to_lsp.inline_list(Outcome(skip=Skip.EMPTY), document, UTF16).items == []
    assert to_lsp.completion_list(None, document, UTF16) == types.CompletionList(is_incomplete=True, items=[])


def test_the_range_covers_what_is_replaced() -> None:
    """A suggestion that takes the place of text after the caret says so."""
    document = snapshot("f(█)")
    outcome = Outcome(suggestion=Suggestion("x)", 2, 3))
    (item,) = to_lsp.inline_list(outcome, document, UTF16).items
    assert item.range == types.Range(types.Position(0, 2), types.Position(0, 3))


def test_a_popup_item_begins_with_the_word_before_the_caret() -> None:
    """Editors filter by it; the label is one line."""
    document = snapshot("x = pri█")
    outcome = Outcome(suggestion=Suggestion("nt(x)\nprint(y)", 7, 7))
    (item,) = to_lsp.completion_list(outcome, document, UTF16).items
    assert item.label == "print(x) …"
    assert item.filter_text == "print(x)\nprint(y)"
    assert item.text_edit == types.TextEdit(
        range=types.Range(types.Position(0, 4), types.Position(0, 7)), new_text="print(x)\nprint(y)"
    )
