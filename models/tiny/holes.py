"""Where to cut a hole into code: at nodes, at lines, and at any character.

Half the holes follow the structure of the code (cf. AST-FIM, arXiv 2506.00204), half begin at any character, as in
arXiv 2207.14255. Most end where their line ends: that is what an editor asks for with each key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from random import Random

from tree_sitter import Node, Parser
from tree_sitter_language_pack import get_parser

Hole = tuple[int, int]
"""Begin and end of the middle, in characters of the text."""

KINDS = {
    "rest of line": 0.25, "indented line": 0.2, "lines": 0.15, "node": 0.1, "many lines": 0.08, "characters": 0.2,
    "empty": 0.02,
}  # fmt: skip
"""How often each kind is asked for. An indented line is what a caret meets that an editor has just indented."""
LONG_MIDDLE_CHARACTERS = (800, 1500)
"""About 250 to 450 tokens: the anchored prompt grows to this, as what was typed stands in the middle."""
RANDOM_MIDDLE_CHARACTERS = 300
LARGEST_NODE_CHARACTERS = 600
MOST_LINES = 4
GRAMMARS = {"typescriptreact": "tsx", "javascriptreact": "javascript"}


def choose_hole(text: str, language: str, around: int, chance: Random) -> Hole:
    """A hole near this character; a kind that does not fit gives way to one line."""
    kind = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
    if kind == "node":
        return _node(text, language, around, chance) or _lines(text, around, chance)
    finders: dict[str, Callable[[str, int, Random], Hole]] = {
        "rest of line": _rest_of_line, "indented line": _indented_line, "lines": _lines, "many lines": _many_lines,
        "characters": _characters, "empty": _empty,
    }  # fmt: skip
    return finders[kind](text, around, chance)


def line_around(text: str, offset: int) -> Hole:
    """Begin and end, without the line end, of the first line from here on that is not blank."""
    begin = text.rfind("\n", 0, offset) + 1
    found = re.compile(r"[^\S\n]*\S[^\n]*").search(text, begin)
    return found.span() if found else (len(text), len(text))


def _rest_of_line(text: str, around: int, chance: Random) -> Hole:
    begin, end = _indented_line(text, around, chance)
    return chance.randint(begin, end), end


def _indented_line(text: str, around: int, _chance: Random) -> Hole:
    begin, end = line_around(text, around)
    return end - len(text[begin:end].lstrip()), end


def _lines(text: str, around: int, chance: Random) -> Hole:
    begin, end = line_around(text, around)
    for _ in range(chance.choice((0, 0, 0, 0, 1, 2, MOST_LINES - 1))):
        following = text.find("\n", end + 1)
        end = following if following > 0 else end
    return begin, end


def _many_lines(text: str, around: int, chance: Random) -> Hole:
    """Ends here, and begins at the start of a line far above."""
    _, end = line_around(text, around)
    earliest = max(0, end - chance.randint(*LONG_MIDDLE_CHARACTERS))
    begin = text.find("\n", earliest, end) + 1
    return (begin, end) if begin else _lines(text, around, chance)


def _characters(text: str, around: int, chance: Random) -> Hole:
    """Any piece. Every second one ends with its line: text between two places inside lines is seldom asked for."""
    begin = min(len(text), max(0, around - chance.randint(0, RANDOM_MIDDLE_CHARACTERS)))
    end = chance.randint(begin, min(len(text), begin + RANDOM_MIDDLE_CHARACTERS))
    line_end = text.find("\n", end)
    return (begin, line_end) if line_end > 0 and chance.random() < 0.5 else (begin, end)


def _empty(text: str, around: int, chance: Random) -> Hole:
    begin, end = line_around(text, around)
    place = end if chance.random() < 0.7 else chance.randint(begin, end)
    return place, place


def _node(text: str, language: str, around: int, chance: Random) -> Hole | None:
    parser = _parser(GRAMMARS.get(language, language))
    source = text.encode()
    target = len(text[:around].encode())
    node: Node | None = parser.parse(source).root_node.named_descendant_for_byte_range(target, target)
    fitting = []
    while node is not None and node.end_byte - node.start_byte <= LARGEST_NODE_CHARACTERS:
        if node.end_byte - node.start_byte > 1:
            fitting.append(node)
        node = node.parent
    if not fitting:
        return None
    chosen = chance.choice(fitting)
    begin = len(source[: chosen.start_byte].decode("utf-8", "ignore"))
    return begin, begin + len(source[chosen.start_byte : chosen.end_byte].decode("utf-8", "ignore"))


@cache
def _parser(grammar: str) -> Parser:
    return get_parser(grammar)  # type: ignore[arg-type]
