"""The composition root: builds every part of a server once and hands it on."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from typing import Any

from lsp_server.engine.choose import make_engine
from lsp_server.protocol.features import register_all
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.session import Session


def build_server(engine: str, command_line: dict[str, Any] | None = None) -> LingCoderServer:
    """A server that is ready to be started.

    Args:
        engine: as for `make_engine`.
        command_line: settings that win over the editor's.
    """
    server = LingCoderServer(Session(partial(make_engine, engine)), command_line)
    register_all(server)
    return server


def serve_stdio(server: LingCoderServer) -> int:
    """Serve one editor on stdin and stdout until it leaves; the exit code."""
    # A thread waits for stdin, and Python would wait for that thread: let Ctrl+C end the process by itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Only the protocol may write to stdout: whatever else prints, C libraries and child processes too, gets stderr.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        sys.stdout = sys.stderr
        server.start_io(sys.stdin.buffer, out)
    return 0 if server.protocol.shut_down else 1


def serve_tcp(server: LingCoderServer, host: str, port: int) -> int:
    """Serve the first editor that connects until it leaves; the exit code."""
    server.start_tcp(host, port)
    return 0 if server.protocol.shut_down else 1
