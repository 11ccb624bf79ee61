"""One process at a time works on a file of the models folder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lsp_server.model_store.errors import Stopped, StoreError
from lsp_server.model_store.folders import models_folder

_LOOK_AGAIN_S = 0.2


@contextmanager
def locked(
    path: Path, called_off: threading.Event | None = None, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Nobody else who asks so works on this file meanwhile. Locks are files that stay: removing one would let two in.

    Args:
        path: The file; it need not be there.
        called_off: Ends the waiting when it is set.
        on_wait: Called once when somebody else has the lock.

    Raises:
        Stopped: the waiting was called off.
        StoreError: there is no locking in that folder.
    """
    from filelock import FileLock, Timeout

    folder = models_folder() / ".locks"
    lock = FileLock(folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.lock")
    called_off = called_off or threading.Event()
    waits = False
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
            break
        except Timeout:
            if not waits:
                on_wait()
            waits = True
        except (OSError, NotImplementedError) as error:  # the second where a file system knows no locks
            reason = getattr(error, "strerror", None) or str(error)
            raise StoreError(f"The folder {folder} cannot be used: {reason}.") from error
        if called_off.wait(_LOOK_AGAIN_S):
            raise Stopped("Stopped while another process worked on the same file.")
    try:
        yield
    finally:
        lock.release()
