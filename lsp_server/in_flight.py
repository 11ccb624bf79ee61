"""At most one completion a document is being computed; whatever ends it early gives it its outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from lsp_server.outcome import Outcome, Skip, Times


@dataclass
class _Run:
    work: asyncio.Task[Outcome]
    ended_as: Skip | None = None
    """Why it was ended early; the work itself only sees that it was called off."""


class InFlight:
    """The completions that are being computed, by document."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    async def run(self, uri: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Do `work` for a document instead of what is being done for it.

        Raises:
            CancelledError: the caller was called off; so is the work.
        """
        self.end(uri, Skip.SUPERSEDED)
        started_s = time.perf_counter()
        run = self._runs[uri] = _Run(asyncio.ensure_future(work))
        outcome = Outcome()
        try:
            outcome = await run.work
        except asyncio.CancelledError:
            if run.ended_as is None:
                raise
            outcome = Outcome(times=Times((time.perf_counter() - started_s) * 1000))
        finally:
            if self._runs.get(uri) is run:
                del self._runs[uri]
        return outcome if run.ended_as is None else replace(outcome, suggestion=None, skip=run.ended_as, detail="")

    def is_running(self, uri: str) -> bool:
        """Whether something is being done for a document."""
        return uri in self._runs

    def end(self, uri: str, skip: Skip) -> None:
        """End what is being done for a document, at once, also when its result waits to be collected."""
        run = self._runs.get(uri)
        if run is not None and run.ended_as is None:
            run.ended_as = skip
            run.work.cancel()

    def end_all(self, skip: Skip) -> None:
        """End everything."""
        for uri in list(self._runs):
            self.end(uri, skip)
