"""The anchored layout: what a prompt shows while somebody types, and when a new anchor is due."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.window import Budget, View, first_view, follow, place, unix
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.text_lines import TextLines, split_lines
from tests.marked import snapshot

BUDGET = Budget(prefix=400, suffix=80, middle=200)


def at(text: str, line: int, column: int) -> DocumentSnapshot:
    return replace(snapshot("█"), lines=tuple(split_lines(text)), caret_line=line, caret_column=column)


def check(before: str, after: str, budget: Budget = BUDGET) -> View | None:
    """Place an anchor in `before`, follow it to `after`."""
    return follow(place(snapshot(before), budget), snapshot(after), budget)


def test_what_is_typed_stands_in_the_middle() -> None:
    """Prefix and suffix stay as they were when the line was begun."""
    view = check("a = 1\n█\nc = 3\n", "a = 1\nb = 2█\nc = 3\n")
    assert view == View("a = 1\n", "\nc = 3\n", "b = 2", 0)


def test_the_anchor_is_the_start_of_the_line() -> None:
    """A caret in the middle of a line leaves the line's beginning to the middle."""
    view = check("a = 1\nb = █\nc = 3\n", "a = 1\nb = █\nc = 3\n")
    assert view == View("a = 1\n", "\nc = 3\n", "b = ", 0)


def test_inserted_closers_are_left_out() -> None:
    """`)` that the editor put after the caret is not shown: the model is to write it."""
    view = check("█\nc = 3\n", "f(x█)\nc = 3\n")
    assert view is not None
    assert (view.middle, view.suffix, view.covered) == ("f(x", "\nc = 3\n", ")")


def test_a_new_line_between_brackets_keeps_the_anchor() -> None:
    """Enter between `{` and `}` moves the closer to a line of its own."""
    view = check("█\nrest\n", "f() {\n    █\n}\nrest\n")
    assert view is not None
    assert (view.middle, view.covered) == ("f() {\n    ", "\n}")


def test_other_text_after_the_caret_needs_a_new_anchor() -> None:
    """The model must not be shown a suffix that is not there."""
    assert check("█\nc = 3\n", "x█y\nc = 3\n") is None


def test_a_changed_prefix_needs_a_new_anchor() -> None:
    """An edit above the caret, inside of what the model saw."""
    assert check("a = 1\n█\n", "a = 2\nb█\n") is None


def test_a_caret_above_the_anchor_needs_a_new_one() -> None:
    """The caret left the middle."""
    assert check("a = 1\nb = 2\n█\n", "a = 1█\nb = 2\n\n") is None


def test_lines_above_the_prefix_only_shift_it() -> None:
    """An import added at the top of a long file does not disturb a window that does not show it."""
    body = "".join(f"value_{number} = {number}\n" for number in range(200))
    view = check(body + "█\n", "import os\n" + body + "x█\n")
    assert view is not None
    assert view.middle == "x"


def test_a_long_middle_needs_a_new_anchor() -> None:
    """What was typed since the anchor has a budget."""
    assert check("█", "x" * 200 + "█") is not None
    assert check("█", "x" * 201 + "█") is None


def test_a_very_long_line_is_cut_inside() -> None:
    """A line longer than every budget still gives a middle within its budget."""
    document = snapshot("x" * 100_000 + "█")
    view = first_view(place(document, BUDGET), document)
    assert len(view.middle) <= BUDGET.middle
    assert len(view.prefix) <= BUDGET.prefix
    assert document.line_before_caret.endswith(view.prefix + view.middle)


TEXT = st.text(alphabet="ab (){}\n\r\t'é😀", max_size=400)
LINES = st.lists(st.sampled_from(["def f():\n", "    pass\n", "\n", "x = 1\r\n", "}\n"]), max_size=80).map("".join)


@given(TEXT | LINES, st.data())
def test_a_view_is_a_part_of_the_document(text: str, data: st.DataObject) -> None:
    """Prefix and middle end at the caret, the suffix begins there; a fresh view follows its anchor."""
    lines = split_lines(text)
    line = data.draw(st.integers(0, len(lines) - 1))
    column = data.draw(st.integers(0, len(lines[line].rstrip("\r\n"))))
    document = at(text, line, column)
    anchor = place(document, BUDGET)
    view = first_view(anchor, document)
    before = unix("".join(document.lines[:line])) + document.line_before_caret
    assert before.endswith(view.prefix + view.middle)
    assert unix("".join(document.lines))[len(before) :].startswith(view.suffix)
    assert follow(anchor, document, BUDGET) == view


@given(
    LINES, st.lists(st.tuples(st.booleans(), st.sampled_from(list("ab(){}\n ")), st.booleans()), max_size=60), st.data()
)
def test_a_followed_view_is_what_the_document_says(
    text: str, keys: list[tuple[bool, str, bool]], data: st.DataObject
) -> None:
    """Whatever is typed or taken back: what is shown is the document without the covered closers."""
    lines = TextLines(text)
    line = data.draw(st.integers(0, len(lines) - 1))
    column = len(lines.line(line))
    anchor = place(at(text, line, column), BUDGET)
    for back, key, closes in keys:
        if back and column > 0:
            lines.replace((line, column - 1), (line, column), "")
            column -= 1
        else:
            lines.replace((line, column), (line, column), key + (")" if closes and key == "(" else ""))
            line, column = (line + 1, 0) if key == "\n" else (line, column + 1)
        document = DocumentSnapshot("file:///a.py", "a.py", "python", 1, lines.frozen(), line, column)
        view = follow(anchor, document, BUDGET)
        if view is not None:
            before = unix("".join(document.lines[:line])) + document.line_before_caret
            assert before.endswith(view.prefix + view.middle)
            assert unix("".join(document.lines))[len(before) :].startswith(view.covered + view.suffix)


@given(st.integers(0, 399), st.integers(0, 399))
def test_a_jump_costs_the_distance_and_the_suffix(start: int, goal: int) -> None:
    """After a jump of `d` characters at most `2 d` and the suffix have to be evaluated (in characters here)."""
    text = "".join(f"line_{number} = {number}\n" for number in range(400))
    first = place(at(text, start, 0), BUDGET)
    second = place(at(text, goal, 0), BUDGET, first)
    lines = split_lines(text)
    distance = abs(sum(map(len, lines[:goal])) - sum(map(len, lines[:start])))
    shared = min(len(first.prefix), len(second.prefix)) if first.first_line == second.first_line else 0
    longest_line = 20
    assert len(second.prefix) - shared <= 2 * distance + longest_line
