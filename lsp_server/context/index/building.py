"""Filling the index, in steps of one file: the caller decides when the next one is taken, and in which thread."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.ignore import MOST_FILES, IgnoreRules
from lsp_server.context.index.reading import FileFacts, digest, facts, is_of_interest
from lsp_server.context.index.store import Store

logger = logging.getLogger(__name__)

_STEP_ENTRIES = 200
_DROPPED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is."""

    done_files: int
    all_files: int
    """0 while the files are still being counted."""
    is_capped: bool = False
    """There are more files than are indexed."""
    problem: str = ""
    """Why the build ended early; empty when it did not."""

    @property
    def percent(self) -> int:
        """For a progress bar."""
        return 100 * self.done_files // self.all_files if self.all_files else 0


def build(store: Store, root: Path, *, most_files: int = MOST_FILES) -> Iterator[Progress]:
    """Bring the index up to date with the disk. Each step is short; what is not taken is not done.

    Reads what is new or changed, forgets what is gone or may not be read any more. Ends with a `problem` when the
    database cannot be written.
    """
    if store.is_broken:
        store.rebuild()
    rules = IgnoreRules(root)
    try:
        yield from _build(store, rules, most_files)
    except sqlite3.Error as error:
        logger.warning("The index is not complete: %s.", error)
        store.is_broken = store.is_broken or not isinstance(error, sqlite3.OperationalError)
        yield Progress(0, 0, problem=f"The index cannot be written: {error}.")


def update(store: Store, rules: IgnoreRules, path: str) -> None:
    """One file was saved, made or deleted. What is not code, or may not be read, leaves no rows.

    Raises:
        sqlite3.Error: the index was not changed.
    """
    known = store.stamp(path)
    stamp, found = _looked_at(rules, path, known)
    if found is not None:
        store.put(path, stamp, found)
    elif known is not None and stamp[2] != known[2]:
        store.drop([path])
    elif known is not None and stamp != known:
        store.touch(path, stamp[0], stamp[1])


def drop_excluded(store: Store, rules: IgnoreRules) -> list[str]:
    """Forget what the rules, as they are on the disk, exclude. Returns what was forgotten.

    Raises:
        sqlite3.Error: the index was not changed.
    """
    rules.refresh()
    gone = [path for path in sorted(store.stamps()) if rules.why_excluded(path) is not None]
    store.drop(gone)
    return gone


def _build(store: Store, rules: IgnoreRules, most_files: int) -> Iterator[Progress]:
    paths: list[str] = []
    is_capped = False
    for number, (path, reason) in enumerate(rules.walk()):
        if reason is None and is_of_interest(path):
            if len(paths) == most_files:
                is_capped = True
                break
            paths.append(path)
        if number % _STEP_ENTRIES == 0:
            yield Progress(0, 0)
    known = store.stamps()
    gone = sorted(set(known) - set(paths))
    for first in range(0, len(gone), _DROPPED_AT_ONCE):
        store.drop(gone[first : first + _DROPPED_AT_ONCE])
        yield Progress(0, len(paths), is_capped)
    for done, path in enumerate(paths, start=1):
        if not _is_unchanged(rules.root / path, known.get(path)):
            update(store, rules, path)
        yield Progress(done, len(paths), is_capped)


def _is_unchanged(file: Path, known: tuple[int, int, bytes] | None) -> bool:
    """Whether size and time are those of the index; a link is never taken for a file."""
    try:
        found = file.lstat()
    except (OSError, ValueError):
        return False
    return known is not None and (found.st_size, found.st_mtime_ns) == known[:2]


_NOTHING = (-1, -1, b"")


def _looked_at(
    rules: IgnoreRules, path: str, known: tuple[int, int, bytes] | None
) -> tuple[tuple[int, int, bytes], FileFacts | None]:
    """The stamp of a file and, where its content is not the known one, what is in it."""
    if not is_of_interest(path):
        return _NOTHING, None
    content = rules.read(path)
    if isinstance(content, str):
        return _NOTHING, None
    try:
        found = (rules.root / path).lstat()
    except OSError:
        return _NOTHING, None
    stamp = (found.st_size, found.st_mtime_ns, digest(content))
    return stamp, None if known is not None and known[2] == stamp[2] else facts(path, content)
