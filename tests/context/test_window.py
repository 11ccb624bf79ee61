"""The window around the caret: where it begins, and that typing does not move it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.window import CHARACTERS_PER_TOKEN, Window, take_window
from lsp_server.documents.snapshot import DocumentSnapshot
from tests.marked import CARET, snapshot

BUDGET_TOKENS = 100
RATE = 4.0

lines = st.lists(st.text("abc ():\t", max_size=60), max_size=40)
line_ends = st.sampled_from(["\n", "\r\n", "\r"])


def check(marked: str, budget_tokens: int = BUDGET_TOKENS, rate: float = RATE) -> Window:
    """The window of a marked text; it is the same each time, and part of the text."""
    seen = snapshot(marked)
    window = take_window(seen, budget_tokens, rate)
    assert window == take_window(seen, budget_tokens, rate)
    before, _, after = marked.replace("\r\n", "\n").replace("\r", "\n").partition(CARET)
    assert before.endswith(window.prefix)
    assert after.startswith(window.suffix)
    assert "\r" not in window.prefix + window.suffix
    return window


@given(lines, lines, line_ends, st.integers(1, 200), st.sampled_from(CHARACTERS_PER_TOKEN))
def test_the_window_is_part_of_the_text(
    before: list[str], after: list[str], line_end: str, budget_tokens: int, rate: float
) -> None:
    """Prefix and suffix meet at the caret, in LF; the prefix begins in the line that it names."""
    text_before = line_end.join(before)
    window = check(text_before + CARET + line_end.join(["", *after]), budget_tokens, rate)
    budget = max(1, budget_tokens * rate)
    assert len(window.prefix) <= 2 * budget
    assert len(window.suffix) <= 2 * budget
    assert window.first_line == text_before.count(line_end) - window.prefix.count("\n")


@given(lines, st.text("abc ():\t\"'", max_size=150))
def test_typing_in_a_line_does_not_move_the_beginning(before: list[str], typed: str) -> None:
    """Each key only appends to the prefix."""
    head = "".join(line + "\n" for line in before)
    prefixes = [check(head + typed[:end] + CARET + "\nrest\n").prefix for end in range(len(typed) + 1)]
    for shorter, longer, key in zip(prefixes, prefixes[1:], typed, strict=False):
        assert longer == shorter + key


def test_walking_down_moves_the_beginning_in_steps() -> None:
    """Over 5,000 lines the beginning moves once in a quarter of the budget, not with each line."""
    text = tuple(f"    value_{index} = compute({index})\n" for index in range(5000))
    seen = snapshot("█")
    starts = set()
    for line in range(0, 5000, 5):
        walked: DocumentSnapshot = replace(seen, lines=text, caret_line=line)
        window = take_window(walked, 1200, RATE)
        starts.add(window.first_line)
        assert len(window.prefix) >= min(0.6 * 0.85 * 4800, sum(map(len, text[:line])))
    steps = sum(map(len, text)) / (0.85 * 4800 / 4)
    assert len(starts) <= steps + 1


@pytest.mark.parametrize("marked", ["█", "a█", "█\n", "a\n█"])
def test_small_documents_are_taken_whole(marked: str) -> None:
    """Empty, without a line end at the end, or with the caret behind it."""
    before, _, after = marked.partition(CARET)
    assert check(marked) == Window(before, after, 0)


def test_one_very_long_line_is_cut() -> None:
    """What is cut from a single line is cut in steps, too; the caret's surroundings stay."""
    window = check("x" * 50_000 + CARET + "y" * 50_000)
    assert 340 < len(window.prefix) <= 680
    assert len(window.suffix) == 120
    beginnings = {1000 + typed - len(check("x" * (1000 + typed) + CARET).prefix) for typed in range(85 * 4)}
    assert len(beginnings) <= 5


def test_the_suffix_is_whole_lines() -> None:
    """But for the rest of the caret's line, a line that does not fit is left out."""
    window = check("█ rest\n" + "short\n" * 3 + "l" * 80 + "\nnot this\n")
    assert window.suffix == " rest\n" + "short\n" * 3


def test_room_tells_how_far_typing_can_go() -> None:
    """A file that fits from its beginning has nothing to move."""
    assert check("a\n█").room_characters == 0
    assert check("some line\n" * 200 + CARET).room_characters == 340
