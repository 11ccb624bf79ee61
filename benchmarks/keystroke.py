"""What one key costs the server in a file of 10,000 lines, part by part, without a process and without a model.

    python -m benchmarks.keystroke [--lines N] [--file FILE ...]

Each key is a `textDocument/didChange` as an editor sends it, and then a snapshot as a request takes it:

- *message*: JSON, pygls' own handling, everything that is none of the parts below
- *text*: positions and lines
- *parse*: parsing on, at most 2 ms before the next message may come in
- *snapshot*: what a request gets of the document

*key* is all of it together: the aim is a p95 of 10 ms. *tree is there* is how long it took until the tree fitted the
text again: where tree-sitter reads far more than what was typed, the rest is parsed in slices between messages. All are
times by the clock, waiting for other processes included; *processor* is what the processor spent on the key.

The files are made up, the same for everyone (`benchmarks/keystroke_texts.py`); `--file` types into others, repeated
until they are long enough, behind the middle one of their lines that begin with `return`.
"""
# ruff: noqa: T201 - this speaks to a person

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.keystroke_texts import SAMPLES, Sample
from lsp_server.documents.languages import language_of
from lsp_server.documents.open_tree import OpenTree
from lsp_server.documents.text_lines import TextLines, split_lines
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.server import build_server
from lsp_server.state import Document

AIM_MS = 10.0
PARTS = ("message", "text", "parse", "snapshot")
COLUMNS = ("key", "processor", *PARTS, "tree is there")
_TIMED: tuple[tuple[str, type, str], ...] = (
    ("text", TextLines, "replace"),
    ("parse", OpenTree, "work"),
    ("snapshot", Document, "snapshot"),
)


class Nobody:
    """Takes what the server writes."""

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        """Nothing to close."""


class Stopwatch:
    """Times spent in the parts during one key, in milliseconds."""

    def __init__(self) -> None:
        self.spent_ms = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Every call of a part is timed."""
        originals = [(kind, name, getattr(kind, name)) for _, kind, name in _TIMED]
        for part, kind, name in _TIMED:
            setattr(kind, name, self._timed(part, getattr(kind, name)))
        try:
            yield
        finally:
            for kind, name, original in originals:
                setattr(kind, name, original)

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.spent_ms[part] += (time.perf_counter() - began_s) * 1000

        return timed


def receive(server: LingCoderServer, method: str, params: dict[str, Any], **more: Any) -> None:
    """As if it had come over the wire, JSON and all."""
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more})
    server.protocol.handle_message(json.loads(body, object_hook=server.protocol.structure_message))


async def type_in(language: str, text: str, place: tuple[int, int], typed: str) -> dict[str, list[float]]:
    """Milliseconds of each part for each key."""
    server, uri, watch = build_server("none"), "file:///long", Stopwatch()
    server.protocol.set_writer(Nobody())
    receive(server, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id=1)
    opened = {"uri": uri, "languageId": language, "version": 1, "text": text}
    receive(server, "textDocument/didOpen", {"textDocument": opened})
    document = server.session.state.documents[uri]
    await _until_the_tree_is_there(document)
    found: dict[str, list[float]] = {part: [] for part in COLUMNS}
    line, column = place
    for version, character in enumerate(typed, start=2):
        here = {"line": line, "character": column}
        change = {"range": {"start": here, "end": here}, "text": character}
        named = {"uri": uri, "version": version}
        line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
        watch.spent_ms = dict.fromkeys(PARTS, 0.0)
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        with watch.watching():
            receive(server, "textDocument/didChange", {"textDocument": named, "contentChanges": [change]})
            document.snapshot(line, column)
        key_ms, processor_ms = (time.perf_counter() - began_s) * 1000, (time.thread_time() - began_cpu_s) * 1000
        watch.spent_ms["message"] = key_ms - sum(watch.spent_ms.values())
        await _until_the_tree_is_there(document)
        found["key"].append(key_ms)
        found["processor"].append(processor_ms)
        found["tree is there"].append((time.perf_counter() - began_s) * 1000)
        for part in PARTS:
            found[part].append(watch.spent_ms[part])
    return found


async def _until_the_tree_is_there(document: Document) -> None:
    while document.tree.is_taken_on:  # noqa: ASYNC110  # what is waited for runs between two turns of this loop
        await asyncio.sleep(0)
    assert document.tree.late.get() is not None, "no tree"


def percentile(values: list[float], percent: float) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def sample_of(path: Path) -> Sample:
    """Somebody's own file."""
    text = path.read_text(encoding="utf-8").replace("{", "{{").replace("}", "}}")
    language = language_of(path.name)
    typed = next((sample.typed for sample in SAMPLES if sample.language == language), "\nvalue = 1;\n")
    return Sample(language, path.suffix[1:], text + "\n", "return", typed)


def place_in(sample: Sample, text: str) -> tuple[int, int]:
    """The end of the middle one of the lines that the sample names."""
    lines = split_lines(text)
    fitting = [number for number, line in enumerate(lines) if line.lstrip().startswith(sample.before.lstrip())]
    number = fitting[len(fitting) // 2] if fitting else len(lines) // 2
    return number, len(lines[number].rstrip("\r\n"))


def main() -> None:
    """Type, and print a table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--lines", type=int, default=10_000, metavar="N")
    options.add_argument("--file", type=Path, action="append", default=[], metavar="FILE")
    arguments = options.parse_args()
    print(f"{'':24}{'keys':>6}" + "".join(f"{part:>18}" for part in COLUMNS))
    print(f"{'milliseconds':30}" + f"{'p50    p95':>18}" * len(COLUMNS))
    for sample in map(sample_of, arguments.file) if arguments.file else SAMPLES:
        text = sample.text(arguments.lines)
        found = asyncio.run(type_in(sample.language, text, place_in(sample, text), sample.typed))
        columns = (found[part] for part in COLUMNS)
        figures = "".join(f"{percentile(ms, 50):>11.2f}{percentile(ms, 95):>7.2f}" for ms in columns)
        late = "" if percentile(found["key"], 95) <= AIM_MS else f"  more than {AIM_MS:.0f} ms"
        print(f"{sample.language:12}{len(split_lines(text)):>6} lines{len(sample.typed):>6}{figures}{late}")


if __name__ == "__main__":
    main()
