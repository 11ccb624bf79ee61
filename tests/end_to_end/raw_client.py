"""Messages byte by byte, for what no well-behaved client sends."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

PATIENCE_S = 40
ROOT = Path(__file__).parents[2]


class RawClient:
    """A server process and its two pipes."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.process = process
        self._log = log
        self.received: list[Any] = []

    def send_bytes(self, body: bytes) -> None:
        """One message with this body."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        """One message from what becomes its JSON."""
        self.send_bytes(json.dumps(message).encode())

    def request(self, number: Any, method: Any, **more: Any) -> None:
        """One request."""
        self.send({"jsonrpc": "2.0", "id": number, "method": method, **more})

    def notify(self, method: str, params: Any) -> None:
        """One notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def initialize(self) -> None:
        """The usual beginning."""
        self.request("initialize", "initialize", params={"processId": None, "rootUri": None, "capabilities": {}})
        self.notify("initialized", {})
        self.answer("initialize")

    def answer(self, number: Any) -> Any:
        """Read until this request was answered."""
        while not self.answers_to(number):
            self.received.append(self._read())
        return self.answers_to(number)[0]

    def _read(self) -> Any:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            assert line, "the server has gone"
            name, _, value = line.partition(b":")
            assert name in (b"Content-Length", b"Content-Type"), f"this is no header: {line!r}"
            length = int(value) if name == b"Content-Length" else length
        return json.loads(self.process.stdout.read(length))

    def answers_to(self, number: Any) -> list[Any]:
        """All answers that were received for one request."""
        return [each for each in self.received if each.get("id") == number and "method" not in each]

    def log(self) -> str:
        """What the server has written to stderr."""
        self._log.seek(0)
        return self._log.read().decode()

    def leave(self) -> int:
        """Say goodbye; the exit code."""
        self.request("leave", "shutdown")
        self.answer("leave")
        self.notify("exit", None)
        return self.process.wait(timeout=20)


@contextmanager
def raw_client(engine: str, *arguments: str, command: Sequence[str] | None = None) -> Iterator[RawClient]:
    """A client that has sent nothing yet; at the end the process is gone, and nothing was shown.

    Args:
        engine: value for `--engine`.
        arguments: more arguments of `serve`.
        command: arguments for Python, instead of `serve`.
    """
    line = command or ("-m", "lsp_server", "serve", "--engine", engine, *arguments)
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen([sys.executable, *line], stdin=pipe, stdout=pipe, stderr=log, cwd=ROOT) as process,
    ):
        client = RawClient(process, log)
        # A server that does not answer has gone after this time: reading from it ends.
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            yield client
        finally:
            watchdog.cancel()
            process.kill()
    shown = [message for message in client.received if message.get("method") == "window/showMessage"]
    assert shown == [], "the user was shown something nobody asked for"
