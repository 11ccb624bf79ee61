"""One workspace's index: rows go in file by file, questions are answered from what is there.

A question never fails: where the database cannot answer, it is as if nothing were known, and `is_broken` says so.
"""

from __future__ import annotations

import contextlib
import posixpath
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lsp_server.context.index import schema
from lsp_server.context.index.reading import FileFacts

Row = tuple[Any, ...]


class Store:
    """The database. One thread writes, any may ask; each of the two has a connection of its own.

    Args:
        file: where it lies; `None`, or a place that cannot be written, means in memory.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._open()

    @property
    def is_on_disk(self) -> bool:
        """Whether what is written outlives this process."""
        return self._file is not None

    def _open(self) -> None:
        self.is_broken = False
        """Whether a question met a database that makes no sense: `rebuild` it."""
        try:
            self._writer = schema.connect(self._file)
            self._reader = schema.connect(self._file) if self._file is not None else self._writer
        except (sqlite3.Error, OSError):
            self._file = None
            self._reader = self._writer = schema.connect(None)
        self._writing = threading.RLock()
        self._reading = self._writing if self._reader is self._writer else threading.RLock()

    def close(self) -> None:
        """Let go of the file."""
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()

    def rebuild(self) -> None:
        """Begin with an empty database."""
        self.close()
        if self._file is not None:
            schema.remove(self._file)
        self._open()

    # ---- writing

    def put(self, path: str, stamp: tuple[int, int, bytes], facts: FileFacts) -> None:
        """All rows of a file, in place of what was there.

        Args:
            path: relative to the root.
            stamp: size in bytes, time of the last change in nanoseconds, hash.
            facts: what was read.

        Raises:
            sqlite3.Error: nothing was written.
        """
        with self._transaction() as connection:
            _delete(connection, path)
            folder, name = posixpath.split(path)
            values = (path, folder, name, posixpath.basename(folder), facts.grammar, *stamp)
            file_id = connection.execute(
                "INSERT INTO files(path, folder, name, parent, grammar, size_bytes, modified_ns, hash)"
                " VALUES (?,?,?,?,?,?,?,?)",
                values,
            ).lastrowid
            connection.executemany(
                "INSERT INTO definitions VALUES (?,?,?,?,?,?,?,?,?)",
                [
                    (file_id, each.name, each.kind, each.container, each.signature, each.first_line, each.last_line,
                     each.start, each.end)
                    for each in facts.definitions
                ],
            )  # fmt: skip
            connection.executemany(
                "INSERT INTO imports VALUES (?,?,?,?,?,?)",
                [(file_id, e.module, e.name, e.local, e.line, e.is_reexport) for e in facts.imports],
            )
            connection.executemany(
                "INSERT INTO roots VALUES (?,?,?,?)", [(file_id, folder, kind, text) for kind, text in facts.roots]
            )
            for chunk in facts.chunks:
                place = (file_id, chunk.first_line, chunk.last_line)
                rowid = connection.execute(
                    "INSERT INTO chunk_places(file_id, first_line, last_line) VALUES (?,?,?)", place
                ).lastrowid
                connection.execute("INSERT INTO chunks(rowid, text) VALUES (?,?)", (rowid, chunk.text))

    def touch(self, path: str, size_bytes: int, modified_ns: int) -> None:
        """The file was written again with the same content."""
        with self._transaction() as connection:
            sql = "UPDATE files SET size_bytes = ?, modified_ns = ? WHERE path = ?"
            connection.execute(sql, (size_bytes, modified_ns, path))

    def drop(self, paths: Sequence[str]) -> None:
        """Forget files.

        Raises:
            sqlite3.Error: nothing was written.
        """
        with self._transaction() as connection:
            for path in paths:
                _delete(connection, path)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise

    # ---- asking

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """What a statement finds; nothing where the database cannot say."""
        with self._reading:
            try:
                return self._reader.execute(sql, values).fetchall()
            except sqlite3.OperationalError:  # locked, interrupted
                return []
            except sqlite3.DatabaseError:
                self.is_broken = True
                return []

    @contextlib.contextmanager
    def hurrying(self, is_late: Callable[[], bool]) -> Iterator[None]:
        """Within this, a question that takes too long finds nothing."""
        with self._reading:
            self._reader.set_progress_handler(is_late, 2_000)
            try:
                yield
            finally:
                self._reader.set_progress_handler(None, 0)

    def stamps(self) -> dict[str, tuple[int, int, bytes]]:
        """Size in bytes, time of change in nanoseconds and hash of every file that is known."""
        rows = self.rows("SELECT path, size_bytes, modified_ns, hash FROM files")
        return {path: (size, modified, bytes(digest)) for path, size, modified, digest in rows}

    def stamp(self, path: str) -> tuple[int, int, bytes] | None:
        """The same for one file; `None` when it is not known."""
        rows = self.rows("SELECT size_bytes, modified_ns, hash FROM files WHERE path = ?", (path,))
        return (rows[0][0], rows[0][1], bytes(rows[0][2])) if rows else None


def _delete(connection: sqlite3.Connection, path: str) -> None:
    row = connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
    if row is None:
        return
    connection.execute("DELETE FROM chunks WHERE rowid IN (SELECT id FROM chunk_places WHERE file_id = ?)", row)
    for table in schema.OF_A_FILE:
        connection.execute(f"DELETE FROM {table} WHERE file_id = ?", row)  # noqa: S608 - names from a tuple above
    connection.execute("DELETE FROM files WHERE id = ?", row)
