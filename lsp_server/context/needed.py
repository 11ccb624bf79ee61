"""Definitions that whoever writes at the caret is likely to need: what the file imports, what stands near, its types.

Each definition gets a score: how the file is related to it, times how much its name has to do with the text around the
caret. What the weights do, `benchmarks/context_recall.py` measures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from lsp_server.context.followed import TOO_COMMON, leads_to
from lsp_server.context.import_paths import nearest_first, siblings
from lsp_server.context.imports import Import
from lsp_server.context.index.lookup import Index, Known
from lsp_server.context.question import Candidate, ContextPiece, Question
from lsp_server.context.words import WORD, near, parts

KIND = "definition"

_BEFORE_LINES, _AFTER_LINES = 60, 15
_MOST_CANDIDATES = 240
_LEAST_SCORE = 0.4
"""What has less to do with the caret costs more tokens than it is worth, also where there is room."""
_TYPE = re.compile(r"\b[A-Z]\w+")
_RECEIVER = re.compile(r"(\w+)(?:\(\))?(?:\.|->|::|\?\.)\w*$")


class Relation(Enum):
    """Why a definition may be needed: how much that is worth, and in words."""

    NAMED = (3.0, "imported here")
    MEMBER_OF_NAMED = (1.1, "a member of what is imported here")
    OF_MODULE = (1.3, "in a module that is imported here")
    MEMBER_OF_MODULE = (0.5, "a member of a type in a module that is imported here")
    OF_PACKAGE = (1.0, "in the same package")
    MEMBER_OF_PACKAGE = (0.8, "a member of a type in the same package")
    NEAR = (1.0, "named near the caret")
    TYPE_MEMBER = (1.0, "a member of a type in play")

    def __init__(self, weight: float, why: str) -> None:
        self.weight = weight
        self.why = why


_MEMBERS = {
    Relation.NAMED: Relation.MEMBER_OF_NAMED,
    Relation.OF_MODULE: Relation.MEMBER_OF_MODULE,
    Relation.OF_PACKAGE: Relation.MEMBER_OF_PACKAGE,
}


@dataclass
class _Caret:
    """What the text around the caret says."""

    question: Question
    words: dict[str, float] = field(init=False)
    """Names near the caret."""
    everywhere: frozenset[str] = field(init=False)
    """Names anywhere in the file."""
    name_parts: dict[str, float] = field(init=False)
    receiver: str = field(init=False)
    """What stands before the dot at the caret."""
    types: frozenset[str] = field(init=False)
    """Names that stand where the receiver gets its value or its type, and type names near the caret."""

    def __post_init__(self) -> None:
        snapshot = self.question.snapshot
        caret = snapshot.caret_line
        lines = [*snapshot.lines[:caret], snapshot.line_before_caret, *snapshot.lines[caret + 1 :]]
        self.words = near(lines, caret, caret - _BEFORE_LINES, caret + _AFTER_LINES)
        self.everywhere = frozenset(word for line in lines for word in WORD.findall(line))
        self.name_parts = {}
        for word, weight in self.words.items():
            for part in parts(word):
                self.name_parts[part] = max(weight, self.name_parts.get(part, 0.0))
        found = _RECEIVER.search(snapshot.line_before_caret)
        self.receiver = found[1] if found is not None else ""
        self.types = frozenset(self._types(lines, caret))

    def _types(self, lines: list[str], caret: int) -> Iterator[str]:
        if self.receiver:
            yield self.receiver
            given = re.compile(
                rf"\b{re.escape(self.receiver)}\b\s*(?::|=|:=|\*|\s+[\w.*\[\]]+)|[\w>*&]\s+[*&]?{re.escape(self.receiver)}\b"
            )
            for line in lines[max(0, caret - _BEFORE_LINES) : caret]:
                if given.search(line):
                    yield from WORD.findall(line)
        for line in lines[max(0, caret - 6) : caret + 1]:
            yield from _TYPE.findall(line)


def needed(question: Question) -> list[Candidate]:
    """The candidates, best first."""
    index = question.index
    if index is None or not question.path:
        return []
    caret = _Caret(question)
    found: dict[tuple[str, int, str], tuple[float, Relation, Known]] = {}
    for relation, boost, known in _related(question, index, caret):
        key = (known.path, known.definition.start, known.definition.name)
        score = boost * relation.weight * _fit(known, relation, caret)
        if known.path != question.path and (key not in found or found[key][0] < score):
            found[key] = (score, relation, known)
    users = index.users_of(known.definition.name for _, _, known in found.values())
    ranked = sorted(
        ((score * (1 + 0.15 * math.log1p(users.get(known.definition.name, 0))), relation, known)
         for score, relation, known in found.values()),
        key=lambda each: (-each[0], each[2].path, each[2].definition.start),
    )  # fmt: skip
    heads = {(known.path, known.definition.name): known for _, _, known in ranked if not known.definition.container}
    return [_candidate(*each, heads) for each in ranked[:_MOST_CANDIDATES] if each[0] >= _LEAST_SCORE]


def _candidate(score: float, relation: Relation, known: Known, heads: dict[tuple[str, str], Known]) -> Candidate:
    definition = known.definition
    lines = (definition.first_line, definition.first_line + definition.signature.count("\n"))
    piece = ContextPiece(KIND, known.path, lines, definition.signature, f"{definition.name}: {relation.why}")
    around = heads.get((known.path, definition.container))
    if around is None or around.definition.start > definition.start or around.definition.end < definition.end:
        return Candidate(piece, score)
    return Candidate(piece, score, around.definition.signature, around.definition.first_line)


def _fit(known: Known, relation: Relation, caret: _Caret) -> float:
    """How much a definition has to do with the text around the caret."""
    definition = known.definition
    own = parts(definition.name)
    shared = sum(caret.name_parts.get(part, 0.0) for part in own) / (len(own) or 1)
    fit = 0.35 + shared
    if definition.name in caret.words:
        fit += 0.5 * caret.words[definition.name]
    elif definition.name in caret.everywhere:
        fit += 0.25
    elif relation is Relation.NAMED:
        fit += 0.6  # imported and not used yet: it will be
    if definition.container:
        fit *= 1.6 if definition.container in caret.types else 0.6 + 0.4 * (definition.container in caret.words)
        fit *= 1.5 if caret.receiver else 1.0
    elif caret.receiver:
        fit *= 0.7
    if definition.name.startswith("_") and relation is not Relation.NAMED:
        fit *= 0.3
    return fit


# ---- what the current file is related to


def _related(question: Question, index: Index, caret: _Caret) -> Iterator[tuple[Relation, float, Known]]:
    """Definitions with their relation and a factor for this very caret."""
    wanted: dict[str, dict[str, float]] = {}
    for import_ in question.imports:
        if question.is_late():
            return
        for path, name in leads_to(import_, question.path, question.grammar, index):
            boost = _boost(import_, caret)
            of_path = wanted.setdefault(path, {})
            of_path[name] = max(boost, of_path.get(name, 0.0))
    for known in index.definitions_in(list(wanted)):
        yield from _by_import(known, wanted[known.path])
    if not question.is_late():
        beside = [path for path in siblings(question.path, question.grammar, index) if path not in wanted]
        for known in index.definitions_in(nearest_first(beside, question.path)):
            yield _relation(known, Relation.OF_PACKAGE), 1.0, known
    if not question.is_late():
        yield from _near(question, index, caret)


def _boost(import_: Import, caret: _Caret) -> float:
    """What is imported and used at the caret is worth more."""
    local = import_.local
    if local and local == caret.receiver:
        return 3.0
    return 1.0 + 0.5 * caret.words.get(local, 0.0)


def _by_import(known: Known, names: dict[str, float]) -> Iterator[tuple[Relation, float, Known]]:
    definition = known.definition
    for name in (definition.name, definition.container):
        if name and name in names:
            relation = Relation.NAMED if name == definition.name else Relation.MEMBER_OF_NAMED
            yield relation, names[name], known
    whole = names.get("", names.get("*"))
    if whole is not None:
        yield _relation(known, Relation.OF_MODULE), whole, known


def _relation(known: Known, relation: Relation) -> Relation:
    return _MEMBERS[relation] if known.definition.container else relation


def _near(question: Question, index: Index, caret: _Caret) -> Iterator[tuple[Relation, float, Known]]:
    """Definitions of names near the caret, and members of the types in play, wherever they are."""
    names = sorted(caret.words, key=lambda word: (-caret.words[word], word))[:120]
    by_name: dict[str, list[Known]] = {}
    for known in index.definitions_named([*names, *sorted(caret.types)], TOO_COMMON):
        by_name.setdefault(known.definition.name, []).append(known)
    for name in sorted(by_name):
        found = by_name[name]
        order = nearest_first((known.path for known in found), question.path)
        for known in sorted(found, key=lambda known: (order.index(known.path), known.definition.start))[:2]:
            yield Relation.NEAR, 1.0 / math.sqrt(len(found)), known
    returned = _types_of(known for name in names if name in caret.types for known in by_name.get(name, [])[:2])
    types = {*caret.types, *returned}
    for known in index.members_of(types):
        if known.definition.container in types:
            yield Relation.TYPE_MEMBER, 1.0, known


def _types_of(functions: Iterable[Known]) -> Iterator[str]:
    """Type names in signatures: what a call gives back, and what a type is made of."""
    for known in functions:
        yield from _TYPE.findall(known.definition.signature)
