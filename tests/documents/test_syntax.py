"""Trees: what stands where, errors, and trees of other texts, in every kind of text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.documents import parsing
from lsp_server.documents.scopes import Scope
from lsp_server.documents.syntax import LONGEST_TEXT_CHARACTERS, Syntax, parse
from lsp_server.documents.text_lines import split_lines
from tests.marked import CARET

ODD = ("é", "漢", "😀", "𝒳", "\ud83d", "\udc00", "\0", "\ufeff", "\u2028", "\x0c")
LINE_ENDS = ("\n", "\r\n", "\r")
PIECES = (
    "x",
    " ",
    "    ",
    "def f(a):",
    "return x",
    "'",
    '"""',
    "(",
    ")",
    "{",
    "}",
    "# no",
    "if a:",
    "pass",
    "/*",
    "*/",
)
pieces = st.sampled_from(PIECES) | st.sampled_from(LINE_ENDS) | st.sampled_from(ODD)
texts = st.lists(pieces, max_size=25).map("".join)
LANGUAGES = st.sampled_from(["python", "typescript", "rust", "c", "json", "yaml", "html"])


def tree_of(text: str, language: str = "python") -> Syntax:
    syntax = parse(language, None, split_lines(text))
    assert syntax is not None
    return syntax


def types_at(marked: str, language: str = "python") -> tuple[str, ...]:
    """The types of the nodes at `█`."""
    before, _, after = marked.partition(CARET)
    return tree_of(before + after, language).node_types_at(len(before))


@pytest.mark.parametrize("odd", ["", *ODD])
@pytest.mark.parametrize("end", LINE_ENDS)
def test_nodes_are_where_the_text_is(odd: str, end: str) -> None:
    """Offsets are characters, whatever the line ends are and however many bytes a character takes."""
    text = f"'{odd}{odd}'{end}# {odd}{end}def name(argument):{end}    return argument{end}"
    syntax = tree_of(text)
    node = syntax.node_at(text.index("name"))
    assert syntax.text_between(syntax.start_of(node), syntax.end_of(node)) == "name"
    assert syntax.node_types_at(text.rindex("argument"))[:4] == (
        "identifier", "return_statement", "block", "function_definition",
    )  # fmt: skip
    assert syntax.errors() == 0
    assert node.start_point.row == 2


def test_letters_of_every_plane_are_letters() -> None:
    """𝒳 may name a variable in Python, and is not an error."""
    assert tree_of("𝒳 = 1\n").errors() == 0
    assert tree_of("😀 = 1\n").errors() > 0


@pytest.mark.parametrize("text", ["", "\n", "\r", "x", "\ud83d", "\0", "\ufeff"])
def test_the_smallest_texts(text: str) -> None:
    """A tree, and an answer at each place, for nearly nothing."""
    syntax = tree_of(text)
    for offset in range(-1, len(text) + 2):
        assert syntax.node_types_at(offset)[-1] in ("module", "ERROR")
        assert syntax.scope_at(offset) is Scope.CODE
    assert syntax.place_of(99) == (len(syntax.lines) - 1, len(syntax.lines[-1]))


def test_what_a_caret_stands_in() -> None:
    """Of two nodes that meet at the caret it is the one that begins."""
    assert types_at("x = f(█a)")[0] == "identifier"
    assert types_at("x = f(a█)")[0] == ")"
    assert types_at("class A:\n    def f(self):\n        █pass\n")[:4] == (
        "pass", "pass_statement", "block", "function_definition",
    )  # fmt: skip


def test_unknown_languages_have_no_tree() -> None:
    """They work on text alone; a file name may tell what the id does not."""
    assert parse("klingon", None, ["x"]) is None
    assert parse("plaintext", "notes.txt", ["x"]) is None
    assert parse("klingon", "src/main.rs", ["fn main() {}"]) is not None


def test_large_texts_have_no_tree() -> None:
    """Nothing is parsed that would take longer than it is of use."""
    assert parse("python", None, ["x" * (LONGEST_TEXT_CHARACTERS + 1)]) is None


# ---- errors


@pytest.mark.parametrize(
    ("text", "language", "errors"),
    [
        ("x = (1\n", "python", 1),
        ("def f(:\n    pass\n", "python", 1),
        ("int f(void) { return 1 }\n", "c", 1),  # a missing `;` is a node of no length
        ("int f(void) { return 1; }\n", "c", 0),
        ("let x = ;\nlet y = 1;\nlet z = ;\n", "typescript", 2),
    ],
)
def test_errors_and_missing_nodes_are_counted(text: str, language: str, errors: int) -> None:
    """Both are what a parser says about broken code."""
    assert tree_of(text, language).errors() == errors


def test_errors_within_a_part() -> None:
    """What is broken elsewhere does not count; what touches the part does."""
    text = "let x = ;\n" + "let y = 1;\n" * 50 + "let z = ;\n"
    syntax = tree_of(text, "typescript")
    assert syntax.errors() == 2
    assert syntax.errors_within(0, 10) == 1
    assert syntax.errors_within(10, len(text) - 20) == 0
    assert syntax.errors_within(len(text) - 10, len(text)) == 1


def test_what_is_missing_at_the_beginning_counts() -> None:
    """Python takes the `/` for a division whose first operand is missing."""
    syntax = tree_of("/*")
    assert syntax.errors() == syntax.errors_within(0, 0) == 2


def test_what_is_missing_has_a_place() -> None:
    """A node of no length touches the place where it should be, and no other."""
    text = "int f(void) { return 1 }\n"
    syntax, missing = tree_of(text, "c"), text.index(" }")
    assert [offset for offset in range(len(text)) if syntax.errors_within(offset, offset)] == [missing]


@settings(max_examples=60)
@given(texts, LANGUAGES, st.integers(0, 60), st.integers(0, 60))
def test_the_errors_of_a_part_are_those_that_touch_it(text: str, language: str, first: int, length: int) -> None:
    """The short cuts of the search miss nothing."""
    syntax, expected, todo = tree_of(text, language), 0, []
    todo.append(syntax.root)
    while todo:
        node = todo.pop()
        touches = syntax.start_of(node) <= first + length and syntax.end_of(node) >= first
        expected += (node.is_error or node.is_missing) and touches
        todo += node.children
    assert syntax.errors_within(first, first + length) == expected


# ---- other texts


@settings(max_examples=150)
@given(texts, texts, LANGUAGES, st.data())
def test_a_replaced_part_reads_as_if_it_had_always_been_there(
    text: str, fresh: str, language: str, data: st.DataObject
) -> None:
    """Places of nodes fit the text, wherever CR and LF meet, and the first tree stays what it was."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if any(text[at - 1 : at + 1] == "\r\n" for at in (start, end)):
        return  # no caret can stand there
    before = tree_of(text, language)
    shape = str(before.root)
    after = before.with_replaced(start, end, fresh)
    assert after is not None
    assert after.text_between(0, 10**6) == text[:start] + fresh + text[end:]
    assert after.end_of(after.root) <= len(text) - (end - start) + len(fresh)
    assert str(before.root) == shape
    whole = tree_of(text[:start] + fresh + text[end:], language)
    if not (whole.errors() or after.errors()):
        assert leaves(after) == leaves(whole)


def leaves(syntax: Syntax) -> list[tuple[str, int, int, int]]:
    """Type and place of each token that has a length."""
    found, todo = [], [syntax.root]
    while todo:
        node = todo.pop()
        if node.child_count == 0 and node.start_byte < node.end_byte:
            found.append((node.type, syntax.start_of(node), syntax.end_of(node), node.start_point.row))
        todo += node.children
    return sorted(found)


def test_an_edit_that_takes_too_long_has_no_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is answered while it is parsed; the tree before the edit stays as it is."""
    monkeypatch.setattr(parsing, "EDIT_LIMIT_MS", 0)
    syntax = tree_of("def f(a):\n    return a\n\n" * 2000)
    assert syntax.with_replaced(0, 0, '"""') is None
    assert syntax.errors() == 0


def test_deep_nesting_is_no_recursion() -> None:
    """A hundred thousand brackets end neither the process nor a search."""
    text = "x = " + "[" * 100_000
    syntax = tree_of(text)
    assert syntax.errors_within(0, len(text)) > 0
    assert syntax.scope_at(len(text)) is Scope.CODE
    assert len(syntax.node_types_at(len(text))) >= 1
    closed = tree_of("x = " + "[" * 20_000 + "]" * 20_000)
    assert len(closed.node_types_at(20_004)) > 20_000
