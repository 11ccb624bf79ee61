"""The place where clients and host meet: its folder, its names, its rights."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from lsp_server.engine import endpoint as endpoint_module
from lsp_server.engine.endpoint import Endpoint, connect, endpoint_for, listen, model_identity, runtime_folder
from lsp_server.errors import ModelFileError, RuntimeFolderError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows meets at a port")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Any file: nobody loads it here."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return path


async def _nobody(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _meet(endpoint: Endpoint) -> None:
    """Connect, and see that the other side answers by hanging up."""
    reader, writer = await connect(endpoint)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


# The folder


def test_the_folder_is_for_its_user_only(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made with mode 0700."""
    monkeypatch.setenv("LING_CODER_RUNTIME_DIR", str(runtime / "new"))
    assert stat.S_IMODE(runtime_folder().stat().st_mode) == 0o700


def test_an_open_folder_is_not_used_and_not_changed(runtime: Path) -> None:
    """It may be anything, `/tmp` even: its rights are its owner's business."""
    runtime.chmod(0o777)
    with pytest.raises(RuntimeFolderError, match="Others may use the folder"):
        runtime_folder()
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o777


def test_a_folder_of_somebody_else_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the folder could put a socket of their own there."""
    owner = runtime.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(RuntimeFolderError, match=r"belongs to somebody else.*LING_CODER_RUNTIME_DIR"):
        runtime_folder()


def test_a_link_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a link leads to can change after it was looked at."""
    (runtime / "there").mkdir()
    (runtime / "link").symlink_to(runtime / "there")
    monkeypatch.setenv("LING_CODER_RUNTIME_DIR", str(runtime / "link"))
    with pytest.raises(RuntimeFolderError):
        runtime_folder()


def test_a_file_in_the_place_of_the_folder(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the way out."""
    (runtime / "file").touch()
    for place in (runtime / "file", runtime / "file" / "below"):
        monkeypatch.setenv("LING_CODER_RUNTIME_DIR", str(place))
        with pytest.raises(RuntimeFolderError, match=r"cannot be used: .*\. Set LING_CODER_RUNTIME_DIR"):
            runtime_folder()


def test_no_right_to_write(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before a host is started in vain."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(RuntimeFolderError, match="cannot be used: no right to write there"):
        runtime_folder()


def test_a_relative_folder_means_the_same_for_the_host(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    """The host's working directory is another one."""
    monkeypatch.chdir(runtime)
    monkeypatch.setenv("LING_CODER_RUNTIME_DIR", "here")
    assert endpoint_for(model).folder == runtime / "here"


async def test_a_folder_too_long_for_a_socket_has_a_short_stand_in(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    """Each long folder has its own, private as well; it is the same one every time, and sockets work there."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(runtime))
    folders = []
    for name in ("x", "x", "y"):
        monkeypatch.setenv("LING_CODER_RUNTIME_DIR", str(runtime / (name * 100)))
        folders.append(runtime_folder())
    assert folders[0] == folders[1] != folders[2]
    assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700

    endpoint = endpoint_for(model)
    assert len(os.fsencode(endpoint.socket)) <= 100
    async with await listen(endpoint, _nobody):
        await _meet(endpoint)


# Names


def test_a_name_stands_for_one_model_and_one_version(
    runtime: Path, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file by any path has one name; other contents or another version have another."""
    name = endpoint_for(model).name
    link = tmp_path / "link.gguf"
    link.symlink_to(model)
    assert endpoint_for(link).name == name
    assert endpoint_for(tmp_path / ".." / tmp_path.name / "model.gguf").name == name

    with monkeypatch.context() as other:
        other.setattr(endpoint_module, "PROTOCOL_VERSION", endpoint_module.PROTOCOL_VERSION + 1)
        assert endpoint_for(model).name != name
    with monkeypatch.context() as other:
        other.setattr(endpoint_module, "__version__", "999")
        assert endpoint_for(model).name != name

    os.utime(model, ns=(1, 1))
    renewed = endpoint_for(model).name
    model.write_bytes(b"GGUF and more")
    os.utime(model, ns=(1, 1))
    assert len({name, renewed, endpoint_for(model).name}) == 3


def test_a_missing_model_has_no_name(tmp_path: Path) -> None:
    """The sentence names the file and the setting."""
    with pytest.raises(ModelFileError, match=r"missing.gguf cannot be read: No such file.*lingCoder.model"):
        model_identity(tmp_path / "missing.gguf")


# Listening


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_socket_is_for_its_user_only(runtime: Path) -> None:
    """Mode 0600, under its final name only."""
    endpoint = Endpoint(runtime, "name")
    async with await listen(endpoint, _nobody):
        assert stat.S_IMODE(endpoint.socket.stat().st_mode) == 0o600
        assert _names(runtime) == ["name.sock"]


async def test_what_a_dead_host_left_is_replaced(runtime: Path) -> None:
    """A socket that nobody listens at, a temporary one, or a plain file in its place."""
    endpoint = Endpoint(runtime, "name")
    for left in (endpoint.socket, runtime / "name.new"):
        left.write_text("left behind", encoding="utf-8")
    async with await listen(endpoint, _nobody):
        await _meet(endpoint)


async def test_nobody_is_there(runtime: Path) -> None:
    """No socket, and one without a listener: both are an `OSError`, which says that a host must be started."""
    endpoint = Endpoint(runtime, "name")
    with pytest.raises(OSError, match="No such file"):
        await connect(endpoint)
    endpoint.socket.touch()
    with pytest.raises(OSError, match="refused"):
        await connect(endpoint)
