"""Where language servers and the engine's host meet: names of the socket, the lock and the log of one model.

The name carries the version of the protocol, the version of this package and the identity of the model file, so that
two versions or two models never share a host by accident. On Windows, which has no Unix sockets in asyncio, a loopback
port stands in, with a random token that only readers of the user's own file know.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import hashlib
import json
import os
import secrets
import stat
import subprocess
import tempfile
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from lsp_server import __version__
from lsp_server.engine.wire import LINE_LIMIT_BYTES
from lsp_server.errors import ModelFileError, RuntimeFolderError

PROTOCOL_VERSION = 2
_LONGEST_SOCKET_PATH_BYTES = 100
"""Unix socket paths end at 104 bytes on macOS and 108 on Linux; the temporary name needs a few more."""

USES_PORT = os.name == "nt"

OnConnection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The files of one host."""

    folder: Path
    name: str

    @property
    def socket(self) -> Path:
        """The Unix socket; on Windows the file with port and token."""
        return self.folder / (f"{self.name}.port" if USES_PORT else f"{self.name}.sock")

    @property
    def lock(self) -> Path:
        """Held by the host for its whole life; never removed, or two hosts could hold two files of one name."""
        return self.folder / f"{self.name}.lock"

    @property
    def log(self) -> Path:
        """What the host and llama.cpp had to say. Never code."""
        return self.folder / f"{self.name}.log"


def model_identity(model: Path) -> str:
    """Changes when the file is another one.

    Raises:
        ModelFileError: it cannot be looked at.
    """
    try:
        real = model.resolve(strict=True)
        found = real.stat()
    except OSError as error:
        raise ModelFileError(
            f"The model file {model} cannot be read: {error.strerror}. Check `lingCoder.model`."
        ) from error
    return f"{real}|{found.st_size}|{found.st_mtime_ns}"


def endpoint_for(model: Path, folder: Path | None = None) -> Endpoint:
    """Where the host of this model is, or will be.

    Raises:
        ModelFileError: there is no such file.
        RuntimeFolderError: there is no private folder for the socket.
    """
    identity = f"{PROTOCOL_VERSION}|{__version__}|{model_identity(model)}"
    return Endpoint(folder or runtime_folder(), hashlib.sha256(identity.encode()).hexdigest()[:16])


def runtime_folder() -> Path:
    """A folder of the user's own with mode 0700: `LING_CODER_RUNTIME_DIR`, else the platform's runtime folder.

    Raises:
        RuntimeFolderError: it cannot be made, or somebody else may use it.
    """
    override = os.environ.get("LING_CODER_RUNTIME_DIR")
    folder = Path(override).absolute() if override else _usual_folder()
    if not USES_PORT and len(os.fsencode(folder)) + 22 > _LONGEST_SOCKET_PATH_BYTES:
        folder = _short_folder(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(folder)
    except OSError as error:
        raise RuntimeFolderError(
            f"The folder {folder} for the engine's socket cannot be used: {error.strerror}. "
            "Set LING_CODER_RUNTIME_DIR to a folder that only you can write."
        ) from error
    return folder


def _usual_folder() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR, and has a fallback
        return platformdirs.user_runtime_path("ling-coder-lsp", appauthor=False)


def _short_folder(folder: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"ling-coder-{os.getuid() if hasattr(os, 'getuid') else 0}-{digest}"


def _check_private(folder: Path) -> None:
    if USES_PORT:
        return  # the user's profile has its own rights
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise RuntimeFolderError(
            f"The folder {folder} belongs to somebody else. Set LING_CODER_RUNTIME_DIR to one of your own."
        )
    if found.st_mode & 0o077:
        raise RuntimeFolderError(
            f"Others may use the folder {folder}. "
            "Set LING_CODER_RUNTIME_DIR to a folder that only you can use (mode 700)."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "no right to write there")


async def connect(endpoint: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the host.

    Raises:
        OSError: there is none.
    """
    if not USES_PORT:
        return await asyncio.open_unix_connection(str(endpoint.socket), limit=LINE_LIMIT_BYTES)
    try:
        place = json.loads(endpoint.socket.read_text(encoding="utf-8"))
        port, token = int(place["port"]), str(place["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectionRefusedError("the port file is being written") from error
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_LIMIT_BYTES)
    writer.write(token.encode() + b"\n")
    return reader, writer


async def listen(endpoint: Endpoint, on_connection: OnConnection) -> asyncio.AbstractServer:
    """Accept connections. The place appears under its final name only when somebody listens there.

    Only the holder of the lock may call this: it takes the place of what a dead host left.
    """
    return await (_listen_on_port if USES_PORT else _listen_on_socket)(endpoint, on_connection)


async def _listen_on_socket(endpoint: Endpoint, on_connection: OnConnection) -> asyncio.AbstractServer:
    temporary = endpoint.folder / f"{endpoint.name}.new"
    temporary.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(on_connection, str(temporary), limit=LINE_LIMIT_BYTES)
    temporary.chmod(0o600)
    temporary.replace(endpoint.socket)
    return server


def _name_rights(path: Path) -> None:
    """On Windows, where a mode says nothing: take inherited rights away, and name the user alone.

    Raises:
        OSError: the rights could not be set.
    """
    if os.name == "nt":
        command = ["icacls", str(path), "/inheritance:r", "/grant:r", f"{getpass.getuser()}:F"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise OSError(f"the rights of {path} could not be set")


async def _listen_on_port(endpoint: Endpoint, on_connection: OnConnection) -> asyncio.AbstractServer:
    token = secrets.token_hex(32)

    async def checked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError, asyncio.TimeoutError):
            sent = await asyncio.wait_for(reader.readline(), 5)
            if secrets.compare_digest(sent.strip(), token.encode()):
                await on_connection(reader, writer)
                return
        writer.close()

    server = await asyncio.start_server(checked, "127.0.0.1", 0, limit=LINE_LIMIT_BYTES)
    temporary = endpoint.folder / f"{endpoint.name}.new"
    temporary.touch(mode=0o600)
    temporary.chmod(0o600)
    _name_rights(temporary)
    temporary.write_text(json.dumps({"port": server.sockets[0].getsockname()[1], "token": token}), encoding="utf-8")
    temporary.replace(endpoint.socket)
    return server
