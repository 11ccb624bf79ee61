"""Blocks of text give the text back, are small, and stay the same while one types at the end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.engine.text_blocks import BLOCK_CHARACTERS, LONGEST_RUN, MOST_CHARACTERS, split_blocks

CLASSES: dict[str, Callable[[str], bool]] = {
    "letters": lambda c: c.isalpha(),
    "digits": lambda c: c.isdecimal(),
    "blanks": lambda c: c.isspace() and c != "\n",
    "line ends": lambda c: c == "\n",
    "underscores": lambda c: c == "_",
    "punctuation": lambda c: not c.isalnum() and not c.isspace() and c != "_",
}
EXAMPLES = {
    "letters": "aé語",
    "digits": "47",
    "blanks": " \t",
    "line ends": "\n",
    "underscores": "_",
    "punctuation": "-🙂",
}

CODE = "".join(
    f"def function_{n}(value: int) -> str:\n    if value > {n}:\n        return f'{{value}} äöü'\n\n    return ''\n\n\n"
    for n in range(60)
)

runs = st.tuples(
    st.sampled_from("aé語7 \t\r\n_-+🙂\x00\x85\u2028\ud800"),
    st.one_of(st.integers(1, 8), st.integers(1, 8), st.sampled_from([499, 998, 999, 1000, 1001, 2000, 2001, 5000])),
)
texts = st.lists(runs, max_size=30).map(lambda parts: "".join(character * count for character, count in parts))


def longest_run(text: str, belongs: Callable[[str], bool]) -> int:
    """The most characters of one class in a row."""
    longest = length = 0
    for character in text:
        length = length + 1 if belongs(character) else 0
        longest = max(longest, length)
    return longest


def is_border(text: str, place: int) -> bool:
    """Whether a cut there changes no token: after a line end, before something that is not blank."""
    return text[place - 1] == "\n" and not text[place].isspace()


def cuts_of(text: str) -> list[int]:
    """Where the blocks meet."""
    cuts, place = [], 0
    for block in split_blocks(text)[:-1]:
        place += len(block)
        cuts.append(place)
    return cuts


@given(texts)
@settings(max_examples=80, deadline=None)
def test_blocks_are_small_and_give_the_text_back(text: str) -> None:
    """Whatever it consists of."""
    blocks = split_blocks(text)
    assert "".join(blocks) == text
    assert all(0 < len(block) <= MOST_CHARACTERS for block in blocks)
    for belongs in CLASSES.values():
        assert max((longest_run(block, belongs) for block in blocks), default=0) <= LONGEST_RUN


words = st.sampled_from(["x", "  ", "\n", "\r\n", "\n\n", "foo(a)", "\t# ä", "return\n"])


@given(st.lists(words, max_size=3000).map("".join))
@settings(max_examples=50, deadline=None)
def test_ordinary_text_is_cut_at_borders_only(text: str) -> None:
    """No run and no line is too long here."""
    if max(map(len, re.split(r"\n(?=\S)", text))) < MOST_CHARACTERS:
        assert all(is_border(text, cut) for cut in cuts_of(text))


@pytest.mark.parametrize("belongs", CLASSES)
@pytest.mark.parametrize("length", [1000, 1001, 2000, 2500])
@pytest.mark.parametrize("before", [0, 1, 250, 499])
def test_only_a_run_that_is_too_long_is_cut_inside(belongs: str, length: int, before: int) -> None:
    """Wherever it begins, and after each thousand."""
    other = "7" if belongs == "letters" else "x"
    characters = EXAMPLES[belongs] * length
    text = other * before + characters[:length] + other
    inside = [cut for cut in cuts_of(text) if before < cut < before + length]
    assert inside == [before + cut for cut in range(LONGEST_RUN, length, LONGEST_RUN)]


def test_a_line_that_is_too_long_is_cut_at_the_limit() -> None:
    """Though no run in it is."""
    assert [len(block) for block in split_blocks("ab1 " * 2500)] == [MOST_CHARACTERS, MOST_CHARACTERS, 1808]
    assert [len(block) for block in split_blocks("a\n" + "ab1 " * 2500)][1:] == [MOST_CHARACTERS, MOST_CHARACTERS, 1808]


def test_line_ends_and_blanks_are_no_run_together() -> None:
    """Such a gap stays whole up to the limit."""
    assert split_blocks("x" + " \n" * 1000 + "y") == ["x" + " \n" * 1000, "y"]


def test_short_text_is_one_block() -> None:
    """And no text is none."""
    assert split_blocks("") == []
    assert split_blocks("a\nb\n") == ["a\nb\n"]


def test_blocks_of_code_have_the_preferred_size() -> None:
    """Neither many small ones nor large ones."""
    *blocks, last = split_blocks(CODE)
    assert all(BLOCK_CHARACTERS / 2 < len(block) <= BLOCK_CHARACTERS for block in blocks)
    assert len(last) <= BLOCK_CHARACTERS


@given(st.integers(0, len(CODE)), st.integers(1, 400))
@settings(max_examples=200, deadline=None)
def test_typing_at_the_end_changes_the_last_blocks_only(length: int, typed: int) -> None:
    """All others are found in the cache of token ids."""
    before, after = split_blocks(CODE[:length]), split_blocks(CODE[: length + typed])
    kept = max(0, len(before) - 2)
    assert after[:kept] == before[:kept]


@pytest.mark.parametrize("run", [1, 998, 999, 1000, 1001, 10**9])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_text_takes_long(kind: str, run: int) -> None:
    """300,000 characters in less than a second: runs just below the limit must not be looked at again and again."""
    other = "7" if kind == "letters" else "x"
    part = (EXAMPLES[kind] * run)[:run] if run < 10**9 else EXAMPLES[kind] * 300_000
    text = ((part + other) * (300_000 // len(part) + 1))[:300_000]
    began = time.process_time()
    blocks = split_blocks(text)
    assert time.process_time() - began < 1.0
    assert "".join(blocks) == text


@pytest.mark.parametrize("gap", ["\n" * 900, " \n" * 900, "\n" * 1500, " \t\r\n" * 500])
def test_long_stretches_of_blank_lines_do_not_take_long(gap: str) -> None:
    """There is no border in them to cut at."""
    text = f"x = 1\n{gap}" * 300
    began = time.process_time()
    blocks = split_blocks(text)
    assert time.process_time() - began < 1.0
    assert "".join(blocks) == text
