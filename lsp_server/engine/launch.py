"""Starting the host so that it belongs to nobody's process tree.

Editors end a language server together with all its descendants, found by walking parents. So the host forks twice until
its parent is init; on Windows an intermediate process starts it and exits.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lsp_server.engine.endpoint import Endpoint

_ENVIRONMENT = {
    # OpenMP threads spin while they wait: with the default, a host beside one busy process was 40 times slower.
    "GOMP_SPINCOUNT": "300",
    # After a failed assertion ggml would start gdb for a backtrace, which takes seconds and memory.
    "GGML_NO_BACKTRACE": "1",
}


def host_command(endpoint: Endpoint, model: Path) -> list[str]:
    """What starts a host."""
    return [
        sys.executable,
        "-m",
        "lsp_server.engine.host",
        "--detach",
        str(endpoint.folder),
        endpoint.name,
        str(model.resolve()),
    ]


def host_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a host: what the user set wins."""
    path = str(Path(__file__).parents[2])
    known = [path, *filter(None, [environment.get("PYTHONPATH")])]
    return {**_ENVIRONMENT, **environment, "PYTHONPATH": os.pathsep.join(known)}


async def start_host(endpoint: Endpoint, model: Path) -> None:
    """Start a host and return when it has let go of us. Whether it lives is seen by connecting.

    Raises:
        OSError: no process could be started.
    """
    with endpoint.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *host_command(endpoint, model),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=endpoint.folder,
            env=host_environment(os.environ),
        )
    await process.wait()


def detach() -> None:
    """Called by the host before anything else is imported: from here on init is its parent."""
    if os.name == "nt":
        _detach_on_windows()
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)


def _detach_on_windows() -> None:
    flags = 0
    for name in ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP", "CREATE_BREAKAWAY_FROM_JOB"):
        flags |= getattr(subprocess, name, 0)
    arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
    subprocess.Popen(
        [sys.executable, "-m", "lsp_server.engine.host", *arguments], creationflags=flags, stderr=sys.stderr
    )
    os._exit(0)
