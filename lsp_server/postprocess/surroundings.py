"""What stands around the caret, as far as rules ask for it. Computed once a request, and only when it is asked for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lsp_server.context.window import unix
from lsp_server.documents.languages import BlockStyle, Language, language
from lsp_server.documents.scopes import Scope
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.postprocess.brackets import CLOSER_OF, CLOSERS, unmatched_in
from lsp_server.postprocess.indentation import TAB_COLUMNS, IndentationStyle, columns, style_of
from lsp_server.postprocess.lexis import FILLER, Masked, masked

_LINES_EACH_WAY = 300
"""Brackets and indentation are judged by so much of the file; a longer function than that is rare."""

_MOST_CHARACTERS = 20_000
"""The same for files with long lines: about a millisecond of reading."""

_GRAMMARS_WITH_TABS = ("go", "make")

_HOLDS_DEFINITIONS = re.compile(
    r"(?:[\w:<>,.()@]+\s+)*?(?:class|struct|interface|trait|impl|enum|namespace|module|mod|record|union|extension|"
    r"protocol|object|extern|unsafe extern|annotation|import|declare)\b(?![^{]*=>)"
)
"""Headers of what holds definitions and not statements."""

_HEADERS_LOOKED_AT = 12
_MOST_LINES_UP = 2000


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One place in one document."""

    snapshot: DocumentSnapshot

    @cached_property
    def language(self) -> Language:
        """The row of the document's language."""
        return language(self.snapshot.language_id, self.snapshot.path)

    @property
    def has_blocks(self) -> bool:
        """Whether this is code in which brackets and blocks mean something."""
        return self.language.blocks is not BlockStyle.NONE

    @cached_property
    def lines_before(self) -> tuple[str, ...]:
        """Lines above the caret's, the last ones, with LF."""
        last = self.snapshot.caret_line
        return _within_reach(self.snapshot.lines[max(0, last - _LINES_EACH_WAY) : last][::-1])[::-1]

    @cached_property
    def lines_after(self) -> tuple[str, ...]:
        """Lines below the caret's, the first ones, with LF."""
        first = self.snapshot.caret_line + 1
        return _within_reach(self.snapshot.lines[first : first + _LINES_EACH_WAY])

    @cached_property
    def following(self) -> tuple[str, ...]:
        """The next lines that are not blank, without white space at their ends."""
        return tuple(line.rstrip() for line in self.lines_after if line.strip())

    @property
    def line_before_caret(self) -> str:
        """The caret's line up to the caret."""
        return self.snapshot.line_before_caret

    @cached_property
    def rest_of_line(self) -> str:
        """The caret's line behind the caret, without white space at its end."""
        return self.snapshot.line_after_caret.rstrip()

    # ---- strings and comments

    @cached_property
    def _before(self) -> Masked:
        return masked("".join(self.lines_before) + self.line_before_caret, self.snapshot.language_id)

    @cached_property
    def opened(self) -> str:
        """The mark of the string or comment that the caret stands in; empty in code."""
        opened, syntax = self._before.opened, self.snapshot.syntax
        sees_the_beginning = len(self.lines_before) == self.snapshot.caret_line
        if opened and not sees_the_beginning and syntax is not None:
            return "" if syntax.scope_at(self.snapshot.caret_offset) is Scope.CODE else opened
        return opened

    @cached_property
    def opened_at_line_start(self) -> str:
        """The mark of the string or comment in which the caret's line begins."""
        return masked("".join(self.lines_before), self.snapshot.language_id).opened if self.opened else ""

    @cached_property
    def code_line_before_caret(self) -> str:
        """The caret's line up to the caret, masked."""
        return self._before.text[len(self._before.text) - len(self.line_before_caret) :]

    # ---- brackets

    @cached_property
    def _open_before(self) -> str:
        return unmatched_in(self._before.text)[1]

    @cached_property
    def _closed_after(self) -> Counter[str]:
        after = self.snapshot.line_after_caret + "\n" + "".join(self.lines_after)
        return Counter(unmatched_in(masked(after, self.snapshot.language_id, self.opened).text)[0])

    @cached_property
    def lacking(self) -> Counter[str]:
        """Closing brackets that the document has too few of: what an answer may close beyond what it opens."""
        return Counter(map(CLOSER_OF.__getitem__, self._open_before)) - self._closed_after

    @cached_property
    def surplus(self) -> Counter[str]:
        """Closing brackets that the document has too many of: what an answer may leave open."""
        return self._closed_after - Counter(map(CLOSER_OF.__getitem__, self._open_before))

    @cached_property
    def open_above(self) -> str:
        """The opening brackets above the caret's line that hold what stands in it, braces of blocks left out."""
        in_this_line = unmatched_in(self.code_line_before_caret)[1]
        above = self._open_before[: len(self._open_before) - len(in_this_line)]
        if self.language.blocks is BlockStyle.BRACES:
            above = above[above.rfind("{") + 1 :]
        return above

    @cached_property
    def depth(self) -> int:
        """How many brackets above the caret's line the document leaves open, braces of blocks left out."""
        return min(len(self.open_above), sum(self.lacking.values()))

    # ---- blocks

    @cached_property
    def style(self) -> IndentationStyle | None:
        """What the file indents with; what the language's formatter does where the file does not tell."""
        here = self.line_before_caret + "x"  # also where nothing but indentation is there
        found = style_of((*self.lines_before, here, *self.lines_after))
        if found is None and self.language.grammar in _GRAMMARS_WITH_TABS:
            return IndentationStyle(tabs=True, unit=TAB_COLUMNS)
        return found

    def headers(self, width: int, *, with_space: bool = False) -> list[str]:
        """The lines above that hold a line which is indented by `width` columns, innermost first, stripped or not."""
        found: list[str] = []
        above = range(self.snapshot.caret_line - 1, max(-1, self.snapshot.caret_line - _MOST_LINES_UP), -1)
        for index in above:
            if width <= 0 or len(found) == _HEADERS_LOOKED_AT:
                break
            line = self.snapshot.lines[index]
            if line.strip() and columns(line) < width and line.lstrip()[0] not in CLOSERS + FILLER:
                width = columns(line)
                found.append(line if with_space else line.strip())
        return found

    def is_for_definitions(self, width: int, *headers: str) -> bool:
        """Whether lines at this indentation stand outside of functions: in the file itself, in classes and modules.

        Args:
            width: columns of indentation.
            headers: lines that hold these lines besides those that do by their indentation.
        """
        return all(_HOLDS_DEFINITIONS.match(header) for header in (*headers, *self.headers(width)))


def _within_reach(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The first lines, as many as there is room for; line ends become LF."""
    room, taken = _MOST_CHARACTERS, 0
    for line in lines:
        room -= len(line)
        if room < 0:
            break
        taken += 1
    return tuple(map(unix, islice(lines, taken)))
