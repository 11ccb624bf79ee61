"""A company's proxy: connects those who know the password to whatever host it is told stands for a name."""

from __future__ import annotations

import base64
import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

USER_AND_PASSWORD = "somebody:a%20secret"  # as it stands in an address
_EXPECTED = "Basic " + base64.b64encode(b"somebody:a secret").decode()


@dataclass
class ProxyStandIn:
    """Which ports of this machine stand for which names."""

    ports: Mapping[str, int]
    port: int = 0
    connected: list[str] = field(default_factory=list)
    """The names that somebody was connected to."""
    refused: list[str] = field(default_factory=list)


@contextmanager
def running_proxy(ports: Mapping[str, int]) -> Iterator[ProxyStandIn]:
    """A proxy that works until the end of the `with`."""
    stand_in = ProxyStandIn(ports)
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        stand_in.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


class _Handler(socketserver.StreamRequestHandler):
    stand_in: ProxyStandIn
    rbufsize = 0  # what follows the request belongs to the tunnel

    def handle(self) -> None:
        method, host, _ = self.rfile.readline().decode().split()
        headers = dict(self._headers())
        name = host.partition(":")[0]
        if method != "CONNECT" or headers.get("proxy-authorization") != _EXPECTED:
            self.stand_in.refused.append(name)
            self.wfile.write(
                b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n'
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        self.stand_in.connected.append(name)
        with socket.create_connection(("127.0.0.1", self.stand_in.ports[name])) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _carry(self.connection, there)

    def _headers(self) -> Iterator[tuple[str, str]]:
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            yield name.lower(), value.strip()


def _carry(here: socket.socket, there: socket.socket) -> None:
    """Bytes in both directions until one side has enough."""
    with selectors.DefaultSelector() as selector:
        selector.register(here, selectors.EVENT_READ, there)
        selector.register(there, selectors.EVENT_READ, here)
        while True:
            for key, _ in selector.select():
                try:
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # both are sockets
                    key.data.sendall(data)
                except ConnectionError:
                    return
                if not data:
                    return
