"""What typing costs, on the bundled traces: real server, real llama.cpp, the demo model. Counts, never times.

Prompt tokens are counted where `llama_decode` is called, for every kind of work. Prompts are as long as the model's
context allows: the whole file, or some hundred lines of it.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from lsp_server.bench.replay import SETTINGS, WITHOUT_SPECULATION, Replay, replay
from lsp_server.bench.report import percentile
from lsp_server.bench.trace import Ask, Jump, Switch, Trace
from lsp_server.bench.trace_file import read_traces, trace_from
from lsp_server.protocol.driver import Editor

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.real_model,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

FAR_BACK: dict[str, Any] = {"maxPromptTokens": 4000, "maxNewTokens": 1}
LONG_FILE_LINES = 2500
LONG_PROMPT_TOKENS = 600
"""What the demo model's context of 2,048 tokens leaves for the text before the caret, with room to grow."""
TYPED = '''


def hottest(readings: dict[str, float], limit: int = 3) -> list[str]:
    """Names of the sensors with the highest values."""
    ordered = sorted(readings, key=lambda name: readings[name], reverse=True)
    return [name for name in ordered[:limit] if readings[name] > 0]'''

TRACES = {trace.name: trace for trace in read_traces([Path(__file__).parents[1] / "traces"])}
WITHOUT_JUMPS = [name for name, trace in TRACES.items() if not trace.jumps]


def long_file() -> Trace:
    """A function typed in the middle of a file that is far larger than a prompt: all Python of the traces, repeated."""
    texts = [each.text for trace in TRACES.values() for each in trace.documents if each.language == "python"]
    text = "".join(text.replace("\ndef ", f"\ndef part_{n}_") for n, text in enumerate(texts * 5))
    offset = text.index("\n\n\ndef ", len(text) // 2)
    plain = {"name": "long-file", "language": "python", "path": "long_file.py", "text": text, "offset": offset}
    return trace_from({**plain, "typed": TYPED, "requests": [*range(6, len(TYPED), 6)]})


@pytest.fixture(scope="module", autouse=True)
def engine_of_its_own() -> Iterator[None]:
    """All tests here share one engine and no other test uses it; it is ended by its process id."""
    folder = Path(tempfile.mkdtemp(prefix="lc-")).resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LING_CODER_RUNTIME_DIR", str(folder))
        patch.setenv("LING_CODER_CONFIG_DIR", str(folder))
        yield
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in (process.info["cmdline"] or []):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


async def started(**settings: Any) -> Editor:
    """An editor whose server answers each request from the engine."""
    assert "LING_CODER_RUNTIME_DIR" in os.environ
    editor = Editor([])
    await editor.start({**SETTINGS, **WITHOUT_SPECULATION, **FAR_BACK, **settings})
    await editor.wait_until_loaded()
    return editor


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["auto", "prefix-only"])
async def editor(request: pytest.FixtureRequest) -> AsyncIterator[Editor]:
    """The server as it is, and as it is for a model without fill-in-the-middle tokens."""
    editor = await started(fimTemplate=request.param)
    yield editor
    await editor.stop()


def check(found: Replay) -> None:
    """The promise for traces without jumps."""
    later = found.evaluated[1:]
    assert statistics.fmean(later) <= 4
    assert percentile(later, 95) <= 16
    reused = sum(tokens["reused"] for tokens in found.tokens[1:])
    assert reused >= 0.97 * sum(tokens["prompt"] for tokens in found.tokens[1:])


@pytest.mark.parametrize("name", WITHOUT_JUMPS)
async def test_typing_never_pays_twice(editor: Editor, name: str) -> None:
    """Mean at most 4 evaluated tokens a request after the first, 19 of 20 at most 16, 97 % of the prompts reused."""
    found = await replay(editor, TRACES[name])
    check(found)
    assert sum(tokens["evaluated"] for tokens in found.tokens) <= sum(found.evaluated), "the engine counts them all"
    assert bool(found.accepted_characters) == TRACES[name].accepts, "something is shown where the trace accepts"


async def test_working_ahead_costs_little() -> None:
    """With speculation and warm-up all together is at most the first prompt and 8 tokens a request."""
    trace = TRACES["c-accepting"]
    editor = await started(speculation=True, warmUp=True, maxNewTokens=8)
    found = await replay(editor, trace)
    await editor.stop()
    first, total = found.tokens[0]["prompt"], sum(found.evaluated) + found.evaluated_afterwards
    assert total <= first + 8 * trace.requests


async def test_typing_in_a_long_file(editor: Editor) -> None:
    """The same where the prompt shows only a part of the file."""
    trace = long_file()
    found = await replay(editor, trace)
    check(found)
    assert len(trace.documents[0].text.splitlines()) >= LONG_FILE_LINES
    assert all(tokens["prompt"] >= LONG_PROMPT_TOKENS for tokens in found.tokens)


async def test_two_files_have_a_lane_each(editor: Editor) -> None:
    """Whoever comes back to a file pays at most 32 tokens for the way."""
    trace = TRACES["python-two-files"]
    found = await replay(editor, trace)
    ways = after_moves(trace, Switch)
    assert len(ways) == 7
    assert max(found.evaluated[request] for request in ways[1:]) <= 32


async def test_a_jump_costs_its_distance(editor: Editor) -> None:
    """A few lines keep most of the prompt, none costs more than all of it; typing in between costs what it did."""
    trace = TRACES["python-jumps"]
    found = await replay(editor, trace)
    _, a_few_lines, *farther = jumps = after_moves(trace, Jump)
    assert found.evaluated[a_few_lines] <= found.tokens[a_few_lines]["prompt"] / 2
    assert all(found.evaluated[request] <= found.tokens[request]["prompt"] for request in farther)
    between = [tokens for request, tokens in enumerate(found.evaluated) if request and request not in jumps]
    assert statistics.fmean(between) <= 4


def after_moves(trace: Trace, kind: type[Jump | Switch]) -> list[int]:
    """The numbers of the requests directly after such an action."""
    requests, moved = -1, False
    found = []
    for action in trace.actions:
        if isinstance(action, Ask):
            requests += 1
            if moved:
                found.append(requests)
        moved = isinstance(action, kind)
    return found
