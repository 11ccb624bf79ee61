"""Which files of a workspace may be read at all: ignore files, names of secrets, links, size, what is no text.

Every source asks here. What cannot be decided is excluded: an ignore file that cannot be read takes its folder
with it. Patterns are those of `.gitignore`; of several files the deepest that says something decides, and what lies in
an ignored folder cannot be let in again. `.lingcoderignore` works alike and on its own: it only takes away.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from lsp_server.context.secret_files import is_secret_file

IGNORE_FILES = (".gitignore", ".lingcoderignore")

MOST_BYTES = 1_000_000
"""Larger files are data or were written by a program: none in the Python standard library is."""
MOST_FILES = 20_000
"""How many files of a workspace are indexed; of more, the first in the order of the walk."""

_NEVER = frozenset({".git", ".hg", ".svn", ".jj", "CVS", "node_modules", "bower_components", "__pycache__", ".tox",
                    ".nox", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".gradle", ".cache"})  # fmt: skip
"""Folders that nobody writes code in. They are left out where no ignore file names them, too."""
_MARKS_OF_MADE_FOLDERS = ("pyvenv.cfg", "CACHEDIR.TAG")

NO_CODE = "made by a tool"
"""Why such a folder is left out; nobody needs to be told."""

_PROBE_BYTES = 8192


@dataclass
class IgnoreRules:
    """The rules of one workspace. Ignore files are read once and again after `refresh`.

    Paths are relative to the root, with `/`. Not for several threads at once.
    """

    root: Path
    _specs: dict[str, tuple[GitIgnoreSpec | None, ...]] = field(default_factory=dict)
    """By folder; `None` for an ignore file that cannot be read."""
    _folders: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = Path(os.path.realpath(self.root))

    def refresh(self) -> None:
        """Read the ignore files again: one of them may have changed."""
        self._specs.clear()
        self._folders.clear()

    def why_excluded(self, path: str) -> str | None:
        """Why a file must not be read, by its path alone; `None` when it may."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path or "\\" in path or ":" in parts[0]:
            return "outside of the workspace"
        if is_secret_file(path):
            return "its name says that it holds secrets"
        folder = "/".join(parts[:-1])
        return self.why_folder_excluded(folder) or self._by_ignore_files(folder, "/".join(parts), is_folder=False)

    def why_folder_excluded(self, folder: str) -> str | None:
        """The same for a folder and those around it; the root itself is never excluded."""
        if folder not in self._folders:
            self._folders[folder] = self._why_folder(folder) if folder else self._unreadable("")
        return self._folders[folder]

    def why_unreadable(self, path: str) -> str | None:
        """Why a file must not be read, by what is there: a link, too large, no text. Looks at the disk."""
        excluded = self.why_excluded(path)
        if excluded is not None:
            return excluded
        try:
            return self._why_not_this_file(path)
        except (OSError, ValueError):
            return "it cannot be read"

    # ---- reading the disk

    def read(self, path: str) -> bytes | str:
        """The bytes of a file that may be read, or else why it may not. At most `MOST_BYTES` are read."""
        reason = self.why_unreadable(path)
        if reason is not None:
            return reason
        try:
            with (self.root / path).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except (OSError, ValueError):
            return "it cannot be read"
        if len(content) > MOST_BYTES:
            return _TOO_LARGE
        return _NO_TEXT if b"\0" in content[:_PROBE_BYTES] else content

    def walk(self) -> Iterator[tuple[str, str | None]]:
        """Every file below the root in a fixed order, with why it is left out; of an excluded folder only its name.

        Links are never followed: what they lead to is found where it is, or lies outside.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(self.root / folder) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError:
                yield folder or ".", "it cannot be read"
                continue
            deeper: list[str] = []
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not _is_folder(entry):
                    yield path, _LINK if _is_link(entry) else self.why_excluded(path)
                elif (reason := self.why_folder_excluded(path)) is not None:
                    yield path + "/", reason
                else:
                    deeper.append(path)
            waiting += reversed(deeper)

    # ---- the rules

    def _why_folder(self, folder: str) -> str | None:
        around, _, name = folder.rpartition("/")
        reason = self.why_folder_excluded(around)
        if reason is not None:
            return reason
        if name in _NEVER:
            return NO_CODE
        if any(os.path.lexists(f"{self.root}/{folder}/{mark}") for mark in _MARKS_OF_MADE_FOLDERS):
            return NO_CODE
        return self._by_ignore_files(around, folder, is_folder=True) or self._unreadable(folder)

    def _by_ignore_files(self, folder: str, path: str, *, is_folder: bool) -> str | None:
        """What the ignore files from `folder` up to the root say about a path in it."""
        for number, name in enumerate(IGNORE_FILES):
            for around in _upwards(folder):
                spec = self._specs_of(around)[number]
                below = path[len(around) + 1 :] if around else path
                if spec is _NOTHING:
                    continue
                verdict = spec.check_file(below + "/" if is_folder else below).include if spec is not None else True
                if verdict is not None:
                    if verdict:
                        return f"ignored by {around}/{name}" if around else f"ignored by {name}"
                    break
        return None

    def _unreadable(self, folder: str) -> str | None:
        return "its ignore file cannot be read" if None in self._specs_of(folder) else None

    def _specs_of(self, folder: str) -> tuple[GitIgnoreSpec | None, ...]:
        if folder not in self._specs:
            place = f"{self.root}/{folder}/" if folder else f"{self.root}/"
            extra = [f"{place}.git/info/exclude"] if not folder else []
            git, ours = (f"{place}{name}" for name in IGNORE_FILES)
            self._specs[folder] = (_read_spec([*extra, git]), _read_spec([ours]))
        return self._specs[folder]

    def _why_not_this_file(self, path: str) -> str | None:
        whole = self.root / path
        if Path(os.path.realpath(whole)) != whole:
            return _LINK
        found = whole.stat()
        if not stat.S_ISREG(found.st_mode):
            return "it is no file"
        return _TOO_LARGE if found.st_size > MOST_BYTES else None


_LINK = "a link"
_TOO_LARGE = f"larger than {MOST_BYTES} bytes"
_NO_TEXT = "it is no text"
_NOTHING = GitIgnoreSpec.from_lines([])


def _read_spec(files: list[str]) -> GitIgnoreSpec | None:
    """The patterns of these files, one after the other; `None` when one is there and cannot be read."""
    try:
        lines = [line for file in files for line in _lines_of(file)]
        return GitIgnoreSpec.from_lines(lines) if lines else _NOTHING
    except (OSError, ValueError):  # a pattern that means nothing is a ValueError
        return None


def _lines_of(file: str) -> list[str]:
    if not os.path.lexists(file):  # a link to nowhere is there: somebody meant something
        return []
    return Path(file).read_bytes().decode("utf-8-sig", "surrogateescape").splitlines()


def _upwards(folder: str) -> Iterator[str]:
    """A folder and those around it, up to the root."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_link(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink()
    except OSError:
        return True
