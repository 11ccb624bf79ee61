"""Two ends of a real socket: requests, streams, cancels, and what the other side should not have sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from lsp_server.engine.wire import LINE_LIMIT_BYTES, Emit, NotificationHandler, Peer, RequestHandler
from lsp_server.errors import CompletionError, EngineGone, PromptTooLong, WireError
from tests.test_errors import KINDS, STRANGE, an_error_of

LIMIT_S = 10.0


class Handlers:
    """What the serving side does; tests look at what became of it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.notified: asyncio.Queue[Any] = asyncio.Queue()

    def requests(self) -> dict[str, RequestHandler]:
        return {"echo": self.echo, "count": self.count, "hang": self.hang, "fail": self.fail, "odd": self.odd}

    def notifications(self) -> dict[str, NotificationHandler]:
        return {"note": self.notified.put_nowait}

    async def echo(self, params: Any, _emit: Emit) -> Any:
        return params

    async def count(self, params: int, emit: Emit) -> int:
        for number in range(params):
            emit(number)
            await asyncio.sleep(0)
        return params

    async def hang(self, params: Any, emit: Emit) -> None:
        emit(params)
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    async def fail(self, params: Any, _emit: Emit) -> None:
        raise an_error_of(next(kind for kind in KINDS if kind.__name__ == params[0]), params[1])

    async def odd(self, params: str, _emit: Emit) -> Any:
        if params == "raise":
            raise KeyError("foreign")
        return object()


@dataclass
class Wire:
    """A serving peer with its handlers, and the asking peer."""

    handlers: Handlers
    server: Peer
    client: Peer


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ends(limit: int = LINE_LIMIT_BYTES) -> tuple[Streams, Streams]:
    """Both ends of a connection."""
    left, right = socket.socketpair()
    return (
        await asyncio.open_connection(sock=left, limit=limit),
        await asyncio.open_connection(sock=right, limit=limit),
    )


async def hang_up(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """Two peers that run."""
    near, far = await ends()
    handlers = Handlers()
    server = Peer(*far, handlers.requests(), handlers.notifications())
    client = Peer(*near)
    running = [asyncio.ensure_future(peer.run()) for peer in (server, client)]
    yield Wire(handlers, server, client)
    client.close()
    await asyncio.gather(*running)
    await hang_up(near[1], far[1])


@dataclass
class Raw:
    """A serving peer and, in the place of the asking one, a socket."""

    handlers: Handlers
    server: Peer
    running: asyncio.Future[None]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, message: object) -> None:
        self.writer.write(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    async def receive(self) -> Any:
        return json.loads(await asyncio.wait_for(self.reader.readline(), LIMIT_S))


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    """The connection is closed at the end, whatever the peer made of it."""
    near, far = await ends()
    handlers = Handlers()
    server = Peer(*far, handlers.requests(), handlers.notifications())
    running = asyncio.ensure_future(server.run())
    yield Raw(handlers, server, running, *near)
    await hang_up(near[1])
    await asyncio.wait([running], timeout=LIMIT_S)
    assert running.done()
    running.exception()
    await hang_up(far[1])


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), LIMIT_S)


# Answers


async def test_a_request_gets_its_result(wire: Wire) -> None:
    """Whatever JSON it is, nothing included."""
    for value in (None, 5, "text", {"a": [1, None]}):
        assert await wire.client.call("echo", value) == value


async def test_a_stream_brings_its_items_in_order_and_then_the_result(wire: Wire) -> None:
    """And ends by itself."""
    seen = [event async for event in wire.client.stream("count", 3)]
    assert seen == [("item", 0), ("item", 1), ("item", 2), ("result", 3)]


async def test_answers_find_their_requests(wire: Wire) -> None:
    """Many at a time."""
    answers = await asyncio.gather(*(wire.client.call("echo", number) for number in range(50)))
    assert answers == list(range(50))


async def test_both_sides_may_ask(wire: Wire) -> None:
    """This one has no methods, and says so."""
    with pytest.raises(WireError, match="`echo`"):
        await wire.server.call("echo", 1)


@pytest.mark.parametrize("text", [*STRANGE, "\u2028\u0085\x7f", "ä" * 1_000_000], ids=len)
async def test_any_text_travels_unharmed(wire: Wire, text: str) -> None:
    """Lone surrogates, NUL, a million characters; in both directions."""
    assert await wire.client.call("echo", {text: text}) == {text: text}


async def test_notifications_arrive(wire: Wire) -> None:
    """One that nobody listens to is nothing."""
    wire.client.notify("unknown", 1)
    wire.client.notify("note", 2)
    assert await asyncio.wait_for(wire.handlers.notified.get(), LIMIT_S) == 2


# Errors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("message", STRANGE, ids=len)
async def test_errors_arrive_as_what_they_were(wire: Wire, kind: type[CompletionError], message: str) -> None:
    """The same class and sentence; the connection lives."""
    sent = an_error_of(kind, message)
    with pytest.raises(CompletionError) as caught:
        await wire.client.call("fail", [kind.__name__, message])
    assert (type(caught.value), str(caught.value)) == (kind, str(sent))
    assert await wire.client.call("echo", 1) == 1


async def test_a_prompt_that_is_too_long_keeps_its_numbers(wire: Wire) -> None:
    """The caller shrinks the window by them."""
    with pytest.raises(PromptTooLong) as caught:
        await wire.client.call("fail", ["PromptTooLong", ""])
    assert (caught.value.prompt_tokens, caught.value.limit_tokens) == (5000, 4095)


async def test_an_unknown_method_is_an_error_that_names_it(wire: Wire) -> None:
    """The connection lives."""
    with pytest.raises(WireError, match="`nonsense`"):
        await wire.client.call("nonsense", None)
    assert await wire.client.call("echo", 1) == 1


@pytest.mark.parametrize("what", ["raise", "return no JSON"])
async def test_a_foreign_exception_is_an_error_that_names_the_method(wire: Wire, what: str) -> None:
    """The connection outlives any bad request."""
    with pytest.raises(WireError, match="`odd` failed"):
        await wire.client.call("odd", what)
    assert await wire.client.call("echo", 1) == 1


async def test_what_cannot_be_sent_fails_at_once(wire: Wire) -> None:
    """Nothing waits for its answer; the connection lives."""
    with pytest.raises(TypeError):
        await wire.client.call("echo", object())
    assert await wire.client.call("echo", 1) == 1


@pytest.mark.parametrize("error", ["text", None, [], {}, {"kind": 5}])
async def test_an_error_of_any_shape_is_an_error(raw: Raw, error: object) -> None:
    """Never an exception of another kind."""
    asking = asyncio.ensure_future(raw.server.call("m", 1))
    number = (await raw.receive())["id"]
    raw.send({"id": number, "error": error})
    with pytest.raises(CompletionError):
        await asyncio.wait_for(asking, LIMIT_S)


# Cancel


async def test_closing_a_stream_cancels_its_handler(wire: Wire) -> None:
    """As an iteration that ends early does."""
    async with contextlib.aclosing(wire.client.stream("hang", 7)) as answer:
        assert await answer.__anext__() == ("item", 7)
        assert not wire.handlers.cancelled.is_set()
    await soon(wire.handlers.cancelled)
    assert await wire.client.call("echo", 1) == 1


async def test_cancelling_who_waits_cancels_the_handler(wire: Wire) -> None:
    """Others are not disturbed."""
    waiting = asyncio.ensure_future(wire.client.call("hang", 7))
    other = asyncio.ensure_future(wire.client.call("count", 200))
    await soon(wire.handlers.begun)
    waiting.cancel()
    await soon(wire.handlers.cancelled)
    assert await other == 200
    assert waiting.cancelled()


async def test_nothing_follows_a_cancel(raw: Raw) -> None:
    """Not even when it comes before the handler has begun."""
    raw.send(b'{"id":1,"method":"echo","params":1}\n{"cancel":1}\n{"id":2,"method":"echo","params":2}\n')
    assert await raw.receive() == {"id": 2, "result": 2}


async def test_no_cancel_is_sent_for_what_was_answered(raw: Raw) -> None:
    """By a result or by an error."""
    for end in ({"result": 1}, {"error": {"kind": "EngineError", "message": ""}}):
        asking = asyncio.ensure_future(raw.server.call("m", 1))
        raw.send({"id": (await raw.receive())["id"], **end})
        await asyncio.wait([asking])
        assert (asking.exception() is not None) == ("error" in end)
    raw.server.notify("last", None)
    assert await raw.receive() == {"method": "last", "params": None}


async def test_a_cancel_that_crosses_the_result_is_nothing(raw: Raw) -> None:
    """Nor is one for what never was."""
    raw.send({"id": 1, "method": "echo", "params": 1})
    assert await raw.receive() == {"id": 1, "result": 1}
    raw.send({"cancel": 1})
    raw.send({"cancel": 99})
    raw.send({"id": 2, "method": "echo", "params": 2})
    assert await raw.receive() == {"id": 2, "result": 2}


async def test_a_result_that_crosses_the_cancel_is_nothing(raw: Raw) -> None:
    """Items and results of nobody's request are dropped."""
    asking = asyncio.ensure_future(raw.server.call("m", 1))
    number = (await raw.receive())["id"]
    asking.cancel()
    assert await raw.receive() == {"cancel": number}
    raw.send({"id": number, "item": 1})
    raw.send({"id": number, "result": 1})
    raw.send({"id": 1, "method": "echo", "params": 2})
    assert await raw.receive() == {"id": 1, "result": 2}


# The end


async def test_the_end_of_the_connection_fails_what_waits(wire: Wire) -> None:
    """And everything that is asked later."""
    waiting = asyncio.ensure_future(wire.client.call("hang", 7))
    await soon(wire.handlers.begun)
    wire.server.close()
    with pytest.raises(EngineGone):
        await asyncio.wait_for(waiting, LIMIT_S)
    with pytest.raises(EngineGone):
        await wire.client.call("echo", 1)
    wire.client.notify("note", 1)


async def test_the_end_of_the_connection_cancels_what_runs(wire: Wire) -> None:
    """Nobody is there to get the answer."""
    waiting = asyncio.ensure_future(wire.client.call("hang", 7))
    await soon(wire.handlers.begun)
    wire.client.close()
    await soon(wire.handlers.cancelled)
    with pytest.raises(EngineGone):
        await waiting


async def test_items_that_arrived_before_the_end_are_not_lost(raw: Raw) -> None:
    """They are handed out first."""
    answer = raw.server.stream("m", 1)
    first = asyncio.ensure_future(answer.__anext__())
    number = (await raw.receive())["id"]
    raw.send(b'{"id":%d,"item":1}\n{"id":%d,"item":2}\n' % (number, number))
    raw.writer.close()
    await asyncio.wait_for(raw.running, LIMIT_S)
    assert [await first, await answer.__anext__()] == [("item", 1), ("item", 2)]
    with pytest.raises(EngineGone):
        await answer.__anext__()


async def test_half_a_line_is_what_a_killed_process_leaves(raw: Raw) -> None:
    """The end of the connection, and no fault of anybody's: the engine is started again."""
    waiting = asyncio.ensure_future(raw.server.call("m", 1))
    await raw.receive()
    raw.send(b'{"id":1,"resu')
    raw.writer.close()
    await asyncio.wait_for(raw.running, LIMIT_S)
    with pytest.raises(EngineGone):
        await waiting


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError("The network is away")])
async def test_a_broken_connection_is_one_that_ended(raw: Raw, error: OSError) -> None:
    """However the system calls it."""
    waiting = asyncio.ensure_future(raw.server.call("m", 1))
    await raw.receive()
    raw.server._reader.set_exception(error)
    await asyncio.wait_for(raw.running, LIMIT_S)
    with pytest.raises(EngineGone):
        await waiting


async def test_closing_twice_is_closing_once(wire: Wire) -> None:
    """Whoever comes second finds it done."""
    wire.client.close()
    wire.client.close()
    assert wire.client.closed


BAD_LINES = [
    b"no json\n",
    b"\n",
    b"[1]\n",
    b"5\n",
    b'"text"\n',
    b"null\n",
    b"\xff\xfe\x00\n",
    b'{"id": 1\n',
    b"[" * 100_000 + b"\n",
    b'{"a":' * 100_000 + b"\n",
    b'{"cancel": []}\n',
    b'{"cancel": "1"}\n',
    b'{"id": {}, "method": "echo"}\n',
    b'{"id": [], "result": 1}\n',
    b'{"id": null, "method": "echo"}\n',
    b'{"id": 1, "method": ["echo"]}\n',
    b'{"method": {}}\n',
    b'{"id": 1, "method": "hang"}\n{"id": 1, "method": "hang"}\n',
]


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: repr(line[:40]))
async def test_what_is_no_message_ends_the_connection(raw: Raw, line: bytes) -> None:
    """With a named error here, and the end of the file there; what waits fails."""
    waiting = asyncio.ensure_future(raw.server.call("m", 1))
    await raw.receive()
    raw.send(line)
    with pytest.raises(WireError):
        await asyncio.wait_for(raw.running, LIMIT_S)
    with pytest.raises(EngineGone):
        await waiting
    assert raw.server.closed
    rest = await asyncio.wait_for(raw.reader.read(), LIMIT_S)
    assert rest == b"" or b'"item"' in rest


async def test_a_line_that_is_too_long_ends_the_connection() -> None:
    """Nobody fills the memory of the other side."""
    near, far = await ends(limit=1000)
    server = Peer(*far, {})
    near[1].write(b'"' + b"x" * 5000 + b'"\n')
    with pytest.raises(WireError, match="too long"):
        await asyncio.wait_for(server.run(), LIMIT_S)
    await hang_up(near[1], far[1])


@pytest.mark.parametrize("failure", [ValueError("foreign"), KeyError("foreign"), WireError("That was no status.")])
async def test_a_notification_that_cannot_be_handled_ends_the_connection(failure: Exception) -> None:
    """With a named error that says which it was, not with a foreign one."""

    def handle(_params: Any) -> None:
        raise failure

    near, far = await ends()
    server = Peer(*far, {}, {"status": handle})
    near[1].write(b'{"method": "status", "params": 1}\n')
    with pytest.raises(WireError, match="status"):
        await asyncio.wait_for(server.run(), LIMIT_S)
    assert server.closed
    await hang_up(near[1], far[1])
