"""The thread that keeps a workspace's index up to date, at low priority, and only while nobody needs the machine."""

from __future__ import annotations

import contextlib
import logging
import os
import posixpath
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from lsp_server.context.ignore import IGNORE_FILES, IgnoreRules
from lsp_server.context.index.building import Progress, build, drop_excluded, update
from lsp_server.context.index.store import Store

logger = logging.getLogger(__name__)

NICENESS = 10
"""Above that of the server: on a machine with a free core the build takes as long as without."""
_PAUSE_S = 0.05
_END = None


class BackgroundIndex:
    """Builds once after `start`, then follows what is saved. Ask `Index(store)` meanwhile from any thread.

    Args:
        store: the index; `close` closes it.
        root: of the workspace.
        is_busy: whether the machine has better things to do, such as answering; asked between steps, in this thread.
        on_progress: called in this thread after each step of a build.
    """

    def __init__(
        self,
        store: Store,
        root: Path,
        is_busy: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.store = store
        self._rules = IgnoreRules(root)
        self._is_busy, self._on_progress = is_busy, on_progress
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ends = threading.Event()
        self._idle = threading.Condition()
        self._waiting_events = 1  # the first build is one
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)

    def start(self) -> None:
        """Begin to build."""
        self._thread.start()

    def changed(self, path: str) -> None:
        """A file below the root was saved, made, renamed or deleted; its path relative to the root, with `/`."""
        with self._idle:
            self._waiting_events += 1
        self._events.put(path)

    def wait_until_idle(self, limit_s: float) -> bool:
        """Wait until everything that was said so far is in the index; whether it is."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting_events == 0, limit_s)

    def close(self) -> None:
        """End the work after the present step, and let go of the index."""
        self._ends.set()
        self._events.put(_END)
        if self._thread.is_alive():
            self._thread.join()
        self.store.close()

    # ---- in the thread

    def _run(self) -> None:
        _be_nice()
        self._built()
        self._done()
        while (path := self._events.get()) is not _END and not self._ends.is_set():
            self._followed(path)
            self._done()

    def _built(self) -> None:
        for progress in build(self.store, self._rules.root):
            self._on_progress(progress)
            for path in self._said_meanwhile():
                self._followed(path)
                self._done()
            while self._is_busy() and not self._ends.wait(_PAUSE_S):
                pass
            if self._ends.is_set():
                return

    def _said_meanwhile(self) -> Iterator[str]:
        """What was saved while a build is on: it goes first."""
        with contextlib.suppress(queue.Empty):
            while (path := self._events.get_nowait()) is not _END:
                yield path

    def _followed(self, path: str) -> None:
        try:
            if posixpath.basename(path) in IGNORE_FILES:
                drop_excluded(self.store, self._rules)
                self._built()  # what was ignored until now
            else:
                update(self.store, self._rules, path)
        except sqlite3.Error as error:
            logger.warning("A change did not reach the index: %s.", error)
        if self.store.is_broken:
            self._built()

    def _done(self) -> None:
        with self._idle:
            self._waiting_events -= 1
            self._idle.notify_all()


def _be_nice() -> None:
    """Only on Linux does a thread have a priority of its own; elsewhere the pauses must do."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
