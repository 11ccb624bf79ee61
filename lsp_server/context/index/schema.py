"""The tables of the index, and how its file is opened: rebuilt when it is another version's or broken.

One file a workspace. Readers never wait for a writer (WAL); a process that is killed leaves the last whole file's rows.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from pathlib import Path

from lsp_server.documents import queries

logger = logging.getLogger(__name__)

VERSION = 1
"""Of tables and of what is read out of a file, but for the queries, which are hashed."""

BUSY_LIMIT_MS = 1000
"""How long a writer waits for another server's; each holds the file for one file's rows."""

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE files(
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, name TEXT NOT NULL, parent TEXT NOT NULL,
    grammar TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE INDEX files_by_name ON files(name, parent);
CREATE INDEX files_by_folder ON files(folder);
CREATE TABLE definitions(
    file_id INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, container TEXT NOT NULL, signature TEXT NOT NULL,
    first_line INTEGER NOT NULL, last_line INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL);
CREATE INDEX definitions_by_name ON definitions(name);
CREATE INDEX definitions_by_file ON definitions(file_id);
CREATE TABLE imports(
    file_id INTEGER NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, local TEXT NOT NULL, line INTEGER NOT NULL,
    is_reexport INTEGER NOT NULL);
CREATE INDEX imports_by_file ON imports(file_id);
CREATE INDEX imports_by_name ON imports(name, file_id);
CREATE TABLE roots(file_id INTEGER NOT NULL, folder TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX roots_by_file ON roots(file_id);
CREATE TABLE chunk_places(
    id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL);
CREATE INDEX chunks_by_file ON chunk_places(file_id);
CREATE VIRTUAL TABLE chunks USING fts5(text, tokenize = "unicode61 remove_diacritics 0 tokenchars '_'");
"""
OF_A_FILE = ("definitions", "imports", "roots", "chunk_places")
"""Tables with rows that belong to a file."""


def fingerprint() -> str:
    """What a database must say of itself to be used."""
    text = "\0".join(queries.source(grammar) for grammar in queries.grammars())
    return f"{VERSION} {hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def file_name(root: Path) -> str:
    """The name of a workspace's index."""
    return hashlib.blake2b(str(root).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest() + ".sqlite"


def connect(file: Path | None) -> sqlite3.Connection:
    """A connection to a database with our tables; in memory where there is no file.

    Raises:
        sqlite3.Error: the file cannot be used, not even after it was made anew.
        OSError: its folder cannot be made.
    """
    if file is None:
        return _prepared(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _connected(file)
    except sqlite3.OperationalError as error:  # locked, full, or not ours to write
        if "malformed" not in str(error):
            raise
    except sqlite3.DatabaseError:
        pass
    logger.warning("The index of this workspace is broken and is made anew.")
    remove(file)
    return _connected(file)


def remove(file: Path) -> None:
    """Delete a database with what belongs to it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):
            file.with_name(file.name + ending).unlink()


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_LIMIT_MS / 1000, check_same_thread=False, isolation_level=None)
    try:
        return _prepared(connection)
    except BaseException:
        connection.close()
        raise


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -4000")  # kibibytes
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _fingerprint_of(connection) != fingerprint():
            _make_tables(connection)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return connection


def _fingerprint_of(connection: sqlite3.Connection) -> str | None:
    with contextlib.suppress(sqlite3.OperationalError):  # no such table
        row = connection.execute("SELECT value FROM meta WHERE key = 'fingerprint'").fetchone()
        return str(row[0]) if row is not None else None
    return None


def _make_tables(connection: sqlite3.Connection) -> None:
    """Drop what is there and make our tables, within the present transaction."""
    found = connection.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    ours = [name for kind, name in found if kind == "table" and not name.startswith(("chunks_", "sqlite_"))]
    for name in ours:
        connection.execute(f'DROP TABLE IF EXISTS "{name}"')
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('fingerprint', ?)", (fingerprint(),))
