"""Columns in every encoding, against what Python's own codecs say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.positions import PositionEncoding, to_characters, to_units, units_of

CODECS = {
    PositionEncoding.UTF8: ("utf-8", 1),
    PositionEncoding.UTF16: ("utf-16-le", 2),
    PositionEncoding.UTF32: ("utf-32-le", 4),
}
ALPHABET = "ab \té߿ࠀ€\u2028\ufffd\ud83d\udc00𝄞😀\U0010ffff"

encodings = st.sampled_from(PositionEncoding)
lines = st.text(ALPHABET, max_size=12)


def length(text: str, encoding: PositionEncoding) -> int:
    """Units of the text, as if each lone surrogate were U+FFFD: that is what an editor sends in its place."""
    codec, bytes_per_unit = CODECS[encoding]
    sent = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return len(sent.encode(codec)) // bytes_per_unit


@given(lines, encodings)
def test_lengths_are_those_of_the_encoded_text(line: str, encoding: PositionEncoding) -> None:
    """Counting units and encoding agree."""
    assert to_units(line, encoding) == length(line, encoding)
    assert sum(units_of(character, encoding) for character in line) == length(line, encoding)


@given(lines, encodings, st.integers(-3, 60))
def test_columns_are_the_last_character_that_begins_by_then(line: str, encoding: PositionEncoding, units: int) -> None:
    """Inside a character means its beginning, past the end means the end, before the line means its beginning."""
    starts = [column for column in range(len(line) + 1) if length(line[:column], encoding) <= max(0, units)]
    assert to_characters(line, units, encoding) == starts[-1]


@given(lines, encodings)
def test_every_column_survives_the_way_there_and_back(line: str, encoding: PositionEncoding) -> None:
    """A caret that came from an editor goes back to the same place."""
    for column in range(len(line) + 1):
        assert to_characters(line, to_units(line[:column], encoding), encoding) == column


@pytest.mark.parametrize(
    ("encoding", "units", "column"),
    [
        (PositionEncoding.UTF16, 2, 1),  # between the two halves of the clef
        (PositionEncoding.UTF16, 3, 2),
        (PositionEncoding.UTF8, 4, 1),
        (PositionEncoding.UTF8, 5, 2),
        (PositionEncoding.UTF32, 2, 2),
        (PositionEncoding.UTF16, 99, 3),
    ],
)
def test_the_classic_bug(encoding: PositionEncoding, units: int, column: int) -> None:
    """A character outside the basic plane is two units of UTF-16, four bytes and one code point."""
    assert to_characters("a𝄞b", units, encoding) == column
