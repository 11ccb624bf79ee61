"""The document parses no worse with the suggestion than without it. What was broken before is nobody's fault here."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from lsp_server.postprocess.over_the_closers import over_the_closers
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.to_a_whole_end import ends_whole
from lsp_server.postprocess.with_its_blocks_closed import with_its_blocks_closed

if TYPE_CHECKING:
    from lsp_server.documents.syntax import Syntax

_SEEN_EACH_WAY_CHARACTERS = 20_000
"""Errors are counted this far from the caret: in a long file that is broken all over, counting takes 76 ms."""

_MOST_TRIES = 12
"""How many lines at the end are given up, one after the other, before all of it is. One try takes about 0.5 ms."""


_PATIENCE_MS = 50
"""Where one try takes that long, as in a file that is broken all over, there are no more."""
_GRAMMARS_WITH_MACROS = ("c", "cpp", "objc", "cuda")
_MACRO_WITH_A_BLOCK = re.compile(
    r"\b(?:[A-Z][A-Z0-9_]{2,}|\w*for_?each\w*)\s*\((?:[^()\n]|\([^()\n]*\)){3,}\)(?=\s*\{)"
)
"""`LIST_FOREACH(a, &b, c) {`: C that no grammar of C knows."""


def without_new_syntax_errors(candidate: Candidate) -> Candidate:
    """As many lines of it as add no node of an error, its blocks closed if need be; off where there is no grammar."""
    syntax = candidate.snapshot.syntax
    if syntax is None or not candidate.text.strip():
        return candidate
    at_most = _errors(candidate, syntax, 0)
    lines, ends_s = candidate.text.split("\n"), time.perf_counter() + _PATIENCE_MS / 1000
    for length in range(len(lines), max(0, len(lines) - _MOST_TRIES), -1):
        shorter = candidate if length == len(lines) else _first_lines(candidate, lines, length)
        if not shorter.text.strip() or time.perf_counter() > ends_s:
            break
        for tried in dict.fromkeys((shorter.text, with_its_blocks_closed(shorter).text)):
            closed = shorter.with_text(tried)
            errors = _errors_with(closed, syntax)
            if errors is None or (errors <= at_most and (length == len(lines) or ends_whole(closed))):
                return closed
    return candidate.with_text("")


def _first_lines(candidate: Candidate, lines: list[str], length: int) -> Candidate:
    return over_the_closers(candidate.with_text("\n".join(lines[:length]).rstrip()))


def _errors_with(candidate: Candidate, syntax: Syntax) -> int | None:
    """Errors once the suggestion was taken; `None` when parsing takes too long to be of use."""
    start, text = candidate.snapshot.caret_offset, candidate.text
    if candidate.surroundings.language.grammar in _GRAMMARS_WITH_MACROS:
        text = _MACRO_WITH_A_BLOCK.sub(lambda found: "while(1)".ljust(len(found[0])), text)
    after = syntax.with_replaced(start, start + candidate.replaced_characters, text)
    return None if after is None else _errors(candidate, after, len(text) - candidate.replaced_characters)


def _errors(candidate: Candidate, syntax: Syntax, longer_by: int) -> int:
    caret = candidate.snapshot.caret_offset
    end = caret + candidate.replaced_characters + longer_by + _SEEN_EACH_WAY_CHARACTERS
    return syntax.errors_within(max(0, caret - _SEEN_EACH_WAY_CHARACTERS), end)
