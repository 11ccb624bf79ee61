"""What the index keeps of one file: read, redacted, parsed."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsp_server.context.definitions import Definition, definitions
from lsp_server.context.imports import Import, imports
from lsp_server.context.project_files import PROJECT_FILES, Root, roots
from lsp_server.context.secrets import redacted
from lsp_server.documents import queries
from lsp_server.documents.languages import LANGUAGES, BlockStyle, language_of
from lsp_server.documents.syntax import parse
from lsp_server.documents.text_lines import split_lines

_DATA = frozenset({"json", "jsonc", "jsonl", "xml", "svelte", "toml", "yaml", "css", "less", "sass", "scss", "bibtex"})
CHUNK_LINES = 24
_LEAST_CHUNK_LINES = 8
_LONGEST_LINE_CHARACTERS = 2_000
_LONGEST_MEAN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file for search. Lines are 1-based."""

    first_line: int
    last_line: int
    text: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """All rows of one file."""

    grammar: str
    definitions: Sequence[Definition] = ()
    imports: Sequence[Import] = ()
    roots: Sequence[Root] = ()
    chunks: Sequence[Chunk] = ()


def is_of_interest(path: str) -> bool:
    """Whether a file is code, or says where code lies."""
    name = posixpath.basename(path)
    language_id = language_of(name)
    if name in PROJECT_FILES:
        return True
    language = LANGUAGES[language_id]
    return language_id not in _DATA and language.grammar is not None and language.blocks is not BlockStyle.NONE


def digest(content: bytes) -> bytes:
    """By which a changed file is known."""
    return hashlib.blake2b(content, digest_size=16).digest()


def facts(path: str, content: bytes) -> FileFacts:
    """What the index keeps of a file. Values that look secret are replaced before anything else sees them."""
    text = redacted(content.decode("utf-8", "replace").removeprefix("\ufeff"))
    name = posixpath.basename(path)
    if name in PROJECT_FILES:
        return FileFacts("", roots=roots(path, text))
    lines = split_lines(text)
    if _is_made_by_a_program(lines):
        return FileFacts("")
    syntax = parse(language_of(name), path, lines)
    if syntax is None:
        return FileFacts("", chunks=tuple(chunks(lines)))
    matches = queries.structure(syntax.grammar, syntax.root)
    return FileFacts(
        syntax.grammar,
        definitions(syntax, matches),
        imports(syntax, matches),
        chunks=tuple(chunks(lines)),
    )


def chunks(lines: Sequence[str]) -> Iterator[Chunk]:
    """The file in pieces of up to `CHUNK_LINES` lines, cut where something begins at the left margin if possible."""
    first = 0
    while first < len(lines):
        last = min(first + CHUNK_LINES, len(lines))
        if last < len(lines):
            borders = (n for n in range(last, first + _LEAST_CHUNK_LINES, -1) if _begins(lines, n))
            last = next(borders, last)
        text = "".join(lines[first:last])
        if text.strip():
            yield Chunk(first + 1, last, text)
        first = last


def _begins(lines: Sequence[str], number: int) -> bool:
    """Whether a line at the left margin follows a blank one."""
    line = lines[number]
    return bool(line.strip()) and not line[0].isspace() and not lines[number - 1].strip()


def _is_made_by_a_program(lines: Sequence[str]) -> bool:
    characters = sum(map(len, lines))
    return max(map(len, lines)) > _LONGEST_LINE_CHARACTERS or characters > _LONGEST_MEAN_CHARACTERS * len(lines)
