"""A language server's side of the engine: finds the host, starts one where there is none, and again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from lsp_server.engine import codec
from lsp_server.engine.base import (
    EngineCounters,
    EngineState,
    EngineStatus,
    Finished,
    GenerateRequest,
    Piece,
    StatusListener,
)
from lsp_server.engine.endpoint import Endpoint, connect, endpoint_for
from lsp_server.engine.launch import start_host
from lsp_server.engine.wire import Peer
from lsp_server.errors import CompletionError, EngineBusy, EngineError, WireError

_CONNECT_LIMIT_S = 15.0
_CONNECT_EVERY_S = 0.02
_SPAWN_EVERY_S = 2.0
_LONGEST_PAUSE_S = 30.0
_TRY_FAILED_AGAIN_S = 10.0
"""A model that could not be loaded is not tried again before; in the meantime the status says why."""
_GREETING_LIMIT_S = 15.0
"""A host tells its status at once, whatever it does."""
_SILENT_ATTEMPTS = 9
_DEATHS_WHILE_LOADING = 3
"""So many in a row are no accident: the next attempt would end the same way."""

_CALM_S = 60.0
"""A host that lived this long before it died is started again at once."""


class EngineClient:
    """Implements `Engine` over the socket of a host that all windows share."""

    def __init__(self, model: Path, recommended_percent: int = 0) -> None:
        """A client for a model file.

        Args:
            model: the file.
            recommended_percent: see `ModelInfo.min_confidence_percent`; what the file itself says goes before it.
        """
        self._model, self._recommended_percent = model, recommended_percent
        self._status = EngineStatus(EngineState.STOPPED)
        self._listeners: list[StatusListener] = []
        self._changed = asyncio.Event()
        self._peer: Peer | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._failed_s = 0.0
        """When the last attempt failed, by the monotonic clock."""
        self._closed = False

    @property
    def status(self) -> EngineStatus:
        """The newest status."""
        return self._status

    def on_status(self, listener: StatusListener) -> None:
        """Call `listener` at each change of status."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin to connect; returns at once. What failed is tried again, but not at every key."""
        if self._closed or (self._keeper is not None and not self._keeper.done()):
            return
        if self._status.state is EngineState.FAILED and time.monotonic() - self._failed_s < _TRY_FAILED_AGAIN_S:
            return
        self._set(EngineStatus(EngineState.STARTING, "Starting the engine"))
        self._keeper = asyncio.ensure_future(self._keep_connected())

    async def wait_ready(self, limit_ms: float) -> EngineStatus:
        """Wait until the model is loaded or has failed, at most `limit_ms`; the status then."""
        ends = time.monotonic() + limit_ms / 1000
        await self.start()
        while self._status.model is None and self._status.state is not EngineState.FAILED:
            left_s = ends - time.monotonic()
            if left_s <= 0:
                break
            self._changed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left_s)
        return self._status

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Stream pieces, then one `Finished`. Closing the generator cancels."""
        async with aclosing(self._connected().stream("generate", codec.request_to_wire(request))) as answer:
            async for kind, value in answer:
                yield codec.piece_from_wire(value) if kind == "item" else codec.finished_from_wire(value)

    async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        """How many tokens each text has."""
        return tuple(await self._connected().call("count", {"texts": texts}))

    async def counters(self) -> EngineCounters:
        """What the host has counted since it was started: process id, evaluated tokens, aborted calls."""
        return EngineCounters(**await self._connected().call("counters", None))

    async def close(self) -> None:
        """Hang up; the host stays for others, and leaves by itself when nobody comes."""
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._peer is not None:
            self._peer.close()
        self._set(EngineStatus(EngineState.STOPPED))

    def _connected(self) -> Peer:
        if self._peer is None or self._peer.closed:
            kind = EngineError if self._status.state is EngineState.FAILED else EngineBusy
            raise kind(self._status.message or "The engine is not running.")
        return self._peer

    def _with_recommendation(self, status: EngineStatus) -> EngineStatus:
        if status.model is None or status.model.min_confidence_percent:
            return status
        return replace(status, model=replace(status.model, min_confidence_percent=self._recommended_percent))

    def _set(self, status: EngineStatus) -> None:
        if status == self._status:
            return
        self._status = status
        if status.state is EngineState.FAILED:
            self._failed_s = time.monotonic()
        self._changed.set()
        for listener in self._listeners:
            listener(status)

    async def _keep_connected(self) -> None:
        """Connect, and again with growing pauses whenever the host dies; ends when that has no sense."""
        deaths = deaths_while_loading = 0
        while True:
            try:
                endpoint = endpoint_for(self._model)
                lived_s = await self._one_life(endpoint)
            except CompletionError as error:
                self._set(EngineStatus(EngineState.FAILED, str(error)))
                return
            except Exception as error:  # noqa: BLE001 - whoever waits must hear that nobody tries any more
                self._set(EngineStatus(EngineState.FAILED, f"The engine cannot be reached: {error!r}."))
                return
            if self._status.state is EngineState.FAILED:
                return
            deaths_while_loading = 0 if self._status.model else deaths_while_loading + 1
            if deaths_while_loading >= _DEATHS_WHILE_LOADING:
                self._set(EngineStatus(EngineState.FAILED, f"The engine dies while it loads. {_last_words(endpoint)}"))
                return
            deaths = 1 if lived_s > _CALM_S else deaths + 1
            pause_s = min(_LONGEST_PAUSE_S, 2.0 ** (deaths - 2)) if deaths > 1 else 0.0
            self._set(EngineStatus(EngineState.STARTING, _obituary(endpoint, pause_s)))
            await asyncio.sleep(pause_s)

    async def _one_life(self, endpoint: Endpoint) -> float:
        """Be connected until the host is gone; for how many seconds that was.

        A connection that ends without a word is none: a host that is being killed still accepts one.

        Raises:
            EngineError: whatever listens there always hangs up.
        """
        for attempt in range(_SILENT_ATTEMPTS):
            lived_s = await self._one_connection(endpoint)
            if lived_s is not None:
                return lived_s
            await asyncio.sleep(_CONNECT_EVERY_S * 2**attempt)
        raise EngineError(f"What listens at {endpoint.socket} is no engine: it hangs up.")

    async def _one_connection(self, endpoint: Endpoint) -> float | None:
        """Be connected until the host is gone; for how many seconds that was, `None` when it said nothing."""
        reader, writer = await self._find_or_start(endpoint)
        began = time.monotonic()
        greeted = False

        def take(wire: dict[str, Any]) -> None:
            nonlocal greeted
            greeted = True
            self._set(self._with_recommendation(codec.status_from_wire(wire)))

        def hang_up_on_silence() -> None:
            if not greeted:
                peer.close()

        peer = self._peer = Peer(reader, writer, notifications={"status": take})
        limit = asyncio.get_running_loop().call_later(_GREETING_LIMIT_S, hang_up_on_silence)
        try:
            await peer.run()
        except WireError as error:
            raise EngineError(f"What listens at {endpoint.socket} is no engine: {error}") from error
        finally:
            limit.cancel()
            peer.close()
        lived_s = time.monotonic() - began
        if not greeted and lived_s >= _GREETING_LIMIT_S:
            raise EngineError(f"What listens at {endpoint.socket} is no engine, or it hangs: it says nothing.")
        return lived_s if greeted else None

    async def _find_or_start(self, endpoint: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the host, which is started if there is none. Several clients may do this at the same moment.

        Raises:
            EngineError: no host appeared within the limit.
        """
        ends, next_spawn = time.monotonic() + _CONNECT_LIMIT_S, 0.0
        while time.monotonic() < ends:
            try:
                return await connect(endpoint)
            except OSError:  # noqa: PERF203 - to try again is what the loop is for
                if time.monotonic() >= next_spawn:
                    next_spawn = time.monotonic() + _SPAWN_EVERY_S
                    await self._spawn(endpoint)
                await asyncio.sleep(_CONNECT_EVERY_S)
        raise EngineError(f"The engine did not start within {_CONNECT_LIMIT_S:.0f} s. {_last_words(endpoint)}")

    async def _spawn(self, endpoint: Endpoint) -> None:
        try:
            await start_host(endpoint, self._model)
        except OSError as error:
            raise EngineError(f"The engine's process could not be started: {error}.") from error


def _obituary(endpoint: Endpoint, pause_s: float) -> str:
    again = f"It is started again in {pause_s:.0f} s." if pause_s else "It is started again."
    return f"The engine's process ended. {_last_words(endpoint)} {again}"


def _last_words(endpoint: Endpoint) -> str:
    """The end of the host's log, where llama.cpp leaves the reason of its death."""
    with contextlib.suppress(OSError):
        lines = [line for line in endpoint.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        if lines:
            return f"Its last words: {lines[-1][-200:]} (more in {endpoint.log})."
    return f"Its log is {endpoint.log}."
