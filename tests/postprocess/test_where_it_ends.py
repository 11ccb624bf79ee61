"""How far a suggestion reaches: the rest of a line, a statement, a block, and nothing of what comes after it."""

from __future__ import annotations

import pytest

from tests.postprocess.taking import taken, verdicts

PYTHON = [
    # a body, and not the next function
    ("def f():\n    █\n", "return 1\n\n\ndef g():\n    return 2", "def f():\n    return 1█\n"),
    ("def f():█\n", "\n    return 1\n\n\ndef g():\n    return 2", "def f():\n    return 1█\n"),
    ("def f(x):\n    █\n", "return x\n\n# Next\ndef g():\n    pass", "def f(x):\n    return x█\n"),
    (
        "class A:\n    █\n",
        "def f(self):\n        return 1\n\n    def g(self):\n        return 2",
        "class A:\n    def f(self):\n        return 1█\n",
    ),
    (
        "@a.get('/')█\n",
        "\ndef f():\n    return 1\n\n\n@a.get('/b')\ndef g():\n    pass",
        "@a.get('/')\ndef f():\n    return 1█\n",
    ),
    ("█\n", "import re\n\nx = 1", "import re█\n"),
    ("def f():\n    █\n", "x = 1\n\n    return x", "def f():\n    x = 1\n\n    return x█\n"),
    # the block that the caret is in
    ("if a:\n    b()\n    █\n", "c()\nelse:\n    d()", "if a:\n    b()\n    c()█\n"),
    ("if a:\n    b()\nelse:█\n", "\n    c()\n\nd()", "if a:\n    b()\nelse:\n    c()█\n"),
    ("if a:█\n", "\nb()", "if a:█\n"),
    ("x = {█\n", '\n    "a": 1,\n}\ny = 2', 'x = {\n    "a": 1,\n}█\n'),
    # a statement
    ("x = 1█\n", "\ny = 2\nz = 3", "x = 1\ny = 2█\n"),
    ("x = █\n", "2\nz = 3", "x = 2█\n"),
    ("x = foo(a, █\n", "b)\ny = 2", "x = foo(a, b)█\n"),
    ("def f(x):\n    return x█\n", "\n\n\ndef g():\n    pass", "def f(x):\n    return x█\n"),
    ("def f(x):\n    return x█\n", "\ndef g():\n    pass", "def f(x):\n    return x█\n"),
    ("def f(x):\n    if x█\n", " > 3:\n        a()\n    b()", "def f(x):\n    if x > 3:\n        a()█\n"),
    ("s = 'a█\n", "b'\nt = 1", "s = 'ab'█\n"),
    ("# a comment█\n", " and more\nx = 1", "# a comment and more█\n"),
    ('def f():\n    """Doc█\n', ' of f.\n\n    More."""\n', 'def f():\n    """Doc of f.█\n'),
    # a line
    ("foo(█)\n", "\n    a,\n", "foo(█)\n"),
    ("foo(█)\n", "a,\n    b", "foo(a,█)\n"),
]

BRACES = [
    (
        "typescript",
        "function f() {█\n}\n",
        "\n  return 1;\n}\n\nfunction g() {\n}",
        "function f() {\n  return 1;█\n}\n",
    ),
    ("typescript", "function f() {█", "\n  return 1;\n}\n\nfunction g() {\n}", "function f() {\n  return 1;\n}█"),
    ("typescript", "if (a) {\n  █\n", "b();\n}\nc();", "if (a) {\n  b();\n}█\n"),
    (
        "typescript",
        "try {\n  a();\n}█\n",
        " catch (e) {\n  b();\n}\nc();",
        "try {\n  a();\n} catch (e) {\n  b();\n}█\n",
    ),
    ("typescript", "let x = 5;█\n", " // five\nlet y = 6;", "let x = 5; // five█\n"),
    ("go", "func f() {\n\tfor {█\n}\n", "\n\t\ta()\n\t}\n\tb()\n}", "func f() {\n\tfor {\n\t\ta()\n\t}█\n}\n"),
    ("c", "int f(void)█\n", "\n{\n    return 0;\n}\n\nint g(void)\n{\n}", "int f(void)\n{\n    return 0;\n}█\n"),
    ("java", "class A {\n  int x;█\n}\n", "\n  int y;\n\n  void f() {}", "class A {\n  int x;\n  int y;█\n}\n"),
    ("shellscript", "for a in b; do█\n", "\n  c\ndone\nd", "for a in b; do\n  c\ndone█\n"),
    ("ruby", "def f█\n", "\n  1\nend\n\ndef g\nend", "def f\n  1\nend█\n"),
    ("html", "<div>█\n", "\n  a\n</div>\n<p>", "<div>\n  a\n</div>█\n"),
    ("java", "class A {\n  void f() {\n    █\n", "  }\n}", "class A {\n  void f() {\n    █\n"),  # at a wrong place
    ("c", "f()\n{\n    █\n}\n", "a();\n#if B\n    b();\n#endif\n}", "f()\n{\n    a();\n#if B\n    b();\n#endif█\n}\n"),
    ("markdown", "A text█\n", " goes on.\n\n# Next", "A text goes on.█\n"),
    ("plaintext", "█\n", "One paragraph.\n\nAnother one.", "One paragraph.█\n"),
    ("plaintext", "when █\n", "it rains\n    it pours", "when it rains█\n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "marked", "model_says", "document"), [*(("python", *case) for case in PYTHON), *BRACES]
)
def test_a_suggestion_ends(language: str, marked: str, model_says: str, document: str) -> None:
    """With the line, the statement or the block that the caret is in."""
    assert taken(marked, model_says, language) == document


@pytest.mark.parametrize("parsed", [True, False])
def test_the_same_without_a_tree(parsed: bool) -> None:
    """A tree that is late changes nothing of it."""
    assert taken("def f():█\n", "\n    a()\nb()", parsed=parsed) == "def f():\n    a()█\n"


@pytest.mark.parametrize(
    ("language", "marked", "model_says", "document"),
    [
        ("c", "int f() {\n    return █\n}\n", "((((", "int f() {\n    return █\n}\n"),
        ("typescript", "f((x) => █)\n", "{", "f((x) => █)\n"),
        ("python", "x = █\n", '"half', "x = █\n"),
        ("python", "def f():\n    █\n", "a()\n    for b in c:", "def f():\n    a()█\n"),
        ("python", "def f():\n    █\n", "a()\n    for b in c:\n  }", "def f():\n    a()█\n"),
        ("python", "def f():\n    █\n", "for b in c:", "def f():\n    for b in c:█\n"),  # one line may be a header
        ("less", "a {\n  █\n}\n", "b: c;\n  d {\n    e: f;", "a {\n  b: c;\n  d {\n    e: f;\n  }█\n}\n"),
        ("typescript", "while (a) {█\nb();\n", "\n  try {\n    c();", "while (a) {█\nb();\n"),  # no try without a catch
        ("java", "for (;;) {█\na();\n", "\n  if (c) {\n    d();", "for (;;) {\n  if (c) {\n    d();\n  }\n}█\na();\n"),
        ("typescript", "█\n  a();\n}\n", "if (b) {", "if (b) {█\n  a();\n}\n"),  # the closer is there already
    ],
)  # fmt: skip
def test_nothing_is_left_open(language: str, marked: str, model_says: str, document: str) -> None:
    """What the answer did not get to finish is closed where that makes code of it, or left out."""
    assert taken(marked, model_says, language) == document


def test_the_rule_is_named() -> None:
    """What a statement's end cuts is not a block's."""
    found = verdicts("x = █\n", "2\nz = 3")
    assert (found["until_the_statement_ends"], found["until_the_block_ends"]) == ("changed", "kept")
    found = verdicts("def f():█\n", "\n    a()\nb()")
    assert (found["until_the_statement_ends"], found["until_the_block_ends"]) == ("kept", "changed")
