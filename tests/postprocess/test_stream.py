"""Generation ends as soon as nothing more would be shown."""

from __future__ import annotations

import re
import time

import pytest

from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.stream import StreamedAnswer
from tests.postprocess.taking import after, place, taken
from tests.postprocess.test_good_suggestions import CASES

TOKEN = re.compile(r"\w{1,4}|\n\s*|\s|.", re.DOTALL)


def streamed(marked: str, model_says: str, language: str = "python", max_lines: int = 12) -> str:
    """What the model gets to say of its answer."""
    stream = StreamedAnswer(Candidate("", place(marked, language), max_lines))
    said = ""
    for token in TOKEN.findall(model_says):
        said += token
        if stream.feed(token):
            break
    return said


@pytest.mark.parametrize(
    ("language", "marked", "model_says", "heard"),
    [
        ("python", "x = █\n", "1\ny = 2\nz = 3", "1\ny "),  # a single line
        ("python", "def f():\n    █\n", "return 1\n\n\ndef g():\n    return 2", "return 1\n\n\ndef "),  # a block
        ("python", "def f():█\n", "\n    a()\n\nb()", "\n    a()\n\nb("),
        ("typescript", "function f() {█\n}\n", "\n  a();\n}\n\nfunction g() {", "\n  a();\n}"),  # the closer is there
        ("typescript", "if (a) {\n  b(█)\n}\n", "c)\n", "c)\n"),
        ("python", "a()\n█\nfoo(c)\n", "b()\nfoo(c)\nd()", "b()\nfoo(c)\n"),  # what follows
        ("python", "compute(a)\n█\n", "compute(a)\nb()\nc()", "compute(a)\n"),  # what stands before
        ("python", "█\n", "a()\n" * 9, "a()\n" * 3),  # a loop
        ("python", "x = █\n", "word and " * 99, "word and " * 5 + "word"),
        ("python", "█\n", "\n" * 99, "\n" * 99),  # one token
        ("python", "█\n", "a\x00bc", "a\x00bc"),
        ("python", "█\n", "a\nb<|endoftext|>\nc\nd", "a\nb<|endoftext|>\n"),
    ],
)
def test_it_ends_early(language: str, marked: str, model_says: str, heard: str) -> None:
    """With the first token that tells."""
    assert streamed(marked, model_says, language) == heard


def test_the_line_limit_ends_it() -> None:
    """At the end of the last line that may be shown."""
    said = "".join(f"x{number} = {number}\n" for number in range(99))
    assert streamed("█\n", said, max_lines=3).count("\n") == 3
    assert len(streamed("x = █\n", "+".join(map(str, range(9999))))) < 1_100


@pytest.mark.parametrize("piece", ["\n", "\r\n", " ", "\t\n"])
def test_an_endless_nothing_ends(piece: str) -> None:
    """Blank lines, and a line that does not end."""
    stream = StreamedAnswer(Candidate("", place("█\n"), 1000))
    assert any(stream.feed(piece) for _ in range(2000))


@pytest.mark.parametrize(("language", "marked", "model_says"), CASES)
def test_a_good_suggestion_comes_to_its_end(language: str, marked: str, model_says: str) -> None:
    """It is not ended before."""
    assert streamed(marked, model_says, language) == model_says


@pytest.mark.parametrize(("language", "marked", "model_says"), CASES)
@pytest.mark.parametrize("more", ["\n\n\ndef other():\n    pass\n", "\n}\n}\n}\n", "\n" + "again()\n" * 9])
def test_what_is_shown_does_not_depend_on_it(language: str, marked: str, model_says: str, more: str) -> None:
    """The whole answer gives the same suggestion as the part of it that was heard."""
    said = model_says + more
    assert taken(marked, streamed(marked, said, language), language) == taken(marked, said, language)


def test_a_long_answer_costs_little_a_piece() -> None:
    """The work is linear in its length: the mean is far below a millisecond, whatever the limits are."""
    stream = StreamedAnswer(Candidate("", place("def f():\n    █\n"), 1000))
    stream.feed("x")  # looks at the document once
    pieces = TOKEN.findall("".join(f" = {number}\n    x{number}" for number in range(600)))
    began_s = time.perf_counter()
    for piece in pieces:
        assert not stream.feed(piece)
    assert (time.perf_counter() - began_s) / len(pieces) < 0.001


def test_documents_with_other_line_ends() -> None:
    """CR LF from the model is one line end."""
    candidate = Candidate("", place("x = 1\r\nif x:█\r\n"), 12)
    stream = StreamedAnswer(candidate)
    assert not any(map(stream.feed, ("\r\n", "    a()", "\r\n", "    b()")))
    left, _ = pipeline.run(candidate.with_text("\r\n    a()\r\n    b()"))
    assert after(left) == "x = 1\r\nif x:\r\n    a()\r\n    b()█\r\n"
