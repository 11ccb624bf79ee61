"""Models that have lost their way, and documents that nobody would write: the pipeline ends soon and never raises."""

from __future__ import annotations

import time

import pytest

from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from tests.postprocess.taking import place, taken

MARKERS = [
    "<|fim_middle|>", "<|endoftext|>", "<|im_start|>", "<fim_suffix>", "<｜fim▁hole｜>", "▁<MID>", "<PRE>", "<role>",
    "</role>", "<file_sep>", "</s>", "<eos>", "[INST]", "\n```python\n", "<start_of_turn>", "<|reserved_token_0|>",
]  # fmt: skip


@pytest.mark.parametrize("marker", MARKERS)
def test_control_tokens_end_a_suggestion(marker: str) -> None:
    """Whatever family of models they are from."""
    assert taken("x = █\n", f"1{marker}2") == "x = 1█\n"
    assert taken("x = █\n", f"{marker}2") == "x = █\n"


@pytest.mark.parametrize(
    ("language", "marked", "model_says"),
    [
        ("python", 'MARK = "<|fim_prefix|>"\nx = █\n', '"<|fim_prefix|>"'),  # a file that is about them
        ("html", "<p>█</p>\n", "<s>old</s> new"),
        ("markdown", "Run\n█\n", "```\nmake\n```"),
        ("typescript", "const x: Map<█>;\n", "string, File"),
        ("cpp", "std::vector<█> v;\n", "role"),
        ("rust", "let x = |a| █;\n", "b | a"),
    ],
)
def test_what_only_looks_like_one(language: str, marked: str, model_says: str) -> None:
    """What the document says itself, markup, and code stay."""
    assert taken(marked, model_says, language, parsed=False) == marked.replace("█", model_says + "█")


HOSTILE = {
    "the same line": "x = 1\n" * 10_000,
    "10,000 lines": "".join(f"x{number} = {number}\n" for number in range(10_000)),
    "one line": "ab cd " * 170_000,
    "one word": "a" * 1_000_000,
    "closers": ")]}" * 330_000,
    "openers": "([{" * 330_000,
    "line ends": "\n" * 1_000_000,
    "carriage returns": "\r" * 1_000_000,
    "quotes": '"' * 1_000_000,
    "escapes": "\\" * 1_000_000,
    "comments": "/*" * 500_000,
    "NUL": "\0" * 1_000_000,
    "half a marker": "<|" + "a" * 1_000_000,
    "surrogates": "\ud800" * 1_000_000,
    "colours": "\x1b[31m" * 200_000,
    "deep": "".join(" " * depth + "if x:\n" for depth in range(1_400)),
    "decorators": "@a\n" * 300_000,
    "numbers": "".join(f"{number}, " for number in range(150_000)),
}
DOCUMENTS = [
    ("python", "def f():\n    █\n    return x\n"),
    ("typescript", "function f() {\r\n  foo(█)\r\n}\r\n"),
    ("c", "int f() {\n  g();█\n}\n"),
    ("markdown", "█"),
    ("python", "x = [1,\n" * 300 + "█\n" + "]\n" * 300),
]


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("language", "marked"), DOCUMENTS)
def test_the_pipeline_ends_soon(language: str, marked: str, said: str) -> None:
    """A megabyte takes no longer than a part of a second, most of it in what is cut first."""
    seen = place(marked, language)
    began_s = time.perf_counter()
    left, _ = pipeline.run(Candidate(said, seen, 1000))
    assert time.perf_counter() - began_s < 2
    assert not left.text.strip() or len(left.text) <= 16_000


@pytest.mark.parametrize(
    "marked",
    ["█", "\n█", "x = 1█", "x = 1\r\n█", "\r█", chr(0xD83D) + "█" + chr(0xDE00), "\0█\0", "█" + "}" * 500, "\t█"],
)
@pytest.mark.parametrize("language", ["python", "typescript", "plaintext"])
def test_odd_documents(marked: str, language: str) -> None:
    """Empty ones, ends without a line end, halves of characters, NUL: nothing raises."""
    for said in ("", " ", "\n", "a", "}", "a\n\nb", '"', "\x1b[0m", "if x:\n    y"):
        taken(marked, said, language)


@pytest.mark.parametrize("broken", ["\x1b[31m", "\0", "\ud800", chr(0xDFFF), "\u202e", "\ufeff", "\x07"])
def test_what_no_editor_should_get(broken: str) -> None:
    """The suggestion ends before it, and is silent where it begins with it."""
    assert taken("x = █\n", f"1{broken}2") == "x = 1█\n"
    assert taken("x = █\n", f"{broken}2") == "x = █\n"


def test_a_line_that_no_screen_shows() -> None:
    """It is not shown, the lines before it are."""
    long = "+".join(f"a{number}" for number in range(400))
    assert taken("█\n", f"x = 1\ny = {long}\nz = 2", parsed=False) == "x = 1█\n"
    assert taken("x = █\n", long) == "x = █\n"
