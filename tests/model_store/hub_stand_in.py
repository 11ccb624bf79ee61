"""A hub for models on this machine: metadata and addresses on one port, the files on another, as the real one has it.

What goes wrong is set by a test: see the attributes of `HubStandIn`.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"
PATIENCE_S = 30
MEBIBYTE = 1024 * 1024


@dataclass
class Request:
    """What somebody asked."""

    server: str
    """`hub` or `files`."""
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class HubStandIn:
    """Files by repository and name. Everything is served until a test says otherwise."""

    files: dict[str, dict[str, bytes]]
    licence: str = "mit"
    says_sha256: bool = True
    sent_instead: bytes | None = None
    """Another content than the metadata describes."""
    cuts: list[int] = field(default_factory=list)
    """The next answers with a file end after so many bytes, without a word."""
    does_ranges: bool = True
    says_length: bool = True
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """By the beginning of a path: status, headers and body instead of the right ones."""
    hold_after: int | None = None
    """The next answer with a file waits after so many bytes, until `go_on` is set."""
    holding: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    requests: list[Request] = field(default_factory=list)
    endpoint: str = ""
    file_endpoint: str = ""
    ports: dict[str, int] = field(default_factory=dict)

    def asked(self, server: str, method: str) -> list[Request]:
        """The requests of one kind, in order."""
        return [each for each in self.requests if (each.server, each.method) == (server, method)]

    def ranges(self) -> list[str | None]:
        """From where the files were asked for."""
        return [each.headers.get("range") for each in self.asked("files", "GET")]

    def close(self) -> None:
        """Let nobody wait."""
        self.go_on.set()


@contextmanager
def running_hub(
    files: dict[str, dict[str, bytes]], certificate: tuple[Path, Path] | None = None
) -> Iterator[HubStandIn]:
    """A hub that serves until the end of the `with`; with TLS where there is a certificate and its key."""
    stand_in = HubStandIn(files)
    servers = {name: _server(stand_in, name, certificate) for name in ("hub", "files")}
    scheme = "https" if certificate else "http"
    stand_in.ports = {name: server.server_address[1] for name, server in servers.items()}
    stand_in.endpoint = f"{scheme}://127.0.0.1:{stand_in.ports['hub']}"
    stand_in.file_endpoint = f"{scheme}://127.0.0.1:{stand_in.ports['files']}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers.values()]
    for thread in threads:
        thread.start()
    try:
        yield stand_in
    finally:
        stand_in.close()
        for server in servers.values():
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
        _forget_connections()


def _forget_connections() -> None:
    from huggingface_hub.utils import close_session  # type: ignore[attr-defined]  # documented

    close_session()  # they lead to a server that is gone


def _server(stand_in: HubStandIn, name: str, certificate: tuple[Path, Path] | None) -> ThreadingHTTPServer:
    handler = type("Handler", (_Handler,), {"stand_in": stand_in, "name": name})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


class _Handler(BaseHTTPRequestHandler):
    stand_in: HubStandIn
    name: str
    timeout = PATIENCE_S

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):  # the client was killed, or did not trust us
            self.close_connection = True

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.stand_in.requests.append(Request(self.name, self.command, self.path, headers))
        for beginning, (status, more, body) in self.stand_in.answers.items():
            if self.path.startswith(beginning):
                return self._send(status, more, body if with_body else b"")
        path = urlsplit(self.path).path
        if self.name == "files":
            return self._send_file(path)
        if path.startswith("/api/models/"):
            return self._send_listing(path.removeprefix("/api/models/"))
        return self._send_address(path)

    def _send_listing(self, repository: str) -> None:
        files = self.stand_in.files.get(repository)
        if files is None:
            return self._send(404, {"X-Error-Code": "RepoNotFound"}, b"")
        siblings = [
            {
                "rfilename": name,
                "size": len(data),
                "lfs": {"size": len(data), "sha256": _sha256(data), "pointerSize": 9},
            }
            for name, data in files.items()
        ]
        listing = {
            "id": repository, "sha": COMMIT, "siblings": siblings, "tags": [f"license:{self.stand_in.licence}"],
            "private": False, "downloads": 1, "likes": 1,
        }  # fmt: skip
        if not self.stand_in.says_sha256:
            for sibling in siblings:
                del sibling["lfs"]
        return self._send(200, {"Content-Type": "application/json"}, json.dumps(listing).encode())

    def _send_address(self, path: str) -> None:
        repository, _, rest = path.strip("/").partition("/resolve/")
        data = self.stand_in.files.get(repository, {}).get(rest.partition("/")[2])
        if data is None:
            return self._send(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b"")
        more = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Size": str(len(data)),
            "X-Linked-ETag": f'"{_sha256(data) if self.stand_in.says_sha256 else "abc"}"',
            "Location": f"{self.stand_in.file_endpoint}/signed/{repository}/{rest.partition('/')[2]}?key=1",
        }
        return self._send(302, more, b"")

    def _send_file(self, path: str) -> None:
        repository, _, name = path.removeprefix("/signed/").rpartition("/")
        data = self.stand_in.sent_instead or self.stand_in.files[repository][name]
        asked = self.headers.get("Range", "") if self.stand_in.does_ranges else ""
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        self.send_response(206 if asked else 200)
        if self.stand_in.says_length:
            self.send_header("Content-Length", str(len(data) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self._send_slowly(data[start:])

    def _send_slowly(self, data: bytes) -> None:
        cut = self.stand_in.cuts.pop(0) if self.stand_in.cuts else len(data)
        hold, self.stand_in.hold_after = self.stand_in.hold_after, None
        if hold is not None:
            self.wfile.write(data[:hold])
            self.wfile.flush()
            self.stand_in.holding.set()
            self.stand_in.go_on.wait(PATIENCE_S)
        self.wfile.write(data[hold or 0 : cut])
        self.close_connection = True

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
