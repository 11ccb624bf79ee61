"""Brackets, quotes, indentation and neighbouring lines: the suggestion fits into the document around it."""

from __future__ import annotations

import pytest

from tests.postprocess.taking import taken, verdicts


@pytest.mark.parametrize(
    ("language", "marked", "model_says", "document"),
    [
        ("python", "f(█", "a))", "f(a)█"),
        ("python", "f(█)", "a]", "f(a█)"),
        ("python", "x = [\n    1,\n    █\n]\n", "2,\n    3,\n]\ny = 4", "x = [\n    1,\n    2,\n    3,█\n]\n"),
        ("python", "f(█)  # (\n", 'a, ")")', 'f(a, ")"█)  # (\n'),  # no bracket in a string or a comment
        ("c", "int f() {\n    █\n}\n", "char c = '}';", "int f() {\n    char c = '}';█\n}\n"),
        ("rust", "fn f<'a>(x: &'a str) {\n    █\n}\n", "g(x);\n}", "fn f<'a>(x: &'a str) {\n    g(x);█\n}\n"),
        ("typescript", "f(() => {\n  █\n});\n", "g();\n});\nh();", "f(() => {\n  g();█\n});\n"),
        ("typescript", "f(() => {\n  █\n", "g();\n});\nh();", "f(() => {\n  g();\n});█\n"),
        ("javascript", "f(█)\n", '/[)]"/g, b)', 'f(/[)]"/g, b█)\n'),  # nor in a regular expression
        ("typescript", "f(`${█}`)\n", "a} ${b}`)", "f(`${a} ${b█}`)\n"),
        ("cpp", "int f() { █}\n", "return 1; }", "int f() { return 1; █}\n"),
        ("markdown", "█\n", "1) one :)", "1) one :)█\n"),
        ("yaml", "a: █\n", "b :)", "a: b :)█\n"),
    ],
)
def test_brackets_balance(language: str, marked: str, model_says: str, document: str) -> None:
    """The suggestion closes what it opened and what the document left open, nothing else."""
    assert taken(marked, model_says, language) == document


@pytest.mark.parametrize(
    ("marked", "model_says", "document"),
    [
        ('f("█")', 'hello %s" % name)', 'f("hello %s" % name)█'),
        ('f("█")', 'a", "b', 'f("a", "b█")'),
        ("x = ['█']", "a', 'b']", "x = ['a', 'b█']"),
        ('f("█"):', 'a", b):', 'f("a", b):█'),
        ("f(█, c)", "a, b, c) + 1", "f(a, b█, c)"),
    ],
)
def test_quotes_that_the_editor_inserted(marked: str, model_says: str, document: str) -> None:
    """Their place is taken where the suggestion closes them, and they stay where it does not."""
    assert taken(marked, model_says, parsed=False) == document


@pytest.mark.parametrize(
    ("language", "marked", "model_says", "document"),
    [
        ("python", "def f():\n    █\n", "    return 1", "def f():\n    return 1█\n"),
        ("python", "if a:\n    x = 1\n    █\n", "    y = 2\n    f(y)", "if a:\n    x = 1\n    y = 2\n    f(y)█\n"),
        ("python", "def f():\n█\n", "    return 1", "def f():\n    return 1█\n"),
        ("python", "if a:\n    if b:\n    █\n", "    c()", "if a:\n    if b:\n        c()█\n"),  # not doubled: missing
        ("python", "x = █\n", " 1", "x = 1█\n"),
        ("python", "x =█\n", " 1", "x = 1█\n"),
        ("python", "print('a █')\n", " b", "print('a  b█')\n"),
        # counted from the margin, and not
        ("c", "{\n    █\n}\n", "if (a) {\n    b();\n}", "{\n    if (a) {\n        b();\n    }█\n}\n"),
        ("c", "{\n  █\n}\n", "switch (a) {\n  case 1:\n    b;\n  }", "{\n  switch (a) {\n  case 1:\n    b;\n  }█\n}\n"),
        ("go", "func f() {█\n}\n", "\n    if x {\n        a()\n    }", "func f() {\n\tif x {\n\t\ta()\n\t}█\n}\n"),
        ("c", "f() {\n\tdo {█\n\t}\n}\n", "\n    c();\n    d();", "f() {\n\tdo {\n\t\tc();\n\t\td();█\n\t}\n}\n"),
        ("python", "if a:\n    b()\nif c:█\n", "\n\td()", "if a:\n    b()\nif c:\n    d()█\n"),
        ("python", "if a:\n  b()\n█\n", "if c:\n    d()", "if a:\n  b()\nif c:\n    d()█\n"),  # seen once only
        (
            "python",
            "if a:\n  b()\nif a:\n  b()\nif a:\n  b()\n█\n",
            "if c:\n    if d:\n        e()\n    f()",
            "if a:\n  b()\nif a:\n  b()\nif a:\n  b()\nif c:\n  if d:\n    e()\n  f()█\n",
        ),
        ("python", "if a:\n\tb()\nx = █\n", '"""\n    text\n"""', 'if a:\n\tb()\nx = """\n    text\n"""█\n'),
    ],
)  # fmt: skip
def test_indentation_is_the_files(language: str, marked: str, model_says: str, document: str) -> None:
    """Tabs or spaces, the unit where the file is sure of it, and never twice; text in strings stays."""
    assert taken(marked, model_says, language) == document


@pytest.mark.parametrize(
    ("marked", "model_says", "document"),
    [
        ("█\n    total = 1\n", "x = 1\n   total = 1\ny = 2", "x = 1█\n    total = 1\n"),  # off by less than a level
        ("if a:\n    █\nb()\n", "c()\n    b()", "if a:\n    c()\n    b()█\nb()\n"),  # off by a level: another place
        ("█\nfirst()\nsecond()\nthird()\n", "zero()\nsecond()\nthird()", "zero()█\nfirst()\nsecond()\nthird()\n"),
        ("█\nfirst()\nsecond()\n", "zero()\nsecond()", "zero()\nsecond()█\nfirst()\nsecond()\n"),  # one says nothing
    ],
)
def test_the_next_lines_end_it(marked: str, model_says: str, document: str) -> None:
    """Also where the model indents a little otherwise, or takes the text up later."""
    assert taken(marked, model_says) == document


@pytest.mark.parametrize(
    ("marked", "model_says", "rule"),
    [
        ("total = compute(items)\n█\n", "total = compute(items)\nprint(total)", "unlike_the_lines_before"),
        ("# The sum of both\ndef f(a, b):\n    █\n", "# The sum of both\n    return a", "unlike_the_lines_before"),
        ("read_the_first(a)\nb()\n█\n", "read_the_first(a)\nb()", "unlike_the_lines_before"),
        ("█\nfoo(bar)\n", "foo(bar)", "unlike_the_next_lines"),
        ("f(█)", ")", "before_the_rest_of_the_line"),
        ("x = 1\n█\n", "function f() { return 1; }", "without_new_syntax_errors"),
    ],
)
def test_what_says_nothing_new_is_silent(marked: str, model_says: str, rule: str) -> None:
    """And the rule that emptied it is named."""
    found = verdicts(marked, model_says)
    assert list(found.items())[-1] == (rule, "emptied")


@pytest.mark.parametrize("line", ["}", "pass", "[0, 0, 0],"])
def test_lines_that_come_often_may_come_again(line: str) -> None:
    """Closers, short statements, tables."""
    assert taken(f"{line}\n█", line, parsed=False).endswith("█") or line == "}"
    assert verdicts(f"{line}\n█", line)["unlike_the_lines_before"] == "kept"
