"""What holds for every document and every answer, hostile ones included."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.text_lines import split_lines
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from tests.marked import CARET, snapshot

CODE = (
    "x",
    "foo",
    " ",
    "    ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    ":",
    ";",
    ",",
    "+ 1",
    "é",
    "𝄞",
    "\t",
    "\n",
    "\n",
    "\n}\n",
)
HOSTILE = ("\0", "\x1b[31m", "\r", "\r\n", "\u2028", "\u202e", "\ud800", "\ufeff", "\x0c", "<role>", "\U000e0041")

line_ends = st.sampled_from(["\n", "\r\n", "\r"])
code = st.lists(st.sampled_from(CODE), max_size=12).map("".join)
answers = st.lists(st.sampled_from(CODE + HOSTILE), max_size=16).map("".join)
limits = st.integers(1, 5)


def run(before: str, after: str, answer: str, max_lines: int = 12, line_end: str = "\n") -> tuple[Candidate, str]:
    """What is left of the answer, and the document once it was taken."""
    seen = snapshot((before + CARET + after).replace("\n", line_end))
    left, _ = pipeline.run(Candidate(answer, seen, max_lines))
    text, place = "".join(seen.lines), seen.caret_offset
    return left, text[:place] + left.text + text[place + left.replaced_characters :]


@given(code, code, answers, limits, line_ends)
def test_nothing_that_an_editor_would_act_on(before: str, after: str, answer: str, limit: int, line_end: str) -> None:
    """No control characters, and line ends as in the file."""
    left, _ = run(before, after, answer, limit, line_end)
    if not left.text.strip():
        return
    uses = left.snapshot.line_end
    plain = left.text.replace(uses, "")
    assert not {"\r", "\n"} & set(plain)
    assert not [each for each in plain if unicodedata.category(each) in ("Cc", "Cs", "Cf", "Zl", "Zp") and each != "\t"]


@given(code, code, answers, limits)
def test_never_more_lines_than_allowed(before: str, after: str, answer: str, limit: int) -> None:
    """One where text follows on the line; a line end right at the caret does not count."""
    left, _ = run(before, after, answer, limit)
    if not left.text.strip():
        return
    said = split_lines(left.text)
    inside = left.snapshot.line_after_caret.strip()
    assert len(said) - (not said[0].strip()) <= (1 if inside else limit)
    assert not inside or len(said) == 1


@given(code, code, answers)
def test_only_what_is_left_of_the_line_is_replaced(before: str, after: str, answer: str) -> None:
    """The replaced part is closing quotes and brackets of this line, and the suggestion has them all."""
    left, _ = run(before, after, answer)
    replaced = left.snapshot.line_after_caret[: left.replaced_characters]
    assert len(replaced) == left.replaced_characters
    assert set(replaced[:-1]) <= set(")]}\"'`")
    said = iter(left.text)
    assert not left.text.strip() or all(each in said for each in replaced)


@given(code, st.sampled_from(["foo", " + 1", ", x=2", "é𝄞"]), st.text("ab(", max_size=6))
def test_an_answer_that_says_the_rest_of_the_line_is_taken_as_said(before: str, rest: str, said: str) -> None:
    """It is in the document once, as the answer has it."""
    left, taken = run(before, rest + "\nnext", said + rest)
    if left.text.strip():
        assert taken == before + said + rest + "\nnext"


@given(
    code,
    st.sampled_from(["foo()", "    x = 1", "}", "end"]),
    st.lists(st.sampled_from(["a = 1", "    b", ""]), max_size=3),
)
def test_the_next_line_is_never_said_again(before: str, following: str, said: list[str]) -> None:
    """Wherever in the answer it comes."""
    left, _ = run(before, f"\n\n{following}\nmore", "\n".join(["x", *said, following, "z"]))
    assert following not in left.text.split("\n")[1:]
    blank, _ = run("a\n", f"\n{following}\nmore", following)
    assert not blank.text.strip()


@given(code, code, answers)
def test_the_rules_settle(before: str, after: str, answer: str) -> None:
    """The suggestion is a part of the answer, and one verdict stands for each rule that ran."""
    seen = snapshot(before + CARET + after)
    left, verdicts = pipeline.run(Candidate(answer, seen, 12))
    assert left.text in answer.replace("\r\n", "\n").replace("\r", "\n")
    assert [each.rule for each in verdicts] == [rule.__name__ for rule in pipeline.AT_THE_END[: len(verdicts)]]
    assert {each.verdict for each in verdicts} <= {"kept", "changed", "emptied"}
    assert (verdicts[-1].verdict == "emptied") == (not left.text.strip()) or len(verdicts) == len(pipeline.AT_THE_END)
