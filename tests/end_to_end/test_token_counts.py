"""What the real server evaluates, counted where llama.cpp is called: jumps, switching, cancels, several windows.

With the bundled model. Counts are those of the engine's process, for all its clients. Nothing is computed ahead here:
how much that is depends on time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.llama import LlamaModel
from lsp_server.model_store.locate import bundled_model
from tests.end_to_end.editor import PATIENCE_S, ROOT, Buffer, Editor, running_editor

pytestmark = [pytest.mark.end_to_end, pytest.mark.real_model, pytest.mark.slow, pytest.mark.usefixtures("runtime")]

TRACE = json.loads((ROOT / "examples" / "typing.json").read_text("utf-8"))["text"]
LONG = "".join(f"def function_{number}(value):\n    return value + {number}\n\n\n" for number in range(100, 500))
PROMPT_TOKENS = 900
SUFFIX_TOKENS = PROMPT_TOKENS // 5
"""The most that the window shows of the text after the caret."""
OPTIONS = {"maxPromptTokens": PROMPT_TOKENS, "maxNewTokens": 4, "speculation": False, "warmUp": False}
FINE = {"shown", "empty", "nothing-left"}
"""How requests end whose answer nobody called off."""


@pytest.fixture(scope="module")
def tokens_of() -> Iterator[Callable[[str], int]]:
    """How many tokens a text has."""
    model = LlamaModel(bundled_model(), EngineSettings(cells=256, lane_tokens=256), lambda _share: None)
    yield lambda text: len(model.tokenize(text))
    model.close()


class Counted:
    """An editor, and how many prompt tokens the engine evaluated for it and everybody else."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    async def engine(self) -> dict[str, Any]:
        return dict((await self.editor.stats())["engine"])

    async def evaluated(self) -> int:
        return int((await self.engine())["promptTokens"])

    async def ask(self, buffer: Buffer) -> int:
        """Ask, and wait for the answer; what was evaluated since the last time that nothing ran."""
        before = await self.evaluated()
        await self.editor.items(buffer, invoked=True)
        return await self.evaluated() - before

    async def last(self) -> dict[str, int]:
        """Token counts of the last answer."""
        return dict((await self.editor.stats())["last"]["tokens"])

    async def until_evaluated(self, tokens: int) -> None:
        """Wait until the engine has evaluated more than so many, or has nothing left to do."""

        async def wait() -> None:
            while not (state := await self.engine())["idle"] and state["promptTokens"] <= tokens:
                pass

        await asyncio.wait_for(wait(), PATIENCE_S)

    async def until_busy(self, request: asyncio.Future[Any]) -> None:
        """Wait until the engine works on a request, or that is answered."""

        async def wait() -> None:
            while (await self.engine())["idle"] and not request.done():
                pass

        await asyncio.wait_for(wait(), PATIENCE_S)


@asynccontextmanager
async def window(**options: Any) -> AsyncIterator[Counted]:
    """One editor whose model is loaded."""
    async with running_editor("llama", options={**OPTIONS, **options}) as editor:
        await editor.status("ready")
        yield Counted(editor)


def go_to(buffer: Buffer, line: int) -> None:
    """Put the caret at the start of a line, 0-based."""
    buffer.caret = sum(map(len, buffer.text.splitlines(keepends=True)[:line]))


# Jumps


async def test_a_jump_evaluates_the_suffix_and_twice_the_distance(tokens_of: Callable[[str], int]) -> None:
    """At most, near and far, forth and back, from where the window was just placed."""
    start, lines = 1000, LONG.splitlines(keepends=True)
    async with window() as counted:
        for goal in (1008, 1040, 1200, 960, 800):
            buffer = counted.editor.open(LONG, f"file:///project/{goal}.py")  # its name comes first: nothing is shared
            go_to(buffer, start)
            assert await counted.ask(buffer) > PROMPT_TOKENS // 2
            go_to(buffer, goal)
            distance = tokens_of("".join(lines[min(start, goal) : max(start, goal)]))
            assert 0 < await counted.ask(buffer) <= SUFFIX_TOKENS + 2 * distance


async def test_a_walk_down_a_file(tokens_of: Callable[[str], int]) -> None:
    """Many small jumps: the window's beginning moves in large steps, and all jumps together evaluate no more than three
    times the way, and the suffix for each.
    """
    places, lines = range(600, 900, 20), LONG.splitlines(keepends=True)
    async with window() as counted:
        buffer = counted.editor.open(LONG)
        go_to(buffer, places[0])
        await counted.ask(buffer)
        evaluated = 0
        for place in places[1:]:
            go_to(buffer, place)
            evaluated += await counted.ask(buffer)
        way = tokens_of("".join(lines[places[0] : places[-1]]))
        assert way > PROMPT_TOKENS
        assert evaluated <= 3 * way + SUFFIX_TOKENS * len(places[1:])


# Lanes


async def test_switching_between_two_files() -> None:
    """Each has its lane: coming back evaluates what was typed there, and little that was evaluated before."""
    async with window() as counted:
        files = [
            counted.editor.open(f"# file {name}\n{LONG}█\n" + TRACE, f"file:///project/{name}.py") for name in "ab"
        ]
        for file in files:
            assert await counted.ask(file) > PROMPT_TOKENS // 2
        for key in "xyz = call":
            for file in files:
                counted.editor.type(file, key)
                assert await counted.ask(file) <= 32
                tokens = await counted.last()
                assert tokens["reused"] > PROMPT_TOKENS // 2


async def test_two_windows_on_one_engine() -> None:
    """Typing in turn, they evaluate no more than each of them alone."""
    texts = {"left": LONG + "█", "right": TRACE + "█"}

    async def typed(*names: str) -> tuple[int, int]:
        """What the engine evaluated, and whose engine that was. Its lanes go with the windows."""
        async with AsyncExitStack() as stack:
            windows = {name: await stack.enter_async_context(window()) for name in names}
            before = await windows[names[0]].evaluated()
            files = {
                name: each.editor.open(texts[name], f"file:///project/{name}.py") for name, each in windows.items()
            }
            for key in "for x in":
                for name, each in windows.items():
                    each.editor.type(files[name], key)
                    await each.editor.items(files[name], invoked=True)
            engine = await windows[names[0]].engine()
            return engine["promptTokens"] - before, engine["processId"]

    (left, first), (right, second), (both, third) = [
        await typed(*names) for names in (("left",), ("right",), ("left", "right"))
    ]
    assert first == second == third
    assert min(left, right) > PROMPT_TOKENS // 2
    assert both <= left + right


# Calling off


def slow_engine(runtime: Path) -> None:
    """Small calls: a prompt takes many of them, and each can be interrupted."""
    (runtime / "engine.toml").write_text("micro_batch_tokens = 16\n", encoding="utf-8")


async def answers(requests: Sequence[asyncio.Future[Any]]) -> list[Any]:
    """All answers; errors are answers, too."""
    return list(await asyncio.wait_for(asyncio.gather(*requests, return_exceptions=True), PATIENCE_S))


async def test_a_cold_prompt_that_is_called_off_again_and_again(runtime: Path) -> None:
    """A key and a cancel for each piece of progress: the prompt is read once all the same."""
    slow_engine(runtime)
    async with window() as counted:
        editor, before = counted.editor, await counted.evaluated()
        buffer = editor.open(LONG + "█\n" + TRACE)
        requests = []
        for number in range(12):
            editor.type(buffer, "x")
            requests.append(editor.request(buffer, number=str(number)))
            await counted.until_busy(requests[-1])
            await counted.until_evaluated(await counted.evaluated())
            editor.client.cancel_request(types.CancelParams(id=str(number)))
        ended = await answers(requests)
        called_off = sum(isinstance(answer, JsonRpcRequestCancelled) for answer in ended)
        editor.type(buffer, "x")
        await editor.items(buffer, invoked=True)
        prompt = (await counted.last())["prompt"]
        assert called_off >= 3, "nothing was interrupted"
        assert prompt > PROMPT_TOKENS // 2
        assert await counted.evaluated() - before <= 1.1 * prompt


async def test_fifty_requests_of_which_one_is_wanted(runtime: Path) -> None:
    """Each gets one answer, the prompt is read once, and afterwards the engine rests."""
    slow_engine(runtime)
    async with window() as counted:
        editor, before = counted.editor, await counted.evaluated()
        buffer = editor.open(LONG + "█\n" + TRACE)
        requests = [editor.request(buffer, number=str(number)) for number in range(50)]
        for number in range(49):
            editor.client.cancel_request(types.CancelParams(id=str(number)))
        *others, wanted = await answers(requests)
        for answer in others:
            assert isinstance(answer, JsonRpcRequestCancelled) or list(answer.items) == []
        assert isinstance(wanted, types.InlineCompletionList)
        stats = await editor.stats()
        assert stats["last"]["outcome"] in FINE
        assert sum(stats["outcomes"].values()) == 50
        assert stats["engine"]["promptTokens"] - before <= 1.1 * stats["last"]["tokens"]["prompt"]
        assert stats["engine"]["idle"]


async def test_an_edit_while_the_model_works(runtime: Path, tokens_of: Callable[[str], int]) -> None:
    """An edit of what was read already: all from there on is evaluated anew, and the answer is that of a new window."""
    slow_engine(runtime)
    found = []
    place = len(TRACE) - 1500
    for interrupted in (True, False):
        async with window(maxNewTokens=24) as counted:
            editor, before = counted.editor, await counted.evaluated()
            buffer = editor.open(TRACE + "█")
            request = editor.request(buffer)
            if interrupted:
                await counted.until_busy(request)
                await counted.until_evaluated(before + PROMPT_TOKENS // 3)
            buffer.caret = place
            editor.type(buffer, "\nlimit = 3\n")
            buffer.caret = len(buffer.text)
            found.append(await editor.accepted(buffer, invoked=True))
            last = (await editor.stats())["last"]
            assert last["tokens"]["prompt"] > PROMPT_TOKENS // 2
            assert last["tokens"]["evaluated"] >= tokens_of(buffer.text[place:]) > PROMPT_TOKENS // 4
            found.append(last["confidence"])
            await answers([request])
    text, confidence, fresh_text, fresh_confidence = found
    assert text == fresh_text
    assert confidence == pytest.approx(fresh_confidence, abs=0.02)


# Little room


async def test_a_cache_smaller_than_the_documents(runtime: Path) -> None:
    """Two documents, each far larger than its window, in a cache that holds one of them: every request is answered."""
    (runtime / "engine.toml").write_text("cells = 512\nlane_tokens = 400\n", encoding="utf-8")
    async with window(maxNewTokens=16) as counted:
        editor = counted.editor
        files = [editor.open(LONG * 12 + "█" + LONG, "file:///project/a.py"), editor.open(TRACE + "█" + LONG * 12)]
        for key in "a = ":
            for file in files:
                editor.type(file, key)
                await editor.items(file, invoked=True)
                assert (await counted.last())["prompt"] < 400
        assert set((await editor.stats())["outcomes"]) <= FINE
