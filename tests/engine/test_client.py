"""The client against things that are no host, and its patience with hosts that die."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.engine import client as client_module
from lsp_server.engine import codec
from lsp_server.engine.base import EngineState, EngineStatus, ModelInfo
from lsp_server.engine.client import EngineClient
from lsp_server.engine.endpoint import Endpoint, listen
from lsp_server.errors import EngineBusy, EngineGone, RuntimeFolderError, WireError
from tests.engine.real_hosts import LIMIT_S, Hosts, Stream, answer, fim, until

MODEL = ModelInfo("a model", "model.gguf", 4096, 1, 2, 3, has_chat_template=True)
READY = EngineStatus(EngineState.READY, "a model is ready", None, MODEL)
Line = bytes


def _greeting(status: EngineStatus = READY) -> Line:
    return json.dumps({"method": "status", "params": codec.status_to_wire(status)}).encode() + b"\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Any file: nobody loads it here."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return path


class Impostor:
    """Listens where a host would. Says some lines to everybody, answers each request with others, and may hang up."""

    def __init__(self, greeting: Line, answer: Line, *, hangs_up: bool) -> None:
        self._greeting, self._answer, self._hangs_up = greeting, answer, hangs_up
        self.connections: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        writer.write(self._greeting)
        while not self._hangs_up and await reader.readline():
            writer.write(self._answer)
        writer.close()


Pretend = Callable[..., "asyncio.Future[Impostor]"]


@pytest.fixture
async def pretend(hosts: Hosts, model: Path) -> AsyncIterator[Pretend]:
    """`await pretend(greeting, answer)` puts an impostor in the place of the model's host."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(greeting: Line = b"", answer: Line = b"", *, hangs_up: bool = False) -> Impostor:
            impostor = Impostor(greeting, answer, hangs_up=hangs_up)
            stack.push_async_callback(_end, impostor)
            await stack.enter_async_context(await listen(hosts.endpoint(model), impostor.serve))
            return impostor

        yield lambda *lines, **options: asyncio.ensure_future(start(*lines, **options))
        for client in hosts.clients:
            await client.close()


async def _end(impostor: Impostor) -> None:
    for writer in impostor.connections:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\xff\xfe\n",
        b"[1, 2]\n",
        b'{"method": "status", "params": 5}\n',
        b'{"method": "status", "params": {"state": "asleep"}}\n',
        b'{"method": "status"}\n',
    ],
)
async def test_garbage_is_named(hosts: Hosts, model: Path, pretend: Pretend, greeting: Line) -> None:
    """What listens at the socket is no engine: the client says so and does not hang."""
    await pretend(greeting)
    status = await hosts.client(model).wait_ready(LIMIT_S * 1000)
    assert status.state is EngineState.FAILED
    assert str(hosts.endpoint(model).socket) in status.message
    assert "is no engine" in status.message


async def test_silence_is_named(hosts: Hosts, model: Path, pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that accepts connections and says nothing is given up after a while."""
    monkeypatch.setattr(client_module, "_GREETING_LIMIT_S", 0.05)
    await pretend()
    status = await hosts.client(model).wait_ready(LIMIT_S * 1000)
    assert status.state is EngineState.FAILED
    assert "it says nothing" in status.message


async def test_hanging_up_at_once_is_named(
    hosts: Hosts, model: Path, pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once is normal, when a host is being killed; always is not."""
    monkeypatch.setattr(client_module, "_CONNECT_EVERY_S", 0.0001)
    impostor = await pretend(hangs_up=True)
    status = await hosts.client(model).wait_ready(LIMIT_S * 1000)
    assert status.state is EngineState.FAILED
    assert "it hangs up" in status.message
    assert len(impostor.connections) == 9


@pytest.mark.parametrize(
    "answer_line",
    [
        b'{"id": 1, "item": 5}\n',
        b'{"id": 1, "item": []}\n',
        b'{"id": 1, "result": {}}\n',
        b'{"id": 1, "result": null}\n',
    ],
)
async def test_a_wrong_answer_is_a_wire_error(hosts: Hosts, model: Path, pretend: Pretend, answer_line: Line) -> None:
    """No `TypeError` of ours reaches the caller, and no `KeyError`."""
    await pretend(_greeting(), answer_line)
    client = hosts.client(model)
    await client.wait_ready(LIMIT_S * 1000)
    with pytest.raises(WireError):
        await answer(client, fim())


async def test_before_it_is_started(hosts: Hosts, model: Path) -> None:
    """There is no engine to ask yet."""
    client = hosts.client(model)
    assert client.status.state is EngineState.STOPPED
    with pytest.raises(EngineBusy, match="not running"):
        await client.count_tokens(("text",))


async def test_waiting_has_a_limit(hosts: Hosts, model: Path, pretend: Pretend) -> None:
    """A model that loads for long is not waited for longer than asked."""
    await pretend(_greeting(EngineStatus(EngineState.LOADING, "Loading", 50)))
    client = hosts.client(model)
    await client.start()
    await until(lambda: client.status.state is EngineState.LOADING)
    status = await client.wait_ready(1)
    assert status.state is EngineState.LOADING


async def test_closing_ends_what_runs(hosts: Hosts, model: Path, pretend: Pretend) -> None:
    """Generations in flight end with a name, and the client stays closed."""
    await pretend(_greeting(), b'{"id": 1, "item": ["piece", 0, 1, null]}\n')
    client = hosts.client(model)
    await client.wait_ready(LIMIT_S * 1000)
    stream = Stream(client, fim())
    await stream.begun(1)
    await client.close()
    with pytest.raises(EngineGone):
        await stream.task
    assert (await client.wait_ready(1)).state is EngineState.STOPPED


async def test_no_folder_is_told_in_the_status(hosts: Hosts, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails like a model that cannot be loaded."""
    reason = "The folder cannot be used. Set LING_CODER_RUNTIME_DIR to another."

    def refuse(_model: Path) -> Endpoint:
        raise RuntimeFolderError(reason)

    monkeypatch.setattr(client_module, "endpoint_for", refuse)
    status = await hosts.client(model).wait_ready(LIMIT_S * 1000)
    assert (status.state, status.message) == (EngineState.FAILED, reason)


# Patience


class Mortal(EngineClient):
    """Its hosts live for given times, without any host."""

    def __init__(self, model: Path, lives_s: list[float]) -> None:
        super().__init__(model)
        self._lives_s = iter(lives_s)

    async def _one_connection(self, endpoint: Endpoint) -> float | None:
        self._set(READY)
        lived_s = next(self._lives_s, None)
        if lived_s is None:
            await asyncio.Event().wait()
        return lived_s


async def _pauses(model: Path, lives_s: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client waits after each death."""
    slept: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real_sleep(0)

    client = Mortal(model, lives_s)
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", sleep)
        await client.start()
        while len(slept) < len(lives_s):
            await real_sleep(0)
    await client.close()
    return slept


async def test_pauses_grow(runtime: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first death costs nothing, a series of them ever more, up to half a minute."""
    assert await _pauses(model, [1.0] * 9, monkeypatch) == [0, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_host_that_lived_long_is_started_again_at_once(
    runtime: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quiet minute makes up for everything before."""
    assert await _pauses(model, [1.0, 1.0, 1.0, 61.0, 1.0], monkeypatch) == [0, 1, 2, 0, 1]


async def test_each_death_is_told_once(runtime: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status names the log, or its last line."""
    told: list[str] = []
    client = Mortal(model, [1.0])
    client.on_status(lambda status: told.append(status.message))
    await client.start()
    await until(lambda: told.count(READY.message) == 2)
    await client.close()
    deaths = [message for message in told if "ended" in message]
    assert len(deaths) == 1
    assert deaths[0].startswith("The engine's process ended. Its log is ")


@pytest.mark.parametrize(("of_the_file", "used"), [(0, 60), (79, 79)])
async def test_the_threshold_of_the_catalog(
    hosts: Hosts, model: Path, pretend: Pretend, of_the_file: int, used: int
) -> None:
    """It serves where the file says nothing."""
    assert READY.model is not None
    info = replace(READY.model, min_confidence_percent=of_the_file)
    await pretend(_greeting(replace(READY, model=info)))
    status = await hosts.client(model, recommended_percent=60).wait_ready(LIMIT_S * 1000)
    assert status.model is not None
    assert status.model.min_confidence_percent == used
