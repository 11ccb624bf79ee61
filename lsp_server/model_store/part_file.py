"""A file that is arriving: what is there of it, the hash of that, and its final name when all is right."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from lsp_server.model_store.errors import DiskFull, Stopped, StoreError, WrongContent
from lsp_server.model_store.hub import RemoteFile
from lsp_server.model_store.part_names import part_of, parts_of

_READ_BYTES = 4 * 1024 * 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def part_for(target: Path, remote: RemoteFile) -> Path:
    """Where a file of the hub arrives."""
    content = remote.sha256 or hashlib.sha256(f"{remote.url} {remote.size_bytes}".encode()).hexdigest()
    return part_of(target, content)


class PartFile:
    """Open for appending as long as the `with` lasts. What was written stays, whatever happens."""

    def __init__(self, target: Path, remote: RemoteFile) -> None:
        self.target = target
        self.path = part_for(target, remote)
        self.length_bytes = 0
        self._remote = remote
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None

    def __enter__(self) -> PartFile:
        """Open it; nothing is known of what is there until `take_up`."""
        with self._storing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # the last bytes of a full disk
                self._file.close()

    def take_up(self, called_off: threading.Event) -> None:
        """Hash what is there, so that what arrives can be added.

        Raises:
            Stopped: it was called off meanwhile.
            StoreError: it cannot be read.
        """
        with self._storing():
            while chunk := self._opened.read(_READ_BYTES):
                self._hash.update(chunk)
                self.length_bytes += len(chunk)
                if called_off.is_set():
                    raise Stopped("Stopped while the part that is here was checked; it is kept.")
        if self.length_bytes > self._remote.size_bytes:
            self.start_over()

    def start_over(self) -> None:
        """Forget what is there.

        Raises:
            StoreError: the file cannot be cut.
        """
        with self._storing():
            self._opened.seek(0)
            self._opened.truncate()
        self._hash = hashlib.sha256()
        self.length_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Append.

        Raises:
            DiskFull: there is no room; what was written is kept.
            StoreError: it cannot be written for another reason.
            WrongContent: this is more than the file has.
        """
        if self.length_bytes + len(chunk) > self._remote.size_bytes:
            self.discard()
            raise WrongContent(
                f"More arrives for {self._remote.label} than its {self._remote.size_bytes:,} bytes. "
                "Nothing was kept. Try again later."
            )
        with self._storing():
            self._opened.write(chunk)
        self._hash.update(chunk)
        self.length_bytes += len(chunk)

    def finish(self) -> str:
        """Check the whole and give it its final name; its SHA-256.

        Raises:
            WrongContent: the hash is not the hub's; nothing is kept.
            StoreError: the name cannot be given.
        """
        found = self._hash.hexdigest()
        if self._remote.sha256 not in (None, found):
            self.discard()
            raise WrongContent(
                f"{self._remote.label} arrived damaged: its SHA-256 is {found}, the hub says {self._remote.sha256}. "
                "Nothing was kept. Download it again; if this repeats, something on the way changes files."
            )
        with self._storing():
            self._opened.flush()
            os.fsync(self._opened.fileno())  # or a power cut could leave a file of zeros under the final name
            self._opened.close()
            self.path.replace(self.target)
        for left in parts_of(self.target):
            with contextlib.suppress(OSError):
                left.unlink()
        return found

    def discard(self) -> None:
        """Remove it."""
        self._opened.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    @property
    def _opened(self) -> BinaryIO:
        assert self._file is not None, "used outside of its `with`"
        return self._file

    def _open(self) -> BinaryIO:
        return self.path.open("r+b" if self.path.exists() else "w+b")

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise DiskFull(
                    f"The disk is full: {self.length_bytes:,} of {self._remote.size_bytes:,} bytes are in "
                    f"{self.path.parent} and are kept. Make room and start again, or set LING_CODER_MODELS_DIR."
                ) from error
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror}. Set LING_CODER_MODELS_DIR to another folder."
            ) from error
