"""What a person at the caret `█` gets to see of what the model said."""

from __future__ import annotations

import pytest

from lsp_server.postprocess import pipeline
from lsp_server.postprocess.brackets import unmatched
from tests.postprocess.taking import taken as documents_after
from tests.postprocess.taking import verdicts


def check(marked: str, model_says: str, max_lines: int = 12) -> str:
    """The document as it is once the suggestion was taken, without the help of a grammar."""
    return documents_after(marked, model_says, max_lines=max_lines, parsed=False)


@pytest.mark.parametrize(
    ("marked", "model_says", "taken"),
    [
        ("print(█)", "a, b)", "print(a, b█)"),
        ("print(█)", "len(b)", "print(len(b)█)"),  # this bracket is the answer's own
        ("print(█)", "len(b))", "print(len(b)█)"),
        ('print("█")', 'hello")', 'print("hello█")'),
        ('print("█")', 'hello"', 'print("hello█")'),
        ("foo(█, key=1)", "a, key=1)", "foo(a█, key=1)"),
        ("foo(█, key=1)", "bar(a, key=1)", "foo(bar(a, key=1)█, key=1)"),
        ("if foo(█):", "x):", "if foo(x█):"),
        ("if foo(█):", "x)", "if foo(x█):"),
        ("x = █ + 1", "a + 1", "x = a█ + 1"),
        ("word = █s", "clas", "word = clas█s"),  # one equal letter inside a word says nothing
        ("word = █s", "a + s", "word = a + █s"),
        ("x = █", "a + 1", "x = a + 1█"),
    ],
)
def test_the_rest_of_the_line_is_not_said_again(marked: str, model_says: str, taken: str) -> None:
    """What stands after the caret is not suggested once more; what the answer opened itself, it closes."""
    assert check(marked, model_says) == taken


@pytest.mark.parametrize(
    ("marked", "model_says", "taken"),
    [
        ("def f(█)", "x) -> int:", "def f(x) -> int:█"),
        ("def f(█):", "x) -> int:", "def f(x) -> int:█"),
        ("a(b(█))", "x), y", "a(b(x), y█)"),
        ("a[b(█)]", "x)] = 1", "a[b(x)] = 1█"),
        ("f(█)", "g(1)[2]", "f(g(1)[2]█)"),
        ("f(█]", "x) + 1", "f(x) + 1█]"),  # another kind of bracket
        ("f(█)", '":)"', 'f(":)"█)'),  # in quotes it closes nothing
    ],
)
def test_closers_that_the_answer_closes_are_replaced(marked: str, model_says: str, taken: str) -> None:
    """The editor's own closing brackets do not end up behind the suggestion."""
    assert check(marked, model_says) == taken


@pytest.mark.parametrize(
    ("marked", "model_says", "taken"),
    [
        ("a = 1\n█\nc = 3\n", "b = 2\nc = 3\nd = 4", "a = 1\nb = 2█\nc = 3\n"),
        ("a = 1█\n\n\nc = 3\n", "\nb = 2\nc = 3\n", "a = 1\nb = 2█\n\n\nc = 3\n"),
        ("if (a) {\n    █\n}\n", "b();\n}", "if (a) {\n    b();█\n}\n"),
        (
            "if (a) {█\n}\n",
            "\n    if (b) {\n    }\n}",
            "if (a) {\n    if (b) {\n    }█\n}\n",
        ),  # indentation tells them apart
        ("█\nc = 3\n", "c = 3", "█\nc = 3\n"),
        ("    █\n    c = 3\n    d = 4\n", "c = 3\n    d =", "    █\n    c = 3\n    d = 4\n"),
        (
            "    █\n    {\n      a: 1\n    }\n",
            "{\n      a: 0\n    },",
            "    {\n      a: 0\n    },█\n    {\n      a: 1\n    }\n",
        ),
        ("i█\ni++;\n", "++;", "i++;█\ni++;\n"),  # the user began the line: it is meant twice
        ("c = 3█\nc = 3\n", "\nd = 4", "c = 3\nd = 4█\nc = 3\n"),
    ],
)
def test_the_next_line_is_not_said_again(marked: str, model_says: str, taken: str) -> None:
    """The suggestion ends where the document goes on, and is none where it only repeats it."""
    assert check(marked, model_says) == taken


@pytest.mark.parametrize(
    ("marked", "model_says", "max_lines", "taken"),
    [
        ("█", "1\n2\n3", 2, "1\n2█"),
        ("f():█", "\n  1\n  2\n  3", 2, "f():\n  1\n  2█"),  # the first line end only finishes the line
        ("f():█", "\n\n\n1\n2", 2, "f():█"),  # blank lines count, and alone are no suggestion
        ("█", "1\n2", 1, "1█"),
        ("f(█)", "1\n2", 9, "f(1█)"),
        ("f(1)█  ", "\n2", 9, "f(1)\n2█  "),  # nothing follows but space
    ],
)
def test_lines_have_a_limit(marked: str, model_says: str, max_lines: int, taken: str) -> None:
    """As set, and one in the middle of a line."""
    assert check(marked, model_says, max_lines) == taken


@pytest.mark.parametrize(
    ("marked", "model_says", "taken"),
    [
        ("x = █", "1  \n\n", "x = 1█"),
        ("x = █+ 1", "a ", "x = a █+ 1"),
        ("x = █+ 1", "a + 1", "x = a █+ 1"),
        ("f(█)", "a, ", "f(a,█)"),
        ("x = █ + 1", "a ", "x = a█ + 1"),
    ],
)
def test_space_at_the_end_is_dropped_where_nobody_would_type_it(marked: str, model_says: str, taken: str) -> None:
    """It stays where something follows that it parts from the suggestion."""
    assert check(marked, model_says) == taken


@pytest.mark.parametrize(
    "control",
    ["\0", "\x1b", "\x0c", "\x7f", "\x85", "\u2028", "\u202e", "\u200f", "\ufeff", "\ufffd", chr(0xD800), "\U000e0041"],
)
def test_a_control_character_ends_the_suggestion(control: str) -> None:
    """What comes after something invisible or broken is not trusted."""
    assert check("█", f"good{control}bad") == "good█"


@pytest.mark.parametrize("harmless", ["\t", "é", "😀", "👩\u200d💻", "\u00a0x"])
def test_other_characters_stay(harmless: str) -> None:
    """Tabs are indentation, and joined emoji are emoji."""
    assert check("█", f"a{harmless}b") == f"a{harmless}b█"


@pytest.mark.parametrize(("line_end", "said"), [("\n", "a\r\nb\rc"), ("\r\n", "a\nb\r\nc"), ("\r", "a\nb\nc")])
def test_line_ends_are_the_files(line_end: str, said: str) -> None:
    """Whatever the model wrote."""
    assert check(f"x{line_end}█", said) == f"x{line_end}a{line_end}b{line_end}c█"


def test_verdicts_name_the_rule() -> None:
    """The trace says which rule changed the answer, and stops at the one that emptied it."""
    found = verdicts("f(█)", "a)")
    assert list(found) == [rule.__name__ for rule in pipeline.AT_THE_END]
    assert {rule for rule, verdict in found.items() if verdict != "kept"} == {"before_the_rest_of_the_line"}
    assert verdicts("█", "\0") == {"without_control_characters": "emptied"}
    assert verdicts("def f(█)", "x) -> int:")["over_the_closers"] == "changed"


@pytest.mark.parametrize(
    ("code", "closers", "openers"),
    [
        ("", "", ""),
        ("f(a)", "", ""),
        ("a), b(", ")", "("),
        ("])([", "])", "(["),
        ('\'(\' "[\\""', "", ""),
        ("(]", "", "("),
    ],
)
def test_brackets_without_a_partner(code: str, closers: str, openers: str) -> None:
    """In order; text in quotes does not count."""
    assert unmatched(code) == (closers, openers)


@pytest.mark.parametrize(
    ("model_says", "taken"),
    [
        ("a()\nb()\nb()\nb()\nb()", "a()\nb()█"),
        ("a()\n    a()\n  a()\nb()", "a()█"),  # indentation does not hide a loop
        ("a()\nb()\nb()\nc()", "a()\nb()\nb()\nc()█"),
        ("f(a)\ng(b)\n" * 3, "f(a)\ng(b)█"),  # a round of two
        ("read_the_first(a)\nwrite_the_other(b)\n" * 2 + "c()", "read_the_first(a)\nwrite_the_other(b)█"),
        ("if a {\n}\n}\n}", "if a {\n}█"),
        ("x = f(a).g(1)" + ".g(1).h(2)" * 20, "x = f(a).g(1).g(1).h(2)█"),
        ("type=int, " + "default=int, " * 9, "type=int, default=int█"),
        ("return [" + "Item(1), " * 20, "█"),  # what it began is not closed
        ("the number of " * 9, "█"),  # words without a sign are no code
        ("0x" + "0" * 60, "█"),
        ('"' + "0" * 40 + '"', '"' + "0" * 40 + '"█'),
        ("x = [" + "0, " * 20 + "0]", "x = [" + "0, " * 20 + "0]█"),
        ("# " + "-" * 60, "# " + "-" * 60 + "█"),
        ("if a:\n" + " " * 40 + "b", "if a:\n" + " " * 40 + "b█"),
    ],
)
def test_a_loop_ends_the_suggestion(model_says: str, taken: str) -> None:
    """Three equal lines in a row are one, and so are three equal stretches of a line, unless code is written so."""
    assert check("█", model_says) == taken
