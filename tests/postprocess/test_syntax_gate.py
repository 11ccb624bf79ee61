"""The document parses no worse with a suggestion than without it."""

from __future__ import annotations

import pytest

from tests.postprocess.taking import taken, verdicts

RULE = "without_new_syntax_errors"


@pytest.mark.parametrize(
    ("language", "marked", "model_says"),
    [
        ("python", "x = 1\n█\n", "function f() { return 1; }"),
        ("python", "x = 1\n█\n", "Sure, here is your code"),
        ("python", "def f(x):\n    █\n", "return (x"),
        ("typescript", "const x = 1;\n█\n", "def f(x):\n    return x"),
        ("go", "package a\n\nfunc f() {\n\t█\n}\n", "for x in range(3):"),
        ("rust", "fn f() {\n    █\n}\n", "let mut = ;"),
        ("java", "class A {\n  █\n}\n", "fn f() -> i32"),
    ],
)
def test_what_breaks_the_code_is_not_shown(language: str, marked: str, model_says: str) -> None:
    """Another language, prose, half of an expression."""
    assert taken(marked, model_says, language) == marked
    assert list(verdicts(marked, model_says, language).items())[-1] in [
        (RULE, "emptied"),
        ("to_a_whole_end", "emptied"),
    ]


@pytest.mark.parametrize(
    ("language", "marked", "model_says", "document"),
    [
        ("python", "def f():\n    █\n", "a()\n    b()\n    c(1,", "def f():\n    a()\n    b()█\n"),
        ("python", "def f():\n    █\n", "a()\n    x = [1,\n    2,", "def f():\n    a()█\n"),
        ("typescript", "█\n", "const a = 1;\nconst b = (", "const a = 1;█\n"),
        # what the answer did not get to close
        ("typescript", "█\n", "for (const a of b) {\n  c(a);", "for (const a of b) {\n  c(a);\n}█\n"),
        (
            "java",
            "class A {\n  █\n}\n",
            "void f() {\n    if (a) {\n      b();",
            "class A {\n  void f() {\n    if (a) {\n      b();\n    }\n  }█\n}\n",
        ),
        (
            "go",
            "package a\n\n█\n",
            "func f() {\n\ta(func() {\n\t\tb()",
            "package a\n\nfunc f() {\n\ta(func() {\n\t\tb()\n\t})\n}█\n",
        ),
        ("typescript", "█\n", "function f() {\n  a();\n  if (b) {", "function f() {\n  a();\n}█\n"),
    ],
)
def test_it_is_shortened_to_what_is_valid(language: str, marked: str, model_says: str, document: str) -> None:
    """To the last line with which it parses; a block that was begun is closed."""
    assert taken(marked, model_says, language) == document


@pytest.mark.parametrize(
    ("language", "marked", "model_says"),
    [
        ("python", "x = (1 +\n\ndef f(:\n    pass\n\ndef g(a):\n    █\n", "return a"),
        ("python", "if x = 3:\n    a()\n█\n", "b()"),
        ("python", "f(█\n", "a)"),
        ("python", "if x█\n", ":\n    a()"),
        ("typescript", "const a = {;\nfunction f() {\n  █\n}\n", "return 1;"),
        ("c", "int f( {\n}\nint g(void) {\n    █\n}\n", "return 1;"),
    ],
)
def test_what_was_broken_before_is_no_reason(language: str, marked: str, model_says: str) -> None:
    """Neither what the user half typed here, nor what is wrong elsewhere."""
    assert taken(marked, model_says, language) == marked.replace("█", model_says + "█")


@pytest.mark.parametrize(
    "model_says",
    [
        "LIST_FOREACH(item, &head, next) {\n        f(item);\n    }",
        "list_for_each(item, &head) {\n        f(item);\n    }",
    ],
)
def test_macros_that_open_blocks(model_says: str) -> None:
    """No grammar of C can know them."""
    marked = "void f(void) {\n    █\n}\n"
    assert taken(marked, model_says, "c") == marked.replace("█", model_says + "█")


@pytest.mark.parametrize("language", ["plaintext", "less", "python"])
def test_the_gate_is_off_without_a_tree(language: str) -> None:
    """There is no grammar, or no tree yet."""
    assert taken("█\n", "some words", language, parsed=language != "python") == "some words█\n"
