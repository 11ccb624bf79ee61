"""Values that stand in files of secrets, remembered by their fingerprints: a suggestion that repeats one is not shown.

Such files are never a source, but the same value may stand in an open file, too. Nothing of them is kept but hashes
with a key that is made anew in each process.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.ignore import IgnoreRules
from lsp_server.context.secret_files import is_secret_file
from lsp_server.context.secrets import looks_made_up

_MOST_FILES = 64
_MOST_BYTES = 65_536
"""Of one file: larger ones are data."""
_MOST_VALUES = 5_000
_RUN = re.compile(r"[^\s\"'`,;()\[\]{}<>=]{8,500}")
"""What may be one value: a run without white space, quotes and brackets."""
_KEY = os.urandom(16)


@dataclass(frozen=True, slots=True)
class ExcludedValues:
    """What one workspace's files of secrets hold."""

    fingerprints: frozenset[bytes] = frozenset()

    def are_in(self, text: str) -> bool:
        """Whether a text repeats one of the values."""
        return bool(self.fingerprints) and any(_fingerprint(run) in self.fingerprints for run in _runs(text))


def excluded_values(rules: IgnoreRules) -> ExcludedValues:
    """The values of all files below the root whose names say that they hold secrets; links are not followed."""
    found: set[bytes] = set()
    files = (path for path, reason in rules.walk() if reason is not None and is_secret_file(path))
    for number, path in enumerate(files):
        if number == _MOST_FILES or len(found) > _MOST_VALUES:
            break
        found |= {_fingerprint(run) for run in _runs(_read(f"{rules.root}/{path}")) if looks_made_up(run)}
    return ExcludedValues(frozenset(found))


def _read(file: str) -> str:
    """A file's text as far as it is of use; nothing where it cannot be read."""
    try:
        if not stat.S_ISREG(os.lstat(file).st_mode):
            return ""
        with Path(file).open("rb") as opened:
            return opened.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _runs(text: str) -> Iterator[str]:
    """Possible values, whole and without what stands around a value in code."""
    for run in _RUN.findall(text):
        yield run
        if (bare := run.strip(".:!?\\")) != run and len(bare) >= 8:
            yield bare


def _fingerprint(value: str) -> bytes:
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=_KEY, digest_size=16).digest()
