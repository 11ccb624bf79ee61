"""Which brackets of a piece of code have no partner in it. Text in quotes does not count."""

from __future__ import annotations

import re

CLOSERS = ")]}"
_OPENER_OF = {")": "(", "]": "[", "}": "{"}
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|' + r"'(?:[^'\\\n]|\\.)*'")


def unmatched(code: str) -> tuple[str, str]:
    """Closing brackets that were opened before this piece, and opening ones that it leaves open, both in order."""
    closers, openers = "", ""
    for character in _QUOTED.sub("", code):
        if character in _OPENER_OF.values():
            openers += character
        elif character in _OPENER_OF and not openers:
            closers += character
        elif character in _OPENER_OF and openers[-1] == _OPENER_OF[character]:
            openers = openers[:-1]
    return closers, openers
