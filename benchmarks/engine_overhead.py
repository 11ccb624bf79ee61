"""What the engine's process costs on top of llama.cpp, and how soon it is free again after a cancel.

    python -m benchmarks.engine_overhead [--model GGUF] [--prompt-tokens N] [--new-tokens N] [--rounds N] [--cancels N]

Two things do the same work in turn, on the same file with the same threads, micro-batch and OpenMP environment:

- *bare*: a child process with nothing but calls of llama.cpp's C interface in a loop;
- *engine*: the host that language servers use, asked over its socket, timed here, where a language server would wait.

Prefill is the time from the text of a new prompt to its first token, tokenizing included. Decode is the time for the
further tokens of a prompt that is in the cache. The aim is that the engine has at least 0.95 of the bare speed.

Cancel-to-free: a long prompt is given up somewhere in the middle of its prefill by closing the generator, and in the
same moment a short prompt is asked whose tokens are in the cache. What it takes longer than when nothing else goes on
is the time that the engine needed to be free. Below zero is noise. The aim is a p95 of 50 ms.

Engine settings are the defaults; `LING_CODER_CONFIG_DIR` names a folder with another `engine.toml`.
"""
# ruff: noqa: T201, S311 - this speaks to a person, and its random numbers are no secrets

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from lsp_server.engine.base import EngineState, Finished, FinishReason, GenerateRequest, Text
from lsp_server.engine.client import EngineClient
from lsp_server.engine.engine_settings import EngineSettings, physical_cores, read_engine_settings, threads_for
from lsp_server.engine.launch import host_environment
from lsp_server.model_store.locate import bundled_model

LOAD_LIMIT_MS = 300_000
SHORT_TEXT = "def add(a, b):\n    return"


@dataclass(frozen=True, slots=True)
class Speed:
    """One round of one side, in tokens per second."""

    prefill: float
    decode: float


@dataclass(frozen=True, slots=True)
class Task:
    """What both sides do in one round."""

    text: str
    new_tokens: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints a report."""
    options = _parser().parse_args(arguments)
    if options.bare:
        _serve_bare(options.model)
        return
    model = options.model or bundled_model()
    with _own_runtime_folder():
        asyncio.run(_report(model, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine_overhead", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--model", type=Path, metavar="GGUF", help="default: the bundled model")
    parser.add_argument("--prompt-tokens", type=int, default=1024, metavar="N")
    parser.add_argument("--new-tokens", type=int, default=128, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--cancels", type=int, default=20, metavar="N")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    return parser


@contextmanager
def _own_runtime_folder() -> Iterator[None]:
    """A host of our own: nobody else's requests come between."""
    with tempfile.TemporaryDirectory(prefix="lc-") as folder:
        os.environ["LING_CODER_RUNTIME_DIR"] = folder
        yield


async def _report(model: Path, options: argparse.Namespace) -> None:
    client, bare = EngineClient(model), Bare(model)
    try:
        status = await client.wait_ready(LOAD_LIMIT_MS)
        if status.state is not EngineState.READY:
            sys.exit(status.message)
        bare.wait_loaded()
        host = psutil.Process((await client.counters()).process_id)
        settings = read_engine_settings()
        print(
            f"{model.name}, {_threads(settings, model)} threads, micro-batches of {settings.micro_batch_tokens} tokens"
        )
        await _compare(client, bare, options)
        bare.close()
        await _cancels(client, options)
        await client.close()
        host.terminate()
        host.wait(10)
    finally:
        await client.close()
        bare.close()


def _threads(settings: EngineSettings, model: Path) -> int:
    return threads_for(settings, physical_cores(), model.stat().st_size)


# Comparison


async def _compare(client: EngineClient, bare: Bare, options: argparse.Namespace) -> None:
    bare_speeds, engine_speeds = [], []
    for number in range(options.rounds + 1):
        task = Task(await _prompt(client, options.prompt_tokens, number), options.new_tokens)
        bare_speeds.append(bare.round(task))
        engine_speeds.append(await _engine_round(client, task, lane=f"round {number % 2}"))
    for name in ("prefill", "decode"):
        # The first round warms both up.
        ours = [getattr(speed, name) for speed in engine_speeds[1:]]
        theirs = [getattr(speed, name) for speed in bare_speeds[1:]]
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(
            f"{name}: bare {statistics.median(theirs):.1f} tokens/s, engine {statistics.median(ours):.1f}, "
            f"ratio {ratio:.3f}   (bare {_range(theirs)}, engine {_range(ours)})"
        )


def _range(values: list[float]) -> str:
    return f"{min(values):.1f}..{max(values):.1f}"


async def _prompt(client: EngineClient, tokens: int, seed: int) -> str:
    """Text of about this many tokens that begins like no other."""
    numbers = random.Random(seed)
    lines = [f"# {numbers.random()}\n"]
    while (await client.count_tokens(("".join(lines),)))[0] < tokens:
        missing = max(1, tokens // 64)
        lines += [f"value_{numbers.randrange(10**6)} = compute({numbers.randrange(100)})\n" for _ in range(missing)]
    return "".join(lines)


async def _ask(client: EngineClient, text: str, lane: str, new_tokens: int) -> tuple[float, Finished]:
    """Seconds until the answer is complete."""
    began = time.perf_counter()
    async with aclosing(client.generate(GenerateRequest((Text(text),), lane, new_tokens))) as events:
        async for event in events:
            if isinstance(event, Finished):
                return time.perf_counter() - began, event
    raise AssertionError("the answer had no end")


async def _engine_round(client: EngineClient, task: Task, lane: str) -> Speed:
    prefill_s, first = await _ask(client, task.text, lane, 1)
    decode_s, second = await _ask(client, task.text, lane, task.new_tokens)
    decoded = second.tokens.generated + (second.reason is FinishReason.END)
    return Speed(first.tokens.evaluated / prefill_s, decoded / decode_s)


class Bare:
    """The child process that calls llama.cpp and nothing else."""

    def __init__(self, model: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.engine_overhead", "--bare", "--model", str(model)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=host_environment(os.environ)
        )

    def wait_loaded(self) -> None:
        """Wait until its model is there."""
        self._read()

    def round(self, task: Task) -> Speed:
        """One round."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        return Speed(**self._read())

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("The process with bare llama.cpp ended.")
        return dict(json.loads(line))


# The bare side, in its own process


def _serve_bare(model: Path) -> None:
    bare = _BareLlama(model, read_engine_settings())
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(bare.round(Task(**json.loads(line))))), flush=True)


class _BareLlama:
    """As few calls as possible: no abort callback, no lanes, no log-probabilities, no text."""

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        import llama_cpp

        self._llama: Any = llama_cpp
        self._keep = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._keep, None)
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = settings.gpu_layers if llama_cpp.llama_supports_gpu_offload() else 0
        parameters.use_extra_bufts = settings.repack_weights
        model = self._llama.llama_model_load_from_file(os.fsencode(path), parameters)
        self._vocab = self._llama.llama_model_get_vocab(model)
        self._context = self._llama.llama_init_from_model(model, self._context_parameters(path, settings))
        self._memory = self._llama.llama_get_memory(self._context)
        self._sampler = self._llama.llama_sampler_init_greedy()
        self._micro_batch = settings.micro_batch_tokens

    def _context_parameters(self, path: Path, settings: EngineSettings) -> Any:
        parameters = self._llama.llama_context_default_params()
        parameters.n_ctx, parameters.n_seq_max, parameters.kv_unified = settings.cells, settings.lanes, True
        parameters.n_batch = parameters.n_ubatch = settings.micro_batch_tokens
        parameters.n_threads = parameters.n_threads_batch = _threads(settings, path)
        return parameters

    def round(self, task: Task) -> Speed:
        """Prefill and decode of one task."""
        self._llama.llama_memory_seq_rm(self._memory, 0, 0, -1)
        began = time.perf_counter()
        tokens = self._tokenize(task.text.encode())
        for start in range(0, len(tokens), self._micro_batch):
            self._decode(tokens[start : start + self._micro_batch])
        self._sample()
        prefill_s = time.perf_counter() - began

        self._llama.llama_memory_seq_rm(self._memory, 0, len(tokens) - 1, -1)
        began, token = time.perf_counter(), tokens[-1]
        for _ in range(task.new_tokens):
            self._decode([token])
            token = self._sample()
        return Speed(len(tokens) / prefill_s, task.new_tokens / (time.perf_counter() - began))

    def _tokenize(self, data: bytes) -> list[int]:
        buffer = (self._llama.llama_token * (len(data) + 8))()
        count = self._llama.llama_tokenize(self._vocab, data, len(data), buffer, len(buffer), False, False)
        return list(buffer[:count])

    def _decode(self, tokens: list[int]) -> None:
        array = (self._llama.llama_token * len(tokens))(*tokens)
        if self._llama.llama_decode(self._context, self._llama.llama_batch_get_one(array, len(tokens))):
            raise SystemExit("llama_decode failed")

    def _sample(self) -> int:
        return int(self._llama.llama_sampler_sample(self._sampler, self._context, -1))


# Cancel


async def _cancels(client: EngineClient, options: argparse.Namespace) -> None:
    await _ask(client, SHORT_TEXT, "short", 1)
    undisturbed_s = statistics.median([(await _ask(client, SHORT_TEXT, "short", 1))[0] for _ in range(10)])
    text = await _prompt(client, options.prompt_tokens, 999)
    prefill_s, _ = await _ask(client, text, "long", 1)
    found = [await _one_cancel(client, number, prefill_s, options) for number in range(options.cancels)]
    free_ms = sorted((waited_s - undisturbed_s) * 1000 for waited_s in found)
    print(
        f"cancel to free: p50 {statistics.median(free_ms):.1f} ms, p95 {_percentile(free_ms, 0.95):.1f}, "
        f"max {free_ms[-1]:.1f}"
        f"   (over {len(free_ms)} cancels in a prefill of {prefill_s * 1000:.0f} ms; the short prompt alone takes"
        f" {undisturbed_s * 1000:.1f} ms)"
    )


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def _one_cancel(client: EngineClient, number: int, prefill_s: float, options: argparse.Namespace) -> float:
    """Seconds from closing the generator to the first token of another prompt."""
    text = await _prompt(client, options.prompt_tokens, 1000 + number)
    running = asyncio.ensure_future(_ask(client, text, f"long {number % 2}", 1))
    await asyncio.sleep(prefill_s * random.Random(number).uniform(0.1, 0.7))
    if running.done():
        sys.exit("The prompt was evaluated before it could be cancelled: give more --prompt-tokens.")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    seconds, _ = await _ask(client, SHORT_TEXT, "short", 1)
    return seconds


if __name__ == "__main__":
    main()
