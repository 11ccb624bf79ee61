"""The tree of an open document follows its edits, in slices of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.documents import encoded_lines, open_tree, parsing
from lsp_server.documents.open_tree import LateSyntax, OpenTree
from lsp_server.documents.syntax import Syntax, parse
from lsp_server.documents.text_lines import Place, TextLines
from tests.documents.test_syntax import leaves

LONG = "def f(a):\n    return a\n\n" * 2000
places = st.tuples(st.integers(0, 8), st.integers(0, 12))
fresh_texts = st.lists(
    st.sampled_from(["x", " = 1", "\n", "\n    ", "\r\n", "\r", "def g(b):", "return", "# é", '"""', "(", ")", "😀"]),
    max_size=5,
).map("".join)
edits = st.lists(st.tuples(places, places, fresh_texts), max_size=4)


def opened(text: str, language: str = "python") -> tuple[OpenTree, TextLines]:
    lines = TextLines(text)
    return OpenTree(language, None, lines), lines


def type_at(place: Place, character: str, tree: OpenTree, lines: TextLines) -> Place:
    """A key, and the caret after it."""
    edit = lines.replace(place, place, character)
    tree.changed([edit])
    assert finish(tree) is not None
    return edit.new_end


def finish(tree: OpenTree) -> Syntax | None:
    while tree.work(1000):
        pass
    return tree.late.get()


@settings(max_examples=150)
@given(st.lists(edits, max_size=4), st.sampled_from(["python", "typescript", "c", "yaml"]), st.booleans())
def test_the_tree_is_that_of_the_text_after_all_edits(
    steps: list[list[tuple[tuple[int, int], tuple[int, int], str]]], language: str, parse_between: bool
) -> None:
    """Whatever is edited at a time, and whether or not anybody parses in between."""
    tree, lines = opened("def f(a):\r\n    return a\n\nclass B:\n    x = 'é'\n    y = 2\n", language)
    finish(tree)
    for step in steps:
        done = [lines.replace(start, end, fresh) for start, end, fresh in step]
        tree.changed(done)
        if parse_between:
            finish(tree)
    syntax = finish(tree)
    whole = parse(language, None, lines.frozen())
    assert syntax is not None
    assert whole is not None
    assert syntax.lines == lines.frozen()
    assert syntax.end_of(syntax.root) <= sum(map(len, lines.frozen()))
    if not (whole.errors() or syntax.errors()):
        assert leaves(syntax) == leaves(whole)


def test_there_is_no_tree_before_somebody_parses() -> None:
    """Opening and editing a document costs nothing that grows with it."""
    tree, lines = opened(LONG)
    assert tree.late.get() is None
    tree.changed([lines.replace((0, 0), (0, 0), "x = 1\n")])
    assert tree.late.get() is None
    assert finish(tree) is not None


def test_a_long_parse_is_done_in_slices() -> None:
    """Each goes on where the last one ended; nothing is parsed twice."""
    tree, _ = opened(LONG)
    slices = 0
    while tree.work(0):
        slices += 1
    assert slices > 10
    assert tree.late.get() is not None
    assert not tree.work(0)


def test_an_edit_during_a_parse_does_not_begin_it_anew() -> None:
    """The parse of the old text is finished, its snapshots get their tree, and the new text's is quick."""
    tree, lines = opened(LONG)
    assert tree.work(0)
    early = tree.late
    tree.changed([lines.replace((3001, 0), (3001, 0), "x = 1\n")])
    late = tree.late
    assert late is not early
    assert finish(tree) is late.get()
    first, second = early.get(), late.get()
    assert first is not None
    assert second is not None
    assert len(second.lines) == len(first.lines) + 1
    assert second.node_types_at(len(LONG) - 3) == first.node_types_at(len(LONG) - 3 - 6)


def test_what_is_typed_at_the_end_of_a_block_is_all_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tree-sitter left alone reads the rest of the file again at each of these keys."""
    tree, lines = opened("".join(f"def f{number}(a):\n    return a\n\n" for number in range(2000)))
    finish(tree)
    place = type_at((3001, len("    return a")), "\n", tree, lines)
    reads: list[int] = []

    def watched(lines: Sequence[str]) -> Callable[[int, Place], bytes]:
        read = encoded_lines.reader(lines)

        def counted(byte: int, point: Place) -> bytes:
            reads.append(byte)
            return read(byte, point)

        return counted

    monkeypatch.setattr(parsing, "reader", watched)
    for character in "\n    ":
        place = type_at(place, character, tree, lines)
    assert 5 <= len(reads) <= 10


def test_a_parse_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as the document is open: nobody pays for it again and again."""
    monkeypatch.setattr(parsing, "PARSE_LIMIT_MS", 0)
    tree, lines = opened(LONG)
    while tree.work(0):
        pass
    assert tree.late.get() is None
    monkeypatch.undo()
    tree.changed([lines.replace((0, 0), (0, 0), "x")])
    assert not tree.work(1000)
    assert tree.late.get() is None


def test_a_text_that_grows_too_large_loses_its_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """And gets one again when it shrinks."""
    monkeypatch.setattr(open_tree, "LONGEST_TEXT_CHARACTERS", 10)
    tree, lines = opened("x = 1\n")
    assert finish(tree) is not None
    tree.changed([lines.become("x = 1_000_000\n")])
    assert finish(tree) is None
    tree.changed([lines.become("y\n")])
    syntax = finish(tree)
    assert syntax is not None
    assert syntax.lines == ("y\n", "")


def test_unknown_languages_cost_nothing() -> None:
    """There is nothing to do for them."""
    tree, lines = opened("x", "klingon")
    assert not tree.work(0)
    tree.changed([lines.replace((0, 0), (0, 0), "y")])
    assert not tree.work(0)
    assert tree.late.get() is None


def test_a_tree_that_is_made_late_is_made_once() -> None:
    """When somebody asks for it, and not before."""
    made = []

    def make() -> Syntax | None:
        made.append(1)
        return None

    late = LateSyntax(make)
    assert made == []
    assert late.get() is late.get() is None
    assert made == [1]
