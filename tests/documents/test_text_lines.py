"""Lines against a model that is nothing but a string and offsets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.text_lines import Edit, TextLines, split_lines, without_end

PIECES = (
    "\n",
    "\r",
    "\r\n",
    "a",
    "bc",
    " ",
    "\t",
    "é",
    "𝄞",
    "\ud83d",
    "\udc00",
    "\u2028",
    "\u0085",
    "\x0b",
    "\x0c",
    "\0",
)
pieces = st.sampled_from(("\n", "\r", "a")) | st.sampled_from(PIECES)
texts = st.lists(pieces, max_size=8).map("".join)
positions = st.tuples(st.integers(-1, 6), st.integers(-1, 4))
edits = st.lists(st.tuples(positions, positions, texts), max_size=12)


class Model:
    """The same text as one string. Slow, and right at a glance."""

    def __init__(self, text: str) -> None:
        self.text = text

    def bounds(self) -> list[tuple[int, int]]:
        """Where each line begins, and where it ends without its line end."""
        ends = [(found.start(), found.end()) for found in re.finditer("\r\n|\r|\n", self.text)]
        starts = [0, *(end for _, end in ends)]
        return list(zip(starts, [*(start for start, _ in ends), len(self.text)], strict=True))

    def offset(self, position: tuple[int, int]) -> int:
        line, column = position
        bounds = self.bounds()
        if line < 0:
            return 0
        if line >= len(bounds):
            return len(self.text)
        start, end = bounds[line]
        return min(start + max(0, column), end)

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        low, high = sorted((self.offset(start), self.offset(end)))
        self.text = self.text[:low] + text + self.text[high:]


@given(texts)
def test_lines_joined_are_the_text(text: str) -> None:
    """Nothing is lost or made up, and only LF, CR LF and CR end a line."""
    lines = split_lines(text)
    assert "".join(lines) == text
    assert [without_end(line) for line in lines] == re.split("\r\n|\r|\n", text)


@given(texts, edits)
def test_edits_do_to_lines_what_they_do_to_a_string(
    text: str, changes: list[tuple[tuple[int, int], tuple[int, int], str]]
) -> None:
    """After each edit the lines are those of the edited string, wherever CR and LF met or parted."""
    lines, model = TextLines(text), Model(text)
    for start, end, fresh in changes:
        lines.replace(start, end, fresh)
        model.replace(start, end, fresh)
        assert lines.frozen() == tuple(split_lines(model.text))


@pytest.mark.parametrize(
    ("text", "start", "end", "fresh", "lines"),
    [
        ("a\rb", (1, 0), (1, 0), "\n", ("a\r\n", "b")),  # LF arrives behind a bare CR
        ("a\nb", (0, 1), (0, 1), "\r", ("a\r\n", "b")),  # CR arrives before an LF
        ("a\rb\nc", (1, 0), (1, 1), "", ("a\r\n", "c")),  # what stood between them goes
        ("a\r\nb", (0, 1), (1, 0), "\r", ("a\r", "b")),
        ("a\r\nb", (0, 1), (0, 99), "x", ("ax\r\n", "b")),  # no column is inside of a line end
        ("a\n", (9, 9), (1, 0), "b", ("a\n", "b")),  # backwards, and past the end
    ],
)
def test_cr_and_lf_meet_and_part(  # the cases that random edits rarely find
    text: str, start: tuple[int, int], end: tuple[int, int], fresh: str, lines: tuple[str, ...]
) -> None:
    """CR LF is one line end, however it came about."""
    edited = TextLines(text)
    edited.replace(start, end, fresh)
    assert edited.frozen() == lines


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, counted in another way than in the product."""
    before = text[:offset]
    ends = [found.end() for found in re.finditer("\r\n|\r|\n", text) if found.end() <= offset]
    return len(ends), len(before) - (ends[-1] if ends else 0)


@given(texts, positions, positions, texts)
def test_an_edit_says_what_was_done(text: str, start: tuple[int, int], end: tuple[int, int], fresh: str) -> None:
    """Everything outside of it is as it was; its places are those of its offsets, before and after."""
    lines = TextLines(text)
    edit = lines.replace(start, end, fresh)
    edited = "".join(lines)
    check_edit(edit, text, edited)
    start, end = sorted((TextLines(text).clamp(*start), TextLines(text).clamp(*end)))
    assert edit.only_deletes == (start != end and not fresh)


@given(texts, texts)
def test_another_text_is_an_edit(text: str, other: str) -> None:
    """Lines that stay are no part of it."""
    lines = TextLines(text)
    edit = lines.become(other)
    assert lines.frozen() == tuple(split_lines(other))
    check_edit(edit, text, other)


def check_edit(edit: Edit, text: str, edited: str) -> None:
    assert text[: edit.start_offset] == edited[: edit.start_offset]
    assert text[edit.old_end_offset :] == edited[edit.new_end_offset :]
    assert edit.removed_characters >= 0 <= edit.inserted_characters
    assert edit.old_end == place(text, edit.old_end_offset)
    assert edit.new_end == place(edited, edit.new_end_offset)
    assert edit.start in (place(text, edit.start_offset), place(edited, edit.start_offset))
    gap = edit.gap
    rest = edited[: edit.new_end_offset].rstrip()
    if gap is None:
        assert len(rest) == len(edited)
    else:
        assert gap.offset == len(rest)
        assert gap.second == place(edited, gap.offset + 1)


def test_only_the_lines_that_differ_are_the_edit() -> None:
    """An editor that sends all of the text at each key has edited one line."""
    lines = TextLines("one\ntwo\nthree\n")
    edit = lines.become("one\ntwo!\nthree\n")
    assert (edit.start, edit.old_end, edit.new_end) == ((1, 0), (2, 0), (2, 0))
    assert (edit.start_offset, edit.old_end_offset, edit.new_end_offset) == (4, 8, 9)
    assert lines.become("one\ntwo!\nthree\n").start_offset >= 9


@given(texts, positions)
def test_clamped_positions_exist(text: str, position: tuple[int, int]) -> None:
    """Any position becomes the nearest one in the text, and stays what it is from then on."""
    lines, model = TextLines(text), Model(text)
    line, column = lines.clamp(*position)
    start, end = model.bounds()[line]
    assert start + column == model.offset(position) <= end
    assert lines.clamp(line, column) == (line, column)


def test_a_frozen_view_stays() -> None:
    """What was handed out does not change with the document."""
    lines = TextLines("a\nb")
    frozen = lines.frozen()
    lines.replace((0, 0), (1, 1), "c")
    assert frozen == ("a\n", "b")
    assert list(lines) == ["c"]
    assert len(lines) == 1


@pytest.mark.parametrize(("index", "line"), [(-1, ""), (0, "a"), (1, ""), (2, "")])
def test_lines_past_the_end_are_empty(index: int, line: str) -> None:
    """No index is an error."""
    assert TextLines("a\r\n").line(index) == line
