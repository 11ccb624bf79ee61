"""How often the assembled context holds the name that comes next, where that name is defined in another file.

    python -m benchmarks.context_recall FOLDER...

Each folder is one repository. In each, places are drawn where a name is about to be written that one to three other
files define and this one does not. The rest of the line is taken away, the sources are asked, and what they give,
without anything of the current file, is searched for the name and for the first line of its definition. No model runs.
`--without SOURCE` leaves one source out, to see what it is worth.
"""

# ruff: noqa: T201 - this speaks to a person

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.context.budget import choose
from lsp_server.context.ignore import IgnoreRules
from lsp_server.context.index.building import build
from lsp_server.context.index.lookup import Index
from lsp_server.context.index.reading import is_of_interest
from lsp_server.context.index.store import Store
from lsp_server.context.question import ContextPiece, Question
from lsp_server.context.sources import SOURCES, assemble, gather
from lsp_server.context.words import WORD
from lsp_server.documents import queries
from lsp_server.documents.languages import language_of
from lsp_server.documents.open_tree import LateSyntax
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.syntax import Syntax, parse
from lsp_server.documents.text_lines import split_lines

_SHOWN_LINES = 60
_NEXT_LINES = 10
_LEAST_NAME_CHARACTERS = 4
_MOST_DEFINITIONS = 3


@dataclass(frozen=True)
class Place:
    """A caret before a name that other files define."""

    path: str
    lines: tuple[str, ...]
    line: int
    column: int
    name: str
    heads: tuple[str, ...]
    """First lines of the definitions."""


@dataclass
class Score:
    """What was found, over all places of a language and budget."""

    places: int = 0
    with_name: int = 0
    with_definition: int = 0
    characters: int = 0
    useful_characters: int = 0
    ms: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, float]:
        """Shares in percent."""
        times = sorted(self.ms)
        return {
            "places": self.places,
            "name_percent": round(100 * self.with_name / max(1, self.places), 1),
            "definition_percent": round(100 * self.with_definition / max(1, self.places), 1),
            "useful_percent": round(100 * self.useful_characters / max(1, self.characters), 1),
            "mean_characters": round(self.characters / max(1, self.places)),
            "p50_ms": round(times[len(times) // 2], 1) if times else 0,
            "p95_ms": round(times[len(times) * 95 // 100], 1) if times else 0,
        }


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--places", type=int, default=40, help="at most so many of each repository")
    parser.add_argument("--characters", type=int, nargs="+", default=[1500, 6000])
    parser.add_argument("--without", action="append", default=[], choices=[name for name, _ in SOURCES])
    parser.add_argument("--cut", action="store_true", help="take away everything after the caret, not only the line")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    scores: dict[tuple[str, int], Score] = {}
    for folder in arguments.folders:
        _measure(folder, arguments, scores)
    report = {
        f"{language} {characters}": scores[language, characters].as_json() for language, characters in sorted(scores)
    }
    if arguments.json:
        print(json.dumps(report))
    else:
        for name, row in report.items():
            print(f"{name:18}", *(f"{key}={value}" for key, value in row.items()))
    return 0


def _measure(folder: Path, arguments: argparse.Namespace, scores: dict[tuple[str, int], Score]) -> None:
    store = Store(None)
    for _ in build(store, folder):
        pass
    index, rules = Index(store), IgnoreRules(folder)
    sources = [source for source in SOURCES if source[0] not in arguments.without]
    for place in _places(folder, index, arguments.places):
        question = _question(place, index, rules, cut=arguments.cut)
        began_s = time.perf_counter()
        candidates, left_out = gather(question, sources)
        gathered_s = time.perf_counter() - began_s
        texts = {
            text for each in candidates.values() for one in each for text in (one.piece.text, one.piece.path, one.head)
        }
        costs = {text: len(text) for text in texts}
        for characters in arguments.characters:
            began_s = time.perf_counter()
            chosen, no_room = choose(candidates, costs, characters)
            pieces = assemble(chosen, [*left_out, *no_room], {}).pieces
            for language in (language_of(place.path), "all"):
                score = scores.setdefault((language, characters), Score())
                _add(score, place, [piece for piece in pieces if piece.path != place.path])
                score.ms.append((gathered_s + time.perf_counter() - began_s) * 1000)
    store.close()


def _add(score: Score, place: Place, pieces: Sequence[ContextPiece]) -> None:
    text = "\n".join(piece.text for piece in pieces)
    names = set(WORD.findall(text))
    following = set(WORD.findall("".join(place.lines[place.line : place.line + _NEXT_LINES])))
    stripped = {line.strip() for line in text.splitlines()}
    score.places += 1
    score.with_name += place.name in names
    score.with_definition += any(head.strip() in stripped for head in place.heads)
    score.characters += len(text)
    score.useful_characters += sum(
        len(line) for line in text.splitlines() if following & set(WORD.findall(line)) - _KEYWORDS
    )


_KEYWORDS = frozenset(
    (
        "self", "this", "def", "class", "func", "function", "return", "const", "let", "var", "int", "char", "void",
        "string", "export", "import", "type", "struct", "static", "async", "await", "public", "private", "None", "True",
        "False", "null", "true", "false", "for", "and", "not", "str", "bool", "any", "new", "from", "interface",
    )
)  # fmt: skip


def _question(place: Place, index: Index, rules: IgnoreRules, *, cut: bool) -> Question:
    line = place.lines[place.line][: place.column] + "\n"
    after = () if cut else place.lines[place.line + 1 :]
    lines = (*place.lines[: place.line], line, *after)
    late = LateSyntax(lambda: parse(language_of(place.path), place.path, lines))
    snapshot = DocumentSnapshot(
        "file:///" + place.path,
        place.path,
        language_of(place.path),
        0,
        lines,
        place.line,
        place.column,
        late_syntax=late,
    )
    snapshot.syntax  # noqa: B018 - parsed before the clock runs: the server has the tree
    return Question(snapshot, (max(1, place.line - _SHOWN_LINES), place.line + _NEXT_LINES), index, rules)


def _places(folder: Path, index: Index, most: int) -> Iterator[Place]:
    chance = random.Random(folder.name)  # noqa: S311 - no secret
    paths = [path for path in sorted(index.store.stamps()) if is_of_interest(path) and index.grammar(path)]
    chance.shuffle(paths)
    found = 0
    for path in paths:
        if found >= most:
            return
        places = list(_places_in(folder, path, index))
        for place in chance.sample(places, min(3, len(places))):
            found += 1
            yield place


def _places_in(folder: Path, path: str, index: Index) -> Iterator[Place]:
    lines = tuple(split_lines((folder / path).read_text(encoding="utf-8", errors="replace")))
    syntax = parse(language_of(path), path, lines)
    if syntax is None:
        return
    end = sum(map(len, lines))
    imported = {line for each in queries.structure(syntax.grammar, syntax.root) for line in _import_lines(syntax, each)}
    own = {each.definition.name for each in index.definitions_in([path])}
    nodes = [
        (syntax.place_of(syntax.start_of(node)), node)
        for node in queries.references(syntax.grammar, syntax.root, 0, end)
    ]
    names: dict[str, list[tuple[int, int]]] = {}
    for place, node in nodes:
        name = syntax.text_between(syntax.start_of(node), syntax.end_of(node))
        if len(name) >= _LEAST_NAME_CHARACTERS and name not in own and place[0] not in imported:
            names.setdefault(name, []).append(place)
    for name in sorted(names):
        elsewhere = [each for each in index.definitions_named([name], 2 * _MOST_DEFINITIONS) if each.path != path]
        if 0 < len(elsewhere) <= _MOST_DEFINITIONS:
            heads = tuple(_line_with(name, each.definition.signature) for each in elsewhere)
            for line, column in names[name]:
                yield Place(path, lines, line, column, name, heads)


def _line_with(name: str, signature: str) -> str:
    """The line of a signature that names what is defined: not a decorator."""
    lines = signature.splitlines()
    return next((line for line in lines if name in WORD.findall(line)), lines[0])


def _import_lines(syntax: Syntax, match: queries.Match) -> Iterator[int]:
    for node in (*match[1].get("import", []), *match[1].get("reexport", [])):
        yield from range(node.start_point[0], node.end_point[0] + 1)


if __name__ == "__main__":
    sys.exit(main())
