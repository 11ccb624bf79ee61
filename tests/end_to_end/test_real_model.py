"""The real server and real llama.cpp with a tiny model of random weights: what it says means nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from models.tiny import write_tiny
from tests.end_to_end.editor import PATIENCE_S, Editor, running_editor

pytestmark = [pytest.mark.end_to_end, pytest.mark.real_model, pytest.mark.usefixtures("runtime")]

CODE = "".join(f"def function_{number}(value):\n    return value + {number}\n\n\n" for number in range(120))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_tiny(path)
    return path


async def engine(editor: Editor) -> dict[str, Any]:
    """What the server knows of its engine."""
    return dict((await editor.stats())["engine"])


async def test_a_completion_from_the_model(model: Path) -> None:
    """Something arrives; the next key finds nearly the whole prompt evaluated."""
    async with running_editor("llama", "--model", str(model), options={"maxNewTokens": 8}) as editor:
        await editor.status("ready")
        buffer = editor.open(CODE + "def last(value):\n    total█\n")
        await editor.items(buffer, invoked=True)
        first = (await editor.stats())["last"]["tokens"]
        editor.type(buffer, "_")
        await editor.items(buffer)
        second = (await editor.stats())["last"]["tokens"]
        assert first["reused"] == 0
        assert first["evaluated"] == first["prompt"] > 500
        assert second["evaluated"] <= 4
        assert (await engine(editor))["mode"] == "model"


async def test_typing_evaluates_few_tokens_a_request(model: Path) -> None:
    """Counted where llama.cpp is called, for every kind of job: at most 4 tokens a request, 97 % reused."""
    typed = (
        "def another(values, limit):\n    for value in values:\n        if value > limit:\n            print(value)\n"
    )
    async with running_editor("llama", "--model", str(model), options={"maxNewTokens": 4}) as editor:
        await editor.status("ready")
        buffer = editor.open(CODE + "█\n" + CODE[:2000])
        await editor.items(buffer)
        before = (await engine(editor))["promptTokens"]
        figures = []
        for count, key in enumerate(typed, 1):
            editor.type(buffer, key)
            if count % 4 == 0:
                await editor.items(buffer)
                figures.append((await editor.stats())["last"]["tokens"])
        evaluated = (await engine(editor))["promptTokens"] - before
        assert evaluated / len(figures) <= 4
        assert sum(each["reused"] for each in figures) >= 0.97 * sum(each["prompt"] for each in figures)
        assert all(each["prompt"] >= 1000 for each in figures)


async def test_a_file_in_which_somebody_stays_is_read_ahead(model: Path) -> None:
    """The editor tells where the caret is, and asks a while later: the prompt has been read, but for its end."""
    async with running_editor("llama", "--model", str(model), options={"maxNewTokens": 4}) as editor:
        await editor.status("ready")
        buffer = editor.open(CODE + "def last(value):\n    total█\n")
        editor.tell_caret(buffer)
        while (await engine(editor))["promptTokens"] < 500 or not (await engine(editor))["idle"]:
            pass
        await editor.items(buffer)
        tokens = (await editor.stats())["last"]["tokens"]
        assert tokens["evaluated"] <= 4
        assert tokens["reused"] > 500


async def test_cancelled_while_the_prompt_is_read(model: Path) -> None:
    """The request is answered, and the engine has nothing left to do."""
    options = {"maxPromptTokens": 3000, "maxNewTokens": 500, "maxLines": 1000}
    async with running_editor("llama", "--model", str(model), options=options) as editor:
        await editor.status("ready")
        buffer = editor.open(CODE * 3 + "█")
        request = editor.request(buffer, number="called off")
        while (await engine(editor))["idle"] and not request.done():
            pass
        editor.client.cancel_request(_cancel("called off"))
        await asyncio.wait({request}, timeout=PATIENCE_S)
        assert request.done()
        while not (await engine(editor))["idle"]:
            pass


def _cancel(number: str) -> Any:
    from lsprotocol import types

    return types.CancelParams(id=number)


async def test_the_engine_is_killed(model: Path) -> None:
    """`kill -9` costs at most one request: the next one works, and nobody was shown anything."""
    async with running_editor("llama", "--model", str(model), options={"maxNewTokens": 4}) as editor:
        await editor.status("ready")
        buffer = editor.open("def f(x):\n    return █\n")
        await editor.items(buffer, invoked=True)
        first = (await engine(editor))["processId"]
        seen = len(editor.statuses)
        os.kill(first, signal.SIGKILL)
        await editor.until(lambda: any(status["state"] == "ready" for status in editor.statuses[seen:]))
        editor.type(buffer, "x")
        await editor.items(buffer, invoked=True)
        assert (await editor.stats())["last"]["tokens"]["evaluated"] > 0
        assert (await engine(editor))["processId"] != first


async def test_two_windows_share_one_engine(model: Path) -> None:
    """Editors end a server with its whole process tree: the other window does not notice."""
    options = {"maxNewTokens": 4}
    async with running_editor("llama", "--model", str(model), options=options) as typing:
        await typing.status("ready")
        buffer = typing.open(CODE + "█")
        other = await asyncio.create_subprocess_exec(
            *typing.command("llama", "--model", str(model)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await _first_window_is_ready(other)
        before = (await engine(typing))["processId"]
        tree = [psutil.Process(other.pid), *psutil.Process(other.pid).children(recursive=True)]
        assert before not in [process.pid for process in tree]
        for process in tree:
            process.kill()
        await other.wait()
        for key in "value = 1":
            typing.type(buffer, key)
            await typing.items(buffer)
        assert (await engine(typing))["processId"] == before
        assert set((await typing.stats())["outcomes"]) <= {"shown", "empty", "nothing-left"}


async def _first_window_is_ready(process: asyncio.subprocess.Process) -> None:
    """Speak just enough of the protocol to have the engine connected."""
    assert process.stdin is not None
    assert process.stdout is not None
    for message in (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"jsonrpc": "2.0", "method": "initialized", "params": {}},
    ):
        body = json.dumps(message)
        process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    await asyncio.wait_for(process.stdout.readuntil(b'"ready"'), PATIENCE_S)
