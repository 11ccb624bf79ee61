"""What can be written on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from lsp_server.cli.options import Location, host_and_port, location


@pytest.mark.parametrize(
    ("text", "file", "line", "column"),
    [
        ("a.py:3:1", "a.py", 3, 1),
        ("C:\\x.py:3:1", "C:\\x.py", 3, 1),
        ("/tmp/a:b/c.py:10:200", "/tmp/a:b/c.py", 10, 200),
        ("with space.py:1:1", "with space.py", 1, 1),
        ("7:7:7:7", "7:7", 7, 7),
    ],
)
def test_locations(text: str, file: str, line: int, column: int) -> None:
    """The last two numbers are line and column; the rest is the file, colons and all."""
    assert location(text) == Location(Path(file), line, column)


@pytest.mark.parametrize(
    "text", ["a.py", "a.py:3", "a.py:3:", "a.py:0:1", "a.py:1:0", ":1:1", "a.py:-1:1", "a.py:x:1", ""]
)
def test_what_is_no_location(text: str) -> None:
    """A sentence says what it should have been."""
    with pytest.raises(argparse.ArgumentTypeError, match="is not FILE:LINE:COLUMN"):
        location(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("localhost:2087", "localhost", 2087), ("[::1]:0", "::1", 0), ("127.0.0.1:65535", "127.0.0.1", 65535)],
)
def test_hosts_and_ports(text: str, host: str, port: int) -> None:
    """IPv6 addresses are in brackets."""
    assert host_and_port(text) == (host, port)


@pytest.mark.parametrize("text", ["2087", ":2087", "localhost", "localhost:", "localhost:x", "localhost:65536", "a:²"])
def test_what_is_no_host_and_port(text: str) -> None:
    """A sentence says what it should have been."""
    with pytest.raises(argparse.ArgumentTypeError, match="is not HOST:PORT"):
        host_and_port(text)
