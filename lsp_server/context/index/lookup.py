"""Questions to the index. Answers have a fixed order, so that the same index gives the same prompt."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsp_server.context.definitions import Definition
from lsp_server.context.imports import Import
from lsp_server.context.index.store import Row, Store

MOST_DEFINITIONS = 2_500
"""Of one question: about what 10 ms read."""
_MOST_MEMBERS = 1_000
_AT_ONCE = 200

_DEFINITION = (
    "SELECT f.path, d.name, d.kind, d.container, d.signature, d.first_line, d.last_line, d.start, d.end"
    " FROM definitions d JOIN files f ON f.id = d.file_id WHERE "
)


@dataclass(frozen=True, slots=True)
class Known:
    """A definition and the file it is in."""

    path: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a file that search found. Lines are 1-based."""

    path: str
    first_line: int
    last_line: int
    text: str
    rank: float
    """The lower, the better it fits; as BM25 in SQLite."""


class Index:
    """What is known of a workspace. Implements `import_paths.Files`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._remembered: dict[tuple[str, tuple[object, ...]], list[Row]] | None = None

    @contextlib.contextmanager
    def remembering(self) -> Iterator[None]:
        """Within this, a question that was asked before gets the same answer: imports lead to the same files often."""
        self._remembered = {}
        try:
            yield
        finally:
            self._remembered = None

    # ---- files

    def exists(self, path: str) -> bool:
        """Whether a file is known."""
        return bool(self._rows("SELECT 1 FROM files WHERE path = ?", (path,)))

    def ending_with(self, tail: str) -> tuple[str, ...]:
        """All files whose paths end with these folders and this name."""
        folder, name = posixpath.split(tail)
        if not folder:
            return self._texts("SELECT path FROM files WHERE name = ? ORDER BY path", (name,))
        sql = "SELECT path FROM files WHERE name = ? AND parent = ? ORDER BY path"
        found = self._texts(sql, (name, posixpath.basename(folder)))
        return tuple(path for path in found if path == tail or path.endswith("/" + tail))

    def in_folder(self, folder: str) -> tuple[str, ...]:
        """The files right in a folder."""
        return self._texts("SELECT path FROM files WHERE folder = ? ORDER BY path", (folder,))

    def roots(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Folder and text of what project files say."""
        rows = self._rows("SELECT folder, text FROM roots WHERE kind = ? ORDER BY folder, text", (kind,))
        return tuple((folder, text) for folder, text in rows)

    def grammar(self, path: str) -> str:
        """The grammar of a file; empty where there is none."""
        return next(iter(self._texts("SELECT grammar FROM files WHERE path = ?", (path,))), "")

    # ---- what files say

    def definitions_in(self, paths: Sequence[str]) -> list[Known]:
        """What these files define, file by file in the order given."""
        found: dict[str, list[Known]] = {}
        for first in range(0, len(paths), _AT_ONCE):
            part = list(paths[first : first + _AT_ONCE])
            sql = f"{_DEFINITION} f.path IN ({_marks(part)}) ORDER BY f.path, d.start, d.name LIMIT {MOST_DEFINITIONS}"
            for each in self._known(sql, part):
                found.setdefault(each.path, []).append(each)
        return [each for path in dict.fromkeys(paths) for each in found.get(path, [])]

    def defines(self, path: str, name: str) -> bool:
        """Whether a file defines a name."""
        sql = "SELECT 1 FROM definitions d JOIN files f ON f.id = d.file_id WHERE d.name = ? AND f.path = ? LIMIT 1"
        return bool(self._rows(sql, (name, path)))

    def definitions_named(self, names: Iterable[str], most_each: int) -> list[Known]:
        """What is called so, anywhere; nothing for a name that is defined more often than `most_each` times."""
        part = sorted(set(names))[:_AT_ONCE]
        counted = f"SELECT name FROM definitions WHERE name IN ({_marks(part)}) GROUP BY name HAVING count(*) <= ?"  # noqa: S608
        rare = self._texts(counted, (*part, most_each))
        sql = f"{_DEFINITION} d.name IN ({_marks(rare)}) ORDER BY d.name, f.path, d.start LIMIT {MOST_DEFINITIONS}"
        return self._known(sql, rare) if rare else []

    def members_of(self, containers: Iterable[str]) -> list[Known]:
        """What belongs to types of these names, anywhere."""
        part = sorted(set(containers))[:_AT_ONCE]
        types = f"SELECT file_id FROM definitions WHERE name IN ({_marks(part)})"  # noqa: S608
        sql = f"{_DEFINITION} d.container IN ({_marks(part)}) AND d.file_id IN ({types})"
        sql += f" ORDER BY f.path, d.start LIMIT {_MOST_MEMBERS}"
        return self._known(sql, [*part, *part]) if part else []

    def imports_of(self, path: str) -> list[Import]:
        """What a file imports, in its order."""
        sql = (
            "SELECT i.module, i.name, i.local, i.line, i.is_reexport FROM imports i JOIN files f ON f.id = i.file_id"
            " WHERE f.path = ? ORDER BY i.line, i.name, i.module LIMIT 2000"
        )
        rows = self._rows(sql, (path,))
        return [Import(module, name, local, line, bool(again)) for module, name, local, line, again in rows]

    def users_of(self, names: Iterable[str]) -> dict[str, int]:
        """How many files import each of these names."""
        part = sorted(set(names))[:_AT_ONCE]
        sql = f"SELECT name, count(DISTINCT file_id) FROM imports WHERE name IN ({_marks(part)}) GROUP BY name"  # noqa: S608
        return dict(self.store.rows(sql, part)) if part else {}

    # ---- search

    def chunks_with(self, word: str, most: int) -> int:
        """In how many chunks a word stands; counting ends at `most`."""
        sql = "SELECT count(*) FROM (SELECT 1 FROM chunks WHERE chunks MATCH ? LIMIT ?)"
        rows = self.store.rows(sql, (f'"{word}"', most))
        return int(rows[0][0]) if rows else 0

    def similar(self, words: Sequence[str], most: int) -> list[Passage]:
        """The chunks that share the most of these words, best first. Few and rare words make it fast."""
        if not words:
            return []
        query = " OR ".join(f'"{word}"' for word in words)
        sql = (
            "SELECT f.path, p.first_line, p.last_line, c.text, c.rank FROM"
            " (SELECT rowid, text, rank FROM chunks WHERE chunks MATCH ? ORDER BY rank, rowid LIMIT ?) c"
            " JOIN chunk_places p ON p.id = c.rowid JOIN files f ON f.id = p.file_id ORDER BY c.rank, f.path,"
            " p.first_line"
        )
        return [Passage(*row) for row in self.store.rows(sql, (query, most))]

    def _rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        if self._remembered is None:
            return self.store.rows(sql, values)
        key = (sql, tuple(values))
        if key not in self._remembered:
            self._remembered[key] = self.store.rows(sql, values)
        return self._remembered[key]

    def _known(self, sql: str, values: Sequence[object]) -> list[Known]:
        return [Known(row[0], Definition(*row[1:])) for row in self.store.rows(sql, values)]

    def _texts(self, sql: str, values: Sequence[object]) -> tuple[str, ...]:
        return tuple(row[0] for row in self._rows(sql, values))


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
