"""Which brackets of a piece of code have no partner in it."""

from __future__ import annotations

import re

from lsp_server.postprocess.lexis import masked

BRACKET = re.compile(r"[()\[\]{}]")
CLOSERS = ")]}"
OPENERS = "([{"
OPENER_OF = dict(zip(CLOSERS, OPENERS, strict=True))
CLOSER_OF = dict(zip(OPENERS, CLOSERS, strict=True))


def unmatched(code: str, language_id: str = "", opened: str = "") -> tuple[str, str]:
    """Closing brackets that were opened before this piece, and opening ones that it leaves open, both in order.

    Text in quotes and comments does not count; a bracket of the wrong kind closes nothing. For `opened` see `masked`.
    """
    return unmatched_in(masked(code, language_id, opened).text)


def unmatched_in(code: str) -> tuple[str, str]:
    """The same for code that was masked."""
    closers, openers = [], []
    for character in BRACKET.findall(code):
        if character in OPENERS:
            openers.append(character)
        elif character in CLOSERS and not openers:
            closers.append(character)
        elif character in CLOSERS and openers[-1] == OPENER_OF[character]:
            openers.pop()
    return "".join(closers), "".join(openers)
