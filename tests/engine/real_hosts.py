"""What tests of the real engine process share: hosts in a folder of the test's own, clients, and requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lsp_server.engine.base import (
    EngineState,
    Finished,
    GenerateRequest,
    Piece,
    Special,
    Text,
)
from lsp_server.engine.client import EngineClient
from lsp_server.engine.endpoint import Endpoint, endpoint_for

LIMIT_S = 20.0
"""No wait in a test is longer; it is reached only when something is broken."""

CODE = "def area(width, height):\n    return width * height\n\n\n"


@dataclass
class Hosts:
    """The hosts of one test: their folder, their settings, their clients."""

    folder: Path
    clients: list[EngineClient] = field(default_factory=list)

    def configure(self, **settings: float) -> None:
        """Hosts that start from now on have these settings."""
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (self.folder / "engine.toml").write_text("".join(lines), encoding="utf-8")

    def client(self, model: Path, recommended_percent: int = 0) -> EngineClient:
        """A client, not yet started; it is closed with the test."""
        self.clients.append(EngineClient(model, recommended_percent))
        return self.clients[-1]

    async def ready_client(self, model: Path) -> EngineClient:
        """A client of a loaded model."""
        client = self.client(model)
        await ready(client)
        return client

    def endpoint(self, model: Path) -> Endpoint:
        """Where the host of a model is."""
        return endpoint_for(model, self.folder)

    def processes(self) -> list[psutil.Process]:
        """Hosts of this test that live."""
        return [process for process in psutil.process_iter() if str(self.folder) in _arguments(process)]

    def kill_all(self) -> None:
        """Leave nothing behind."""
        for process in (processes := self.processes()):
            process.kill()
        ends = time.monotonic() + LIMIT_S
        while not all(map(has_ended, processes)):
            assert time.monotonic() < ends, "a host cannot be killed"
            time.sleep(0.005)


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended, even if init has not yet taken note of it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()  # nothing for a process that has ended
    except psutil.Error:
        return []


async def ready(client: EngineClient) -> None:
    """Wait until the client's model is loaded."""
    status = await client.wait_ready(LIMIT_S * 1000)
    assert status.state is EngineState.READY, status


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], limit_s: float = LIMIT_S) -> None:
    """Wait for something that sends no event: another process."""
    ends = time.monotonic() + limit_s
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < ends, "what the test waits for did not come"
        await asyncio.sleep(0.005)


async def host_pid(client: EngineClient) -> int:
    """The process id of the client's host."""
    return (await client.counters()).process_id


async def is_idle(client: EngineClient) -> bool:
    """Whether the host has nothing to do."""
    return bool((await client.counters()).idle)


def fim(
    prefix: str = CODE,
    suffix: str = "\n",
    *,
    lane: str = "document",
    max_new_tokens: int = 8,
    deadline_ms: float | None = None,
    stop_texts: tuple[str, ...] = (),
    stop_tokens: tuple[str | int, ...] = (),
) -> GenerateRequest:
    """A completion's request."""
    prompt = (
        Special("<|fim_prefix|>"),
        Text(prefix),
        Special("<|fim_suffix|>"),
        Text(suffix),
        Special("<|fim_middle|>"),
    )
    return GenerateRequest(prompt, lane, max_new_tokens, stop_texts, stop_tokens, deadline_ms)


async def answer(client: EngineClient, request: GenerateRequest) -> tuple[str, Finished]:
    """The whole answer."""
    pieces: list[str] = []
    async with aclosing(client.generate(request)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return "".join(pieces), event
            pieces.append(event.text)
    raise AssertionError("the answer had no end")


class Stream:
    """A generation that runs while the test does something else."""

    def __init__(self, client: EngineClient, request: GenerateRequest) -> None:
        self.pieces: list[Piece] = []
        self.task = asyncio.ensure_future(self._read(client, request))

    async def _read(self, client: EngineClient, request: GenerateRequest) -> Finished:
        async with aclosing(client.generate(request)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event
                self.pieces.append(event)
        raise AssertionError("the answer had no end")

    async def begun(self, pieces: int = 3) -> None:
        """Wait for the first pieces."""
        await until(lambda: len(self.pieces) >= pieces or self.task.done())
        assert not self.task.done(), "it ended before the test could do anything"

    async def cancel(self) -> None:
        """Close the generator, wherever it waits."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
