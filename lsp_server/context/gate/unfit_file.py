"""Files that no suggestion fits: too large, binary, or not written by a person."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from lsp_server.documents.languages import BlockStyle, language
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.settings import Settings

_MACHINE_MADE = (
    "*.min.js", "*.min.css", "*.min.mjs", "*.bundle.js", "*.map", "*.lock", "*.lockb", "package-lock.json",
    "npm-shrinkwrap.json", "pnpm-lock.yaml", "packages.lock.json", "go.sum", "gradle.lockfile", "*.pb.go", "*.pb.cc",
    "*.pb.h", "*_pb2.py", "*_pb2_grpc.py", "*_pb2.pyi", "*.g.dart", "*.freezed.dart", "*.designer.cs", "*.g.cs",
    "*.generated.*", "*_generated.*", "zz_generated.*", "*.pbobjc.*",
)  # fmt: skip
"""Names that tools give to what they write; compared in lower case."""

_HEAD_LINES = 12
"""Licences stand before the remark in some files, but hardly ever so much of them that it is seen further below."""
_COMMENT = re.compile(r"""\s*(?:\#|//|/\*|\*|--|;|%|<!--|\(\*|\{-|"|'|rem\b)""", re.IGNORECASE)
_SAYS_SO = re.compile(
    r"@generated\b|\bdo not (?:edit|modify|change)\b|\b(?:auto-?|automatically )generated\b", re.IGNORECASE
)

_MINIFIED_MEAN_CHARACTERS = 250
_MINIFIED_LEAST_CHARACTERS = 2000
"""GitHub's linguist takes scripts with a mean line of more than 110 characters for minified; twice that leaves room for
tables in code."""


def too_large(snapshot: DocumentSnapshot, settings: Settings) -> bool:
    """`lingCoder.maxFileBytes`."""
    return snapshot.is_larger_than(settings.max_file_bytes)


def binary(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """NUL bytes stand in no text."""
    return any("\0" in line for line in snapshot.lines)


def generated(snapshot: DocumentSnapshot, _: Settings) -> str | bool:
    """By its name, or by what its first comments say."""
    name = (snapshot.path or "").rpartition("/")[2].lower()
    if any(fnmatchcase(name, pattern) for pattern in _MACHINE_MADE):
        return f"{name} is a file that tools write"
    return any(_COMMENT.match(line) and _SAYS_SO.search(line[:500]) for line in snapshot.lines[:_HEAD_LINES])


def minified(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """Code with very long lines. Prose may have a paragraph a line."""
    if language(snapshot.language_id, snapshot.path).blocks is BlockStyle.NONE:
        return False
    characters = snapshot.size_characters
    mean_characters = characters / len(snapshot.lines)
    return characters >= _MINIFIED_LEAST_CHARACTERS and mean_characters > _MINIFIED_MEAN_CHARACTERS
