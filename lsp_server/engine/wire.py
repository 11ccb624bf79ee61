"""The protocol between language servers and the engine's host: one JSON object a line, in both directions.

    {"id": 1, "method": "generate", "params": {...}}       a request
    {"id": 1, "item": {...}}                                a streamed part of its answer, any number of times
    {"id": 1, "result": ...} or {"id": 1, "error": {...}}   the end of its answer
    {"cancel": 1}                                           the answer is not wanted any more; nothing follows
    {"method": "status", "params": {...}}                   a notification

End of file fails what waits here and cancels what runs here. JSON is written in ASCII, so lone surrogates survive.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from lsp_server.errors import CompletionError, EngineGone, WireError, error_from_wire, error_to_wire

LINE_LIMIT_BYTES = 64 * 1024 * 1024

Emit = Callable[[Any], None]
RequestHandler = Callable[[Any, Emit], Awaitable[Any]]
"""Gets the parameters and a function that streams an item; returns the result or raises a `CompletionError`."""
NotificationHandler = Callable[[Any], None]


class Peer:
    """One end of a connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        requests: Mapping[str, RequestHandler] | None = None,
        notifications: Mapping[str, NotificationHandler] | None = None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._requests, self._notifications = dict(requests or {}), dict(notifications or {})
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self.closed = False

    async def run(self) -> None:
        """Read until the other side has gone.

        Raises:
            WireError: what arrived is no message.
        """
        try:
            while line := await self._read_line():
                self._dispatch(_parse(line))
        finally:
            self.close()

    def close(self) -> None:
        """Hang up: what waits here fails, what runs here is cancelled."""
        if self.closed:
            return
        self.closed = True
        for task in self._running.values():
            task.cancel()
        gone = {"error": error_to_wire(EngineGone("The engine's process ended. The next request starts it again."))}
        for queue in self._waiting.values():
            queue.put_nowait(gone)
        self._writer.close()

    def notify(self, method: str, params: Any) -> None:
        """Send something that wants no answer."""
        self._send({"method": method, "params": params})

    async def call(self, method: str, params: Any) -> Any:
        """Ask for something that is not streamed."""
        async with contextlib.aclosing(self.stream(method, params)) as answer:
            async for kind, value in answer:
                if kind == "result":
                    return value
        raise WireError(f"The answer to `{method}` had no result.")

    async def stream(self, method: str, params: Any) -> AsyncGenerator[tuple[str, Any], None]:
        """Ask, and get `("item", value)` for each streamed item, then `("result", value)`. Closing it cancels.

        Raises:
            CompletionError: what the other side raised.
        """
        if self.closed:
            raise EngineGone("The engine's process ended. The next request starts it again.")
        number = next(self._ids)
        queue = self._waiting[number] = asyncio.Queue()
        answered = False
        try:
            self._send({"id": number, "method": method, "params": params})
            while not answered:
                message = await queue.get()
                answered = "item" not in message
                if "error" in message:
                    raise error_from_wire(message["error"])
                yield ("result", message.get("result")) if answered else ("item", message["item"])
        finally:
            del self._waiting[number]
            if not answered and not self.closed:
                self._send({"cancel": number})

    async def _read_line(self) -> bytes:
        """The next line. Half a line is the end, too: its writer was killed in the middle of it."""
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise WireError("A message was too long.") from error
        except OSError:
            return b""
        return line if line.endswith(b"\n") else b""

    def _send(self, message: dict[str, Any]) -> None:
        if not self.closed:
            self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "cancel" in message:
            if task := self._running.get(message["cancel"]):
                task.cancel()
        elif "method" not in message:
            if queue := self._waiting.get(message.get("id", 0)):
                queue.put_nowait(message)
        elif "id" in message:
            self._begin(message["id"], message["method"], message.get("params"))
        elif handler := self._notifications.get(message["method"]):
            try:
                handler(message.get("params"))
            except CompletionError:
                raise
            except Exception as error:
                raise WireError(f"The notification `{message['method']}` failed: {error!r}.") from error

    def _begin(self, number: int, method: str, params: Any) -> None:
        if number in self._running:
            raise WireError(f"Request {number} was sent twice.")
        task = self._running[number] = asyncio.ensure_future(self._answer(number, method, params))
        task.add_done_callback(lambda _: self._running.pop(number, None))

    async def _answer(self, number: int, method: str, params: Any) -> None:
        try:
            handler = self._requests.get(method)
            if handler is None:
                raise WireError(f"There is no method `{method}`.")
            result = await handler(params, lambda item: self._send({"id": number, "item": item}))
            self._send({"id": number, "result": result})
        except CompletionError as error:
            self._send({"id": number, "error": error_to_wire(error)})
        except Exception as error:  # noqa: BLE001 - the connection outlives any bad request
            self._send({"id": number, "error": error_to_wire(WireError(f"`{method}` failed: {error!r}."))})


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError("A line was no JSON.") from error
    if not isinstance(message, dict):
        raise WireError("A line was no JSON object.")
    numbers, method = (message.get("id", 0), message.get("cancel", 0)), message.get("method", "")
    if not all(isinstance(number, int) for number in numbers) or not isinstance(method, str):
        raise WireError("A message had no proper number or method.")
    return message
