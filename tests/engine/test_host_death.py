"""Hosts that die, places that they leave behind, and what a user loses by it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
import pytest

from lsp_server.engine import codec
from lsp_server.engine.base import EngineState, EngineStatus, GenerateRequest
from lsp_server.engine.endpoint import connect
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.host import Host
from lsp_server.engine.launch import host_command, host_environment
from lsp_server.engine.model import DecodeResult
from lsp_server.engine.wire import Peer
from lsp_server.errors import EngineBusy, EngineGone
from tests.engine.fake_model import FakeModel
from tests.engine.real_hosts import LIMIT_S, Hosts, Stream, answer, fim, host_pid, ready, until

pytestmark = [pytest.mark.real_model, pytest.mark.end_to_end]


async def test_a_killed_host_costs_one_request(hosts: Hosts, endless_model: Path) -> None:
    """The request that ran ends with a name; the next one works, by another process."""
    client = await hosts.ready_client(endless_model)
    pid = await host_pid(client)
    stream = Stream(client, fim(max_new_tokens=3000))
    await stream.begun()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineGone):
        await stream.task
    assert hosts.endpoint(endless_model).socket.exists(), "kill -9 leaves a socket that nobody listens at"

    await ready(client)
    _, finished = await answer(client, fim())
    assert finished.tokens.generated == 8
    assert await host_pid(client) != pid


async def test_all_windows_of_a_killed_host_meet_again_in_one(hosts: Hosts, endless_model: Path) -> None:
    """Each starts a new host at the same moment, and one of them lives."""
    clients = [await hosts.ready_client(endless_model) for _ in range(4)]
    pid = await host_pid(clients[0])
    os.kill(pid, signal.SIGKILL)
    await until(lambda: all(client.status.model is None for client in clients))
    await asyncio.gather(*map(ready, clients))
    found = {await host_pid(client) for client in clients}
    assert len(found) == 1
    assert pid not in found


async def test_a_host_that_dies_again_and_again_is_restarted_with_pauses(hosts: Hosts, endless_model: Path) -> None:
    """The status says what happened and when it goes on, once for each death."""
    client = hosts.client(endless_model)
    told: list[EngineStatus] = []
    client.on_status(told.append)
    for _ in range(2):
        await ready(client)
        pid = await host_pid(client)
        with hosts.endpoint(endless_model).log.open("a", encoding="utf-8") as log:
            log.write("ggml.c:1: GGML_ASSERT(1 == 2) failed\n")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: client.status.model is None)
    with pytest.raises(EngineBusy, match=r"GGML_ASSERT\(1 == 2\) failed.*started again in 1 s"):
        await answer(client, fim())
    assert len([status for status in told if "ended" in status.message]) == 2
    await ready(client)


async def test_a_lock_that_nobody_holds_is_no_obstacle(hosts: Hosts, endless_model: Path) -> None:
    """Lock and log of an earlier host lie about."""
    hosts.endpoint(endless_model).lock.touch()
    hosts.endpoint(endless_model).log.write_text("of last week", encoding="utf-8")
    await hosts.ready_client(endless_model)
    assert "last week" not in hosts.endpoint(endless_model).log.read_text(encoding="utf-8")


class _Attached:
    """A host that is a child of the test, and a connection to it that does not start another when it ends."""

    def __init__(self, hosts: Hosts, model: Path) -> None:
        self.endpoint = hosts.endpoint(model)
        command = [part for part in host_command(self.endpoint, model) if part != "--detach"]
        self.process = subprocess.Popen(command, env=host_environment(os.environ))
        self.greeted = asyncio.Event()
        self.statuses: list[EngineStatus] = []

    async def connect(self) -> Peer:
        await until(self.endpoint.socket.exists)
        peer = Peer(*await connect(self.endpoint), notifications={"status": self._take})
        self._reading = asyncio.ensure_future(peer.run())
        await asyncio.wait_for(self.greeted.wait(), LIMIT_S)
        return peer

    def _take(self, wire: dict[str, object]) -> None:
        self.statuses.append(codec.status_from_wire(wire))
        self.greeted.set()

    async def end(self) -> int:
        """The exit code after SIGTERM."""
        self.process.terminate()
        return await asyncio.to_thread(self.process.wait, LIMIT_S)


@pytest.fixture
async def attached(hosts: Hosts, endless_model: Path) -> AsyncIterator[_Attached]:
    """A host that did not detach itself, with room for long prompts."""
    hosts.configure(lane_tokens=16000, cells=20000)
    found = _Attached(hosts, endless_model)
    yield found
    found.process.kill()
    found.process.wait()


def _prefills() -> GenerateRequest:
    return fim("".join(f"value_{number} = {number}\n" for number in range(1000)))


def _decodes() -> GenerateRequest:
    return fim(max_new_tokens=15000)


@pytest.mark.parametrize("work", [_prefills(), _decodes()], ids=["prefill", "decode"])
async def test_a_host_leaves_in_order(attached: _Attached, work: GenerateRequest) -> None:
    """SIGTERM in the middle of work: the exit code is 0, no crash while memory is freed, and the socket has gone."""
    peer = await attached.connect()
    running = asyncio.ensure_future(peer.call("generate", codec.request_to_wire(work)))
    await until(lambda: _is_evaluating(peer))
    assert await attached.end() == 0
    assert not attached.endpoint.socket.exists()
    with pytest.raises(EngineGone):
        await running


async def _is_evaluating(peer: Peer) -> bool:
    counters = await peer.call("counters", None)
    return bool(counters["evaluated_prompt_tokens"] > 0 and not counters["idle"])


class _Watched(FakeModel):
    """Knows whether it is used while it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self._users = 0
        self.users_at_close: int | None = None

    def decode(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> DecodeResult:
        self._users += 1
        try:
            return super().decode(sequence, tokens, position, logits=logits)
        finally:
            self._users -= 1

    def close(self) -> None:
        self.users_at_close = self._users


async def test_nothing_is_freed_while_it_is_used(hosts: Hosts, endless_model: Path) -> None:
    """Not only by luck: the thread that decodes has ended before the model is freed."""
    model, endpoint = _Watched(), hosts.endpoint(endless_model)
    model.hold()
    host = Host(endless_model, EngineSettings(), lambda *_: model)
    serving = asyncio.ensure_future(host.run(endpoint))
    await until(endpoint.socket.exists)
    peer = Peer(*await connect(endpoint))
    reading = asyncio.ensure_future(peer.run())
    asked = asyncio.ensure_future(peer.call("generate", codec.request_to_wire(fim())))
    await asyncio.to_thread(model.wait_until_held)
    os.kill(os.getpid(), signal.SIGTERM)  # the host has set a handler for it
    await asyncio.wait_for(serving, LIMIT_S)
    model.release()
    assert model.users_at_close == 0
    with pytest.raises(EngineGone):
        await asked
    await reading


async def test_a_host_leaves_while_it_loads(hosts: Hosts, endless_model: Path) -> None:
    """Nobody waits for a load that nobody wants any more."""
    host = await _loading_host(hosts, endless_model)
    host.terminate()
    assert await asyncio.to_thread(host.wait, 5) == 0
    assert not hosts.endpoint(endless_model).socket.exists()


_LOADS_FOR_EVER = """
import sys, time
from lsp_server.engine import host

host.load_llama = lambda *_: time.sleep(60)
host.main(sys.argv[1:])
"""


async def _loading_host(hosts: Hosts, model: Path) -> psutil.Popen:
    endpoint = hosts.endpoint(model)
    arguments = [str(endpoint.folder), endpoint.name, str(model)]
    process = psutil.Popen([sys.executable, "-c", _LOADS_FOR_EVER, *arguments], env=host_environment(os.environ))
    client = hosts.client(model)
    await until(endpoint.socket.exists)
    await client.start()
    await until(lambda: client.status.state is EngineState.LOADING)
    await client.close()
    return process
