"""What holds for every document and every answer, hostile ones included."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.text_lines import split_lines
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.brackets import unmatched
from lsp_server.postprocess.rule import Candidate
from tests.marked import CARET, snapshot
from tests.postprocess.taking import after, place, taken
from tests.postprocess.test_good_suggestions import CASES
from tests.postprocess.test_stream import streamed

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


# Documents of real languages, their answers with noise in them

NOISE = (")", "}", "]", "(", "{", "\n", "    ", " ", "if x", "return a", "foo()", "\n\n", "else:", "x = 1", '"', "'",
         "# c", "// c", ";", ":", ",", "def f():", "\n}",
         "\t", '"""', "\x1b[0m", "<|fim_middle|>", "\ud800")  # fmt: skip
WITH_BLOCKS = [case for case in CASES if case[0] in ("python", "typescript", "go", "rust", "c", "java")]

noise = st.lists(st.sampled_from(NOISE), max_size=4).map("".join)


@st.composite
def situations(draw: st.DrawFn) -> tuple[str, str, str]:
    """A language, a document with a caret, and an answer."""
    language, marked, model_says = draw(st.sampled_from(WITH_BLOCKS))
    if draw(st.booleans()):
        model_says = draw(st.sampled_from(CASES))[2]
    cut = draw(st.integers(0, len(model_says)))
    model_says = model_says[:cut] + draw(noise) + model_says[cut:] + draw(noise)
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(marked)))
        marked = marked[:cut] + draw(noise) + marked[cut:]
    return language, marked, model_says


@given(situations(), line_ends)
def test_no_node_of_an_error_is_added(situation: tuple[str, str, str], line_end: str) -> None:
    """Wherever there is a grammar, whatever the document looked like before."""
    language, marked, model_says = situation
    seen = place(marked.replace("\n", line_end), language)
    left, _ = pipeline.run(Candidate(model_says, seen, 12))
    assert seen.syntax is not None
    if left.text.strip():
        start = seen.caret_offset
        then = seen.syntax.with_replaced(start, start + left.replaced_characters, left.text)
        assert then is not None
        assert then.errors() <= seen.syntax.errors()


@given(situations())
def test_no_closer_and_no_line_twice(situation: tuple[str, str, str]) -> None:
    """There are no more lonely closing brackets than before, and the document does not go on as the suggestion ends."""
    language, marked, model_says = situation
    seen = place(marked, language, parsed=False)
    left, _ = pipeline.run(Candidate(model_says, seen, 12))
    said = left.text.split("\n")
    if not left.text.strip() or left.surroundings.opened:
        return
    document = after(left).replace(CARET, "")
    assert len(unmatched(document, language)[0]) <= len(unmatched("".join(seen.lines), language)[0])
    assert len(said) < 2 or not any(map(str.isalnum, said[-1])) or said[-1] not in left.surroundings.following[:1]


@given(situations())
def test_twice_is_once(situation: tuple[str, str, str]) -> None:
    """What was shown is shown in full when it comes from the cache."""
    language, marked, model_says = situation
    seen = place(marked, language)
    left, _ = pipeline.run(Candidate(model_says, seen, 12))
    if left.text.strip():
        again, _ = pipeline.run(Candidate(left.text, seen, 12), pipeline.AT_THE_PLACE)
        assert after(again).replace(CARET, "") == after(left).replace(CARET, "")


@given(situations())
def test_what_is_heard_is_enough(situation: tuple[str, str, str]) -> None:
    """Ending generation early changes nothing of what is shown."""
    language, marked, model_says = situation
    assert taken(marked, streamed(marked, model_says, language), language) == taken(marked, model_says, language)
