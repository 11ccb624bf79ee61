"""What a snapshot says about its text and caret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marked import CARET, snapshot

texts = st.lists(st.sampled_from(["\n", "\r", "\r\n", "a", "bc ", "é𝄞", "\u2028"]), max_size=12).map("".join)


@given(texts, texts)
def test_the_caret_splits_the_text(before: str, after: str) -> None:
    """Offset, line and the two parts of the line are those of the marked place."""
    if before.endswith("\r") and after.startswith("\n"):
        return  # no caret can stand there
    seen = snapshot(before + CARET + after)
    text = "".join(seen.lines)
    assert text == before + after
    assert seen.caret_offset == len(before)
    assert seen.size_characters == len(text)
    assert before.endswith(seen.line_before_caret)
    assert after.startswith(seen.line_after_caret)
    assert not {"\r", "\n"} & set(seen.line_before_caret + seen.line_after_caret)


@pytest.mark.parametrize(
    ("marked", "line_end"), [("█", "\n"), ("a█", "\n"), ("a\n█", "\n"), ("a\r\nb█\n", "\r\n"), ("a\rb█", "\r")]
)
def test_the_line_end_is_that_of_the_first_line(marked: str, line_end: str) -> None:
    """LF where the file has no line end to show."""
    assert snapshot(marked).line_end == line_end


@given(st.text("aé€𝄞\ud83d\n", max_size=20), st.integers(0, 90))
def test_size_is_counted_in_bytes(text: str, limit_bytes: int) -> None:
    """A file is as large as it is on disk, whatever its characters."""
    size_bytes = len(text.encode("utf-8", "surrogatepass"))
    assert snapshot(text + CARET).is_larger_than(limit_bytes) == (size_bytes > limit_bytes)
