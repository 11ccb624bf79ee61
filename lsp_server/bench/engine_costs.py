"""What the engine's process costs beside the requests themselves: memory, and how soon a cancel makes it free."""

from __future__ import annotations

import contextlib
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lsp_server.bench.replay import Replay
from lsp_server.bench.trace import Trace

if TYPE_CHECKING:
    from lsp_server.protocol.driver import Editor

_CANCELS = 5


async def measure_cancel(editor: Editor, trace: Trace, found: Replay) -> None:
    """Call off requests for documents that the engine has not seen, and ask for a short one in the same moment.

    What the short one takes longer than when nothing else goes on is the time that the engine needed to be free.
    """
    document = trace.documents[0]
    undisturbed_ms = statistics.median(
        [await _short_request_ms(editor, f"calm_{number}") for number in range(_CANCELS)]
    )
    for number in range(_CANCELS):
        uri = f"file:///cancelled_{number}/{document.path}"
        editor.open(uri, f"{number}\n" + document.text, document.language)
        request = editor.begin_to_ask(uri, document.offset, invoked=True)
        while not request.done() and (await editor.stats())["engine"]["idle"]:
            pass  # each round asks the server and waits for its answer
        editor.call_off()
        took_ms = await _short_request_ms(editor, f"free_{number}")
        found.cancel_to_free_ms.append(max(0.0, took_ms - undisturbed_ms))
        with contextlib.suppress(Exception):  # answered with an error, unless it was too quick to be called off
            await request


async def _short_request_ms(editor: Editor, name: str) -> float:
    """How long a request takes until its prompt is read, which is a few tokens long and was never asked before.

    Writing the answer is left out: its time varies by more than what is measured.
    """
    text = f"{name} = "
    editor.open(f"file:///{name}.py", text, "python")
    began = time.perf_counter()
    await editor.ask(f"file:///{name}.py", len(text), invoked=True)
    took_ms = (time.perf_counter() - began) * 1000
    return took_ms - float((await editor.stats())["last"]["ms"]["decode"])


async def measure_memory(editor: Editor, found: Replay) -> None:
    """The engine's process: the most it ever held, and what it shares with nobody."""
    process = psutil.Process((await editor.stats())["engine"]["processId"])
    found.peak_rss_mb = _peak_bytes(process) / 1e6
    with contextlib.suppress(psutil.Error):
        found.private_mb = process.memory_full_info().uss / 1e6


def _peak_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)
