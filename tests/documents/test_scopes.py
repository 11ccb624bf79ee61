"""Code, comment or string: in each language, at each edge."""

from __future__ import annotations

import pytest

from lsp_server.documents.scopes import Scope
from lsp_server.documents.syntax import parse
from lsp_server.documents.text_lines import split_lines
from tests.marked import CARET


def scope(marked: str, language: str) -> Scope:
    """The scope at `█`."""
    before, caret, after = marked.partition(CARET)
    assert caret
    syntax = parse(language, None, split_lines(before + after))
    assert syntax is not None
    return syntax.scope_at(len(before))


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("python", "x = 1  # why█\n"),
        ("python", "# a█ b\n"),
        ("python", "#█"),
        ("javascript", "f(); // why█\n"),
        ("typescript", "/* why█ */ f();\n"),
        ("typescriptreact", "const a = <b>{/* x█ */}</b>;\n"),
        ("go", "package a\n\n// F does█\nfunc F() {}\n"),
        ("rust", "/// Adds█\nfn add() {}\n"),
        ("rust", "//! A crate█\n"),
        ("rust", "// a█\n"),
        ("rust", "/* a /* b */ c█ */\n"),
        ("c", "int x; // why█\n"),
        ("cpp", "/* a\n   b█\n*/\n"),
        ("java", "/**\n * Adds█.\n */\nclass A {}\n"),
        ("ruby", "x = 1 # why█\n"),
        ("shellscript", "ls # why█\n"),
        ("lua", "x = 1 -- why█\n"),
        ("html", "<!-- a█ -->\n"),
        ("css", "/* a█ */\n"),
        ("yaml", "a: 1 # why█\n"),
        ("toml", "a = 1 # why█\n"),
        ("sql", "select 1 -- why█\n"),
        ("haskell", "x = 1 -- why█\n"),
    ],
)
def test_comments(language: str, marked: str) -> None:
    """What is typed there belongs to the comment, at the end of its line as well."""
    assert scope(marked, language) is Scope.COMMENT


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("python", "x = 'a█b'\n"),
        ("python", "x = '█'\n"),
        ("python", 'x = f"a {b} █c"\n'),
        ("python", '"""Adds█"""\n'),
        ("python", '"""\nAdds█\n"""\n'),
        ("python", 'x = "abc█\n'),
        ("python", 'x = "█\n'),
        ("python", "x = f'a b█\ny = 1\n"),
        ("javascript", 'f("a b█\n'),
        ("rust", 'fn f() { g("a b█ }\n'),
        ("c", 'char *x = "a b█\n'),
        ("javascript", "f('a█')\n"),
        ("javascript", "f(`a ${b} █c`)\n"),
        ("typescript", 'f("█")\n'),
        ("go", 'package a\n\nvar x = "a█"\n'),
        ("go", "package a\n\nvar x = `a█`\n"),
        ("rust", 'let x = "a█";\n'),
        ("rust", 'let x = r#"a█"#;\n'),
        ("c", 'char *x = "a█";\n'),
        ("cpp", 'auto x = R"(a█)";\n'),
        ("java", 'class A { String x = "a█"; }\n'),
        ("csharp", 'class A { string x = "a█"; }\n'),
        ("ruby", "x = 'a█'\n"),
        ("php", "<?php $x = 'a█';\n"),
        ("shellscript", 'echo "a█"\n'),
        ("kotlin", 'val x = "a█"\n'),
        ("swift", 'let x = "a█"\n'),
        ("lua", 'x = "a█"\n'),
        ("json", '{"a": "b█"}\n'),
        ("toml", 'a = "b█"\n'),
    ],
)
def test_strings(language: str, marked: str) -> None:
    """Between the quotes, whatever they look like; one that is not closed yet counts."""
    assert scope(marked, language) is Scope.STRING


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("python", "█# why\n"),
        ("python", "x = 'a'█\n"),
        ("python", "x = █'a'\n"),
        ("python", "# why\n█x = 1\n"),
        ("python", "# why\n█"),
        ("python", 'x = f"a {b█} c"\n'),
        ("python", "x = ('a' █ 'b')\n"),
        ("javascript", "f(`a ${b█} c`)\n"),
        ("typescript", "let a: string█ = b;\n"),
        ("typescript", "/* a */█ f();\n"),
        ("rust", "/// Adds\n█fn add() {}\n"),
        ("c", "/* a */ █int x;\n"),
        ("shellscript", 'echo "$(ls█)"\n'),
        ("yaml", "a: b█\n"),
    ],
)
def test_code(language: str, marked: str) -> None:
    """Beside comments and strings, and where code stands in a string."""
    assert scope(marked, language) is Scope.CODE
