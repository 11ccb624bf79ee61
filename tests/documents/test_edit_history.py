"""What the last edits and dismissals tell."""

from __future__ import annotations

from lsp_server.documents.edit_history import EditHistory
from lsp_server.documents.text_lines import TextLines


class Typist:
    """A document that somebody works in, with a clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.time_s = 100.0
        self.lines = TextLines("one\r\ntwo\r\nthree\r\n")
        self.history = EditHistory(now_s=lambda: self.time_s)

    def types(self, line: int, text: str) -> None:
        self.history.edited([self.lines.replace((line, 0), (line, 0), text)])

    def deletes(self, line: int) -> None:
        self.history.edited([self.lines.replace((line, 0), (line, 1), "")])


def test_deletions_are_counted_until_something_is_typed() -> None:
    """Replacing counts as typing, and so does accepting."""
    typist = Typist()
    for count in (1, 2, 3):
        typist.deletes(0)
        assert typist.history.deletions_in_a_row == count
    typist.types(0, "x")
    assert typist.history.deletions_in_a_row == 0
    typist.deletes(0)
    typist.history.edited([typist.lines.replace((1, 0), (1, 2), "x")])
    assert typist.history.deletions_in_a_row == 0
    typist.deletes(0)
    typist.history.accepted()
    assert typist.history.deletions_in_a_row == 0


def test_several_edits_at_a_time_are_one_step() -> None:
    """Two carets that delete are one deletion; an editor that sends nothing has done nothing."""
    typist = Typist()
    both = [typist.lines.replace((line, 0), (line, 1), "") for line in (0, 1)]
    typist.history.edited(both)
    typist.history.edited([])
    assert typist.history.deletions_in_a_row == 1
    typist.history.edited([*both, typist.lines.replace((2, 0), (2, 0), "x")])
    assert typist.history.deletions_in_a_row == 0


def test_joining_lines_is_a_deletion() -> None:
    """Also where CR and LF meet anew."""
    typist = Typist()
    typist.history.edited([typist.lines.replace((0, 3), (1, 0), "")])
    lines = TextLines("a\rb\nc")
    typist.history.edited([lines.replace((1, 0), (1, 1), "")])
    assert typist.history.deletions_in_a_row == 2


def test_dismissals_grow_in_a_line() -> None:
    """Typing on in the same line keeps them, an edit elsewhere or a suggestion of use forgets them."""
    typist = Typist()
    typist.history.dismissed(1)
    typist.time_s += 5
    typist.types(1, "x")
    typist.history.dismissed(1)
    typist.time_s += 7
    assert (typist.history.dismissals_in_a_row, typist.history.since_dismissal_s) == (2, 7)
    typist.history.dismissed(2)
    assert typist.history.dismissals_in_a_row == 1
    typist.types(0, "x")
    assert typist.history.dismissals_in_a_row == 0
    typist.history.dismissed(0)
    typist.history.accepted()
    assert typist.history.dismissals_in_a_row == 0
