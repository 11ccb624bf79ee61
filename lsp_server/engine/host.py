"""The engine's process: loads one model and serves every language server of this user that asks for it.

    python -m lsp_server.engine.host [--detach] FOLDER NAME MODEL

It lives as long as it holds the lock. What runs where: sockets and deadlines on the main thread's event loop,
tokenizing on a thread of its own, the model on the scheduler's thread. Threads have 64 MB stacks: llama.cpp's tokenizer
is recursive.
"""

from __future__ import annotations

import sys

from lsp_server.engine.launch import detach

if __name__ == "__main__" and "--detach" in sys.argv:
    detach()  # before anything heavy is imported: forking a process with threads is not safe

import asyncio
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lsp_server.engine import codec
from lsp_server.engine.base import (
    EngineCounters,
    EngineState,
    EngineStatus,
    Finished,
    GenerateRequest,
    Piece,
    Segment,
    Text,
)
from lsp_server.engine.endpoint import Endpoint, listen
from lsp_server.engine.engine_settings import EngineSettings, read_engine_settings
from lsp_server.engine.generation import Job
from lsp_server.engine.healing import tail_of
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.engine.model import Model
from lsp_server.engine.scheduler import Scheduler
from lsp_server.engine.wire import Emit, Peer
from lsp_server.errors import CompletionError, EngineError, WireError

_STACK_BYTES = 64 * 1024 * 1024
_FAILED_LINGER_SECONDS = 1.0
_FIRST_CLIENT_SECONDS = 15.0
"""Whoever started this process gets this long to connect, however short engines stay otherwise."""

_ABANDONED_S = 1.0
"""How long the prompt of a cancelled request is read on, for the next request to take over."""

LoadModel = Callable[[Path, EngineSettings, Callable[[float], None]], Model]


def load_llama(path: Path, settings: EngineSettings, on_progress: Callable[[float], None]) -> Model:
    """The real model; llama.cpp is imported here, after the socket is there."""
    from lsp_server.engine.llama import LlamaModel

    return LlamaModel(path, settings, on_progress)


class Host:
    """One model and its clients. Everything here runs on the event loop but what is handed to the two threads."""

    def __init__(self, model_path: Path, settings: EngineSettings, load: LoadModel = load_llama) -> None:
        self._path, self._settings, self._load = model_path, settings, load
        self._status = EngineStatus(EngineState.STARTING, "The engine starts")
        self._peers: set[Peer] = set()
        self._owners = itertools.count(1)
        self._loaded = asyncio.Event()
        self._model: Model | None = None
        self._scheduler: Scheduler | None = None
        self._tokenizer = ThreadPoolExecutor(1, "tokenizer")
        self._leave = asyncio.Event()
        self._linger: asyncio.TimerHandle | None = None
        self._had_clients = False
        self._loop = asyncio.get_running_loop()

    async def run(self, endpoint: Endpoint) -> None:
        """Serve until the last client has been gone for a while."""
        server = await listen(endpoint, self._connected)
        self._wait_for_clients()
        for name in ("SIGTERM", "SIGINT"):
            if os.name != "nt":
                self._loop.add_signal_handler(getattr(signal, name), self._leave.set)
        loading = asyncio.ensure_future(self._load_model())
        await self._leave.wait()
        endpoint.socket.unlink(missing_ok=True)
        server.close()
        for peer in list(self._peers):
            peer.close()
        if loading.done():  # a load cannot be interrupted; the process ends under it
            self._stop_threads()

    def _stop_threads(self) -> None:
        """The order matters: freeing the model while a thread decodes is a crash."""
        if self._scheduler is not None and self._model is not None:
            self._scheduler.stop()
            self._tokenizer.shutdown()
            self._model.close()

    # Loading and status

    async def _load_model(self) -> None:
        self._announce(EngineStatus(EngineState.LOADING, f"Loading {self._path.name}", 0))
        try:
            self._model = await self._loop.run_in_executor(None, self._load, self._path, self._settings, self._progress)
            lanes = LaneTable(self._model, self._settings.cells, self._settings.lanes)
            micro_batch = MicroBatch(self._settings.micro_batch_tokens, self._model.most_batch_tokens)
            self._scheduler = Scheduler(self._model, lanes, micro_batch)
            self._announce(EngineStatus(EngineState.READY, f"{self._model.info.name} is ready", None, self._model.info))
        except CompletionError as error:
            self._announce(EngineStatus(EngineState.FAILED, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever llama.cpp throws must reach the user as a sentence
            self._announce(EngineStatus(EngineState.FAILED, f"Loading {self._path} failed: {error!r}."))
        self._loaded.set()
        self._wait_for_clients()

    def _progress(self, share: float) -> None:
        percent = int(share * 20) * 5
        if percent != self._status.progress_percent:
            status = EngineStatus(EngineState.LOADING, f"Loading {self._path.name}", percent)
            self._loop.call_soon_threadsafe(self._announce, status)

    def _announce(self, status: EngineStatus) -> None:
        if status.state is EngineState.LOADING and self._loaded.is_set():
            return
        self._status = status
        for peer in self._peers:
            peer.notify("status", codec.status_to_wire(status))

    # Clients

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        owner = f"{next(self._owners)}:"
        peer = Peer(
            reader,
            writer,
            {
                "generate": lambda params, emit: self._generate(owner, params, emit),
                "count": self._count,
                "counters": self._counters,
            },
        )
        self._peers.add(peer)
        self._had_clients = True
        self._wait_for_clients()
        peer.notify("status", codec.status_to_wire(self._status))
        try:
            await peer.run()
        except WireError as error:
            sys.stderr.write(f"A client was hung up on: {error}\n")
        finally:
            self._peers.discard(peer)
            if self._scheduler is not None:
                self._scheduler.forget_owner(owner)
            self._wait_for_clients()

    def _cancel_linger(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _wait_for_clients(self) -> None:
        """Leave some time after the last client has gone; soon, and whoever is here, where there is nothing to keep."""
        self._cancel_linger()
        if self._status.state is EngineState.FAILED:
            self._linger = self._loop.call_later(_FAILED_LINGER_SECONDS, self._leave.set)
        elif not self._peers:
            first = 0.0 if self._had_clients else _FIRST_CLIENT_SECONDS
            self._linger = self._loop.call_later(max(first, self._settings.linger_seconds), self._leave.set)

    # Requests

    async def _ready(self) -> tuple[Model, Scheduler]:
        await self._loaded.wait()
        if self._model is None or self._scheduler is None:
            raise EngineError(self._status.message)
        return self._model, self._scheduler

    async def _count(self, params: Any, _emit: Emit) -> list[int]:
        model, _ = await self._ready()
        return await self._loop.run_in_executor(
            self._tokenizer, lambda: [len(model.tokenize(text)) for text in params["texts"]]
        )

    async def _counters(self, _params: Any, _emit: Emit) -> dict[str, Any]:
        model, scheduler = await self._ready()
        counted = scheduler.counters
        return asdict(
            EngineCounters(
                evaluated_prompt_tokens=counted.prompt_tokens,
                evaluated_answer_tokens=counted.answer_tokens,
                aborted_calls=model.aborted_calls,
                process_id=os.getpid(),
                idle=scheduler.idle,
            )
        )

    async def _generate(self, owner: str, params: Any, emit: Emit) -> dict[str, Any]:
        received = time.monotonic()
        request = codec.request_from_wire(params)
        model, scheduler = await self._ready()
        job = await self._loop.run_in_executor(self._tokenizer, job_of, model, request, owner)
        ended: asyncio.Future[Finished] = self._loop.create_future()
        ticket = scheduler.submit(job, self._on_loop(emit, ended))
        expiry = None
        if request.deadline_ms is not None:
            left_s = request.deadline_ms / 1000 - (time.monotonic() - received)
            expiry = self._loop.call_later(max(0.0, left_s), scheduler.expire, ticket)
        try:
            return codec.finished_to_wire(await ended)
        finally:
            if expiry is not None:
                expiry.cancel()
            if scheduler.give_up(ticket):
                self._loop.call_later(_ABANDONED_S, scheduler.stop_reading, ticket)

    def _on_loop(self, emit: Emit, ended: asyncio.Future[Finished]) -> Callable[[Piece | Finished | EngineError], None]:
        """What the engine's thread calls: each event is handled on the loop, if somebody still waits."""

        def handle(event: Piece | Finished | EngineError) -> None:
            if ended.done():
                return
            if isinstance(event, Piece):
                emit(codec.piece_to_wire(event))
            elif isinstance(event, Finished):
                ended.set_result(event)
            else:
                ended.set_exception(event)

        def from_thread(event: Piece | Finished | EngineError) -> None:
            self._loop.call_soon_threadsafe(handle, event)

        return from_thread


def job_of(model: Model, request: GenerateRequest, owner: str) -> Job:
    """A request as tokens, its last half token left to healing; `owner` keeps the lanes of clients apart."""
    tokens = [*model.begin()]
    *parts, last = request.prompt or (Text(""),)
    tail = tail_of(last.text) if request.heal and isinstance(last, Text) else ""
    if (
        tail
        and isinstance(last, Text)
        and (parts or tail != last.text)
        and model.candidates(tail.encode("utf-8", "replace"))
    ):
        last = Text(last.text.removesuffix(tail))
    else:
        tail = ""
    for part in (*parts, last):
        tokens += _tokens_of(model, part)
    return Job(
        lane=owner + request.lane,
        tokens=tuple(tokens),
        max_new_tokens=request.max_new_tokens,
        stop_texts=request.stop_texts,
        stop_tokens=frozenset(model.special(token) for token in request.stop_tokens),
        priority=request.priority,
        sampling=request.sampling,
        tail=tail.encode("utf-8", "replace"),
    )


def _tokens_of(model: Model, part: Segment) -> list[int]:
    return model.tokenize(part.text) if isinstance(part, Text) else [model.special(part.token)]


async def _serve(endpoint: Endpoint, model: Path) -> None:
    try:
        settings = read_engine_settings()
        load = load_llama
    except EngineError as error:
        settings, reason = EngineSettings(), error

        def load(path: Path, settings: EngineSettings, on_progress: Callable[[float], None]) -> Model:
            raise reason

    await Host(model, settings, load).run(endpoint)
    sys.stderr.flush()
    os._exit(0)  # nothing is left to say, and waiting for what still loads or tokenizes would keep the lock


def main(arguments: list[str]) -> None:
    """Serve, unless another host of this name lives."""
    folder, name, model = (argument for argument in arguments if argument != "--detach")
    endpoint = Endpoint(Path(folder), name)
    threading.stack_size(_STACK_BYTES)
    lock = FileLock(endpoint.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return
    endpoint.log.write_bytes(b"")
    asyncio.run(_serve(endpoint, Path(model)))


if __name__ == "__main__":
    main(sys.argv[1:])
