"""One server process for all tests of a module, or a folder of its own for the engine of each test."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.end_to_end.editor import Editor, running_editor

RULES = [
    {"match": "# slow", "text": "word" + "".join(map(str, range(1000))), "token_ms": 20},
    {"match": "# crash", "text": "half of an answer", "fail": "crash"},
    {"match": "# hang", "fail": "hang"},
    {"match": "# garbage", "fail": "garbage"},
    {"match": "# nothing", "text": ""},
    {"match": "# block", "text": "first()\n    second()"},
    {"text": "hello()"},
]
"""The document chooses the rule with a comment."""

OPTIONS = {"deadlineMs": 1000, "invokedDeadlineMs": 10000}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    """A server that is ready."""
    script = tmp_path_factory.mktemp("engine") / "script.json"
    script.write_text(json.dumps(RULES), encoding="utf-8")
    async with running_editor(f"scripted:{script}", options=OPTIONS) as editor:
        await editor.status("ready")
        yield editor


@pytest_asyncio.fixture(loop_scope="module")
async def editor(shared_editor: Editor) -> AsyncIterator[Editor]:
    """The module's server; after each test nothing was shown."""
    yield shared_editor
    assert shared_editor.client.messages == [], "the user was shown something nobody asked for"


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for the engine of each test; it is ended by its process id."""
    folder = Path(tempfile.mkdtemp(prefix="lc-")).resolve()
    monkeypatch.setenv("LING_CODER_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("LING_CODER_CONFIG_DIR", str(folder))
    yield folder
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in (process.info["cmdline"] or []):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
