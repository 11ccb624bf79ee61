"""Which characters of a piece of code are code: brackets and words in quotes and comments mean nothing.

A lexer of a few marks a language, because it must work on half a line, without a grammar, and for each streamed piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lsp_server.documents.languages import BlockStyle, language

FILLER = "\ue000"
"""Stands for each character of a string or a comment but the first; a line that begins with it begins inside of one."""

_TRIPLE_QUOTES = frozenset(
    ("python", "starlark", "java", "kotlin", "swift", "scala", "csharp", "julia", "elixir", "groovy", "dart")
)
_BACKTICKS = frozenset(("javascript", "typescript", "tsx", "go"))
_SINGLE_CHARACTERS = frozenset(
    ("c", "cpp", "cuda", "objc", "java", "csharp", "rust", "go", "kotlin", "scala", "swift", "zig", "d", "haskell",
     "v", "odin", "glsl", "hlsl", "wgsl", "proto", "verilog", "vhdl", "ada", "elm", "fsharp")
)  # fmt: skip
"""Grammars of languages in which `'` holds one character, or begins a lifetime, a type variable or a number's base."""

_SINGLE_CHARACTER = r"'(?:[^'\\\n]|\\[^\n]{1,9}?)'"
_REGULAR_EXPRESSION = (
    r"(?:(?<=[(,=:\[!&|?;])|(?<=[(,=:\[!&|?;] )|\A)/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*"
)
"""Where JavaScript has one and not a division: behind an operator, or where a piece begins."""
_ENDS = {
    '"""': r'[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*("""|)',
    "'''": r"[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*('''|)",
    '"': r'[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*("|)',
    "'": r"[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*('|)",
    "`": r"[^`\\]*(?:\\[\s\S][^`\\]*)*(`|)",
}
"""What follows an opening quote; the group is empty where the quote is missing."""

QUOTES = frozenset(_ENDS)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text in which strings and comments are filled: as long as the original, line ends where they were."""

    text: str
    opened: str
    """The mark of the string or comment that the text ends in; empty in code."""


@dataclass(frozen=True, slots=True)
class _Lexis:
    begins: re.Pattern[str]
    ends: dict[str, re.Pattern[str]]
    line_comment: str
    comments: tuple[str, ...]


@lru_cache(maxsize=256)
def _lexis(language_id: str) -> _Lexis:
    row = language(language_id)
    is_prose = row.blocks is BlockStyle.NONE  # there `'` is an apostrophe
    characters = is_prose or row.grammar in _SINGLE_CHARACTERS
    quotes = ['"'] + ["'"] * (not characters) + ["`"] * (row.grammar in _BACKTICKS)
    if row.grammar in _TRIPLE_QUOTES:
        quotes += ['"""', "'''"] if row.grammar in ("python", "starlark") else ['"""']
    ends = {quote: re.compile(_ENDS[quote]) for quote in quotes}
    if row.block_comment:
        opening, closing = row.block_comment
        ends[opening] = re.compile(rf"[\s\S]*?({re.escape(closing)}|\Z)")
    if row.line_comment:
        ends[row.line_comment] = re.compile(r"[^\n]*(\n?)")
    patterns = [_SINGLE_CHARACTER] * characters
    patterns += [_REGULAR_EXPRESSION] * (row.grammar in ("javascript", "typescript", "tsx"))
    patterns += map(re.escape, sorted(ends, key=len, reverse=True))
    comments = (row.line_comment, *(row.block_comment or ())[:1])
    return _Lexis(re.compile("|".join(patterns)), ends, row.line_comment, comments)


def masked(text: str, language_id: str, opened: str = "") -> Masked:
    """The text without its strings and comments.

    Args:
        text: a piece of code with LF.
        language_id: the editor's name of the language.
        opened: the mark of the string or comment that the piece begins in.
    """
    lexis = _lexis(language_id)
    whole, parts, place, left_open = opened + text, [], 0, ""
    while found := lexis.begins.search(whole, place):
        mark, start, end = found[0], found.start(), found.end()
        if mark in lexis.ends:
            closing = lexis.ends[mark].match(whole, end)
            end = closing.end() if closing else len(whole)
            is_closed = bool(closing and closing[1])
            if mark == lexis.line_comment and is_closed:
                end -= 1  # the line end is code
            if not is_closed and end == len(whole):
                left_open = mark
        parts += [whole[place:start], _filled(whole[start:end], is_comment=mark in lexis.comments)]
        place = end
    parts.append(whole[place:])
    return Masked("".join(parts)[len(opened) :], left_open)


_NOT_A_LINE_END = re.compile(r"[^\n]")


def _filled(token: str, *, is_comment: bool) -> str:
    """A comment becomes space and a string a quote, each with fillers behind it."""
    return (" " if is_comment else '"') + _NOT_A_LINE_END.sub(FILLER, token[1:])


def bare(line: str) -> str:
    """A masked line without what is only comment or space at its end; a string leaves its quote."""
    return line.rstrip(" \t" + FILLER)
