"""A file under its final name is whole and right, whatever happens on the way; what has arrived is kept."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pytest

from lsp_server.errors import CompletionError
from lsp_server.model_store import download as downloading
from lsp_server.model_store.download import Downloaded, Watch, download, sha256_beside
from lsp_server.model_store.errors import DiskFull, HubUnreachable, Stopped, StoreError, WrongContent
from lsp_server.model_store.folders import file_of
from lsp_server.model_store.hub import Hub
from lsp_server.model_store.part_file import PartFile
from lsp_server.model_store.part_names import parts_of
from tests.model_store.conftest import CONTENT, FILE, REPOSITORY
from tests.model_store.hub_stand_in import MEBIBYTE, HubStandIn

AT_ONCE = (0.0, 0.0)
"""Two tries more after a break, without waiting."""


def fetch(stand_in: HubStandIn, **watch: Any) -> Downloaded:
    hub = Hub(stand_in.endpoint)
    remote = hub.look_up(REPOSITORY, FILE)
    return download(hub, remote, target(), Watch(**{"pauses_s": AT_ONCE, **watch}))


def target() -> Path:
    return file_of(REPOSITORY, FILE)


def arrived_bytes() -> int:
    return sum(part.stat().st_size for part in parts_of(target()))


def check_whole(found: Downloaded, arrived: int = len(CONTENT)) -> None:
    """The file is right, and so many bytes of it came this time."""
    assert found == Downloaded(target(), len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), arrived)
    assert target().read_bytes() == CONTENT
    assert parts_of(target()) == []


def test_a_file_arrives(hub_server: HubStandIn) -> None:
    """Under its name and in its repository's folder, with a note where it is from."""
    seen: list[tuple[int, int]] = []
    check_whole(fetch(hub_server, progress=lambda arrived, of: seen.append((arrived, of))))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, len(CONTENT)), (len(CONTENT), len(CONTENT)))
    origin = json.loads((target().parent / f".{FILE}.origin.json").read_text(encoding="utf-8"))
    assert (origin["repository"], origin["licence"], origin["size_bytes"]) == (REPOSITORY, "mit", len(CONTENT))
    assert sha256_beside(target()) == hashlib.sha256(CONTENT).hexdigest()


def test_the_token_stays_with_the_hub(hub_server: HubStandIn) -> None:
    """The place where files lie belongs to somebody else, and gets no token."""
    fetch(hub_server)
    hub, files = (hub_server.asked(server, "GET") for server in ("hub", "files"))
    assert {each.headers["authorization"] for each in hub} == {"Bearer hf_token_of_the_test"}
    assert [each.headers.get("authorization") for each in files] == [None]


def test_nothing_is_reported(hub_server: HubStandIn) -> None:
    """Only the listing, the address and the file are asked for, in a plain way; nothing says what else is installed."""
    fetch(hub_server)
    assert {each.path.split("?")[0].split("/")[1] for each in hub_server.requests} == {"api", "mradermacher", "signed"}
    assert [each.path.split("/")[2] for each in hub_server.requests if each.path.startswith("/api")] == ["models"]
    assert not any("torch" in each.headers["user-agent"] for each in hub_server.requests)
    assert not any("xet" in name for each in hub_server.requests for name in each.headers)


def test_a_cut_connection(hub_server: HubStandIn) -> None:
    """The rest is asked for, from where it broke; the user is told."""
    hub_server.cuts = [3 * MEBIBYTE, 2 * MEBIBYTE]
    told: list[str] = []
    check_whole(fetch(hub_server, tell=told.append))
    assert hub_server.ranges() == [None, f"bytes={3 * MEBIBYTE}-"]
    assert told == ["The connection broke; trying again in 0 s."]


def test_a_connection_that_stays_cut(hub_server: HubStandIn) -> None:
    """After some tries without a new byte it is given up; what has arrived is kept, and the next command goes on."""
    hub_server.cuts = [2 * MEBIBYTE, 0, 0]
    with pytest.raises(HubUnreachable, match=r"0\.00 GB are kept: the same command goes on from there"):
        fetch(hub_server)
    assert arrived_bytes() == 2 * MEBIBYTE
    assert len(hub_server.ranges()) == 1 + len(AT_ONCE)
    told: list[str] = []
    check_whole(fetch(hub_server, tell=told.append), arrived=len(CONTENT) - 2 * MEBIBYTE)
    assert told == ["0.00 GB are here already; checking them."]
    assert hub_server.ranges()[-1] == f"bytes={2 * MEBIBYTE}-"


def test_a_server_that_sends_all_or_nothing(hub_server: HubStandIn) -> None:
    """What has arrived is thrown away, not doubled."""
    hub_server.cuts = [3 * MEBIBYTE]
    hub_server.does_ranges = False
    check_whole(fetch(hub_server))


def test_all_or_nothing_that_always_breaks(hub_server: HubStandIn) -> None:
    """Arriving at the same place again is no progress."""
    hub_server.cuts = [3 * MEBIBYTE] * 20
    hub_server.does_ranges = False
    with pytest.raises(HubUnreachable):
        fetch(hub_server)
    assert len(hub_server.ranges()) == 1 + len(AT_ONCE)


def test_wrong_content(hub_server: HubStandIn) -> None:
    """A file with another hash never gets the name, and is not kept to spoil the next try."""
    hub_server.sent_instead = b"GGUF" + bytes(len(CONTENT) - 4)
    with pytest.raises(WrongContent, match=r"arrived damaged: its SHA-256 is [0-9a-f]{64}, the hub says [0-9a-f]{64}"):
        fetch(hub_server)
    assert not target().exists()
    assert arrived_bytes() == 0
    hub_server.sent_instead = None
    check_whole(fetch(hub_server))


@pytest.mark.parametrize("more", [-1, 1])
def test_a_wrong_size(hub_server: HubStandIn, more: int) -> None:
    """It is noticed before anything arrives."""
    hub_server.sent_instead = (CONTENT + b"x")[: len(CONTENT) + more]
    with pytest.raises(WrongContent, match=f"should have {len(CONTENT):,} bytes, but {len(CONTENT) + more:,} are sent"):
        fetch(hub_server)
    assert (target().exists(), arrived_bytes()) == (False, 0)


def test_a_wrong_size_that_nobody_says(hub_server: HubStandIn) -> None:
    """Without a length it is noticed at the first byte too many."""
    hub_server.sent_instead, hub_server.says_length = CONTENT + b"x", False
    with pytest.raises(WrongContent, match="More arrives for"):
        fetch(hub_server)
    assert (target().exists(), arrived_bytes()) == (False, 0)


def test_a_hub_that_names_no_hash(hub_server: HubStandIn) -> None:
    """The size is checked, and the hash of what arrived is written down."""
    hub_server.says_sha256 = False
    check_whole(fetch(hub_server))


def test_called_off(hub_server: HubStandIn) -> None:
    """What has arrived is kept, and the next download goes on."""
    enough = threading.Event()

    def look_on(arrived: int, _: int) -> None:
        if arrived:
            enough.set()

    with pytest.raises(Stopped, match=r"^Stopped\. 0\.00 GB are kept"):
        fetch(hub_server, progress=look_on, called_off=enough)
    kept = arrived_bytes()
    assert 0 < kept < len(CONTENT)
    check_whole(fetch(hub_server), arrived=len(CONTENT) - kept)


def test_a_part_of_another_version(hub_server: HubStandIn) -> None:
    """It is not continued with the new file's bytes, and goes when the new file is whole."""
    hub_server.cuts = [2 * MEBIBYTE, 0, 0]
    new, hub_server.files[REPOSITORY][FILE] = CONTENT, b"GGUF old" + CONTENT[8:]
    with pytest.raises(HubUnreachable):
        fetch(hub_server)
    hub_server.files[REPOSITORY][FILE] = new
    check_whole(fetch(hub_server))


def test_a_file_that_is_here(hub_server: HubStandIn) -> None:
    """It is not fetched again."""
    fetch(hub_server)
    check_whole(fetch(hub_server), arrived=0)
    assert len(hub_server.ranges()) == 1


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_no_room(hub_server: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before anything is fetched; half a gigabyte is left alone."""
    free = downloading.DISK_RESERVE_BYTES + len(CONTENT) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))
    with pytest.raises(DiskFull, match=r"needs 0\.0 GB more, and .* has 0\.5 GB free"):
        fetch(hub_server)
    assert hub_server.ranges() == []


def test_what_is_here_needs_no_room(hub_server: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part counts."""
    hub_server.cuts = [2 * MEBIBYTE, 0, 0]
    with pytest.raises(HubUnreachable):
        fetch(hub_server)
    free = downloading.DISK_RESERVE_BYTES + len(CONTENT) - 2 * MEBIBYTE
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))
    check_whole(fetch(hub_server), arrived=len(CONTENT) - 2 * MEBIBYTE)


class FullFile:
    """A file on a disk that becomes full."""

    def __init__(self, file: BinaryIO, room_bytes: int, error: OSError) -> None:
        self._file, self._room_bytes, self._error = file, room_bytes, error

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._room_bytes:
            raise self._error
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize(
    ("number", "kind", "sentence"),
    [
        (errno.ENOSPC, DiskFull, "The disk is full: 2,097,152 of"),
        (errno.EDQUOT, DiskFull, "The disk is full: 2,097,152 of"),
        (errno.EIO, StoreError, "cannot be written: broken"),
    ],
)
def test_a_disk_that_becomes_full(
    hub_server: HubStandIn, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[CompletionError], sentence: str
) -> None:
    """What was written is kept: with more room the download goes on."""
    real: Callable[[PartFile], BinaryIO] = PartFile._open

    def full(part: PartFile) -> FullFile:
        return FullFile(real(part), 2 * MEBIBYTE, OSError(number, "broken"))

    with monkeypatch.context() as patch:
        patch.setattr(PartFile, "_open", full)
        with pytest.raises(kind, match=sentence):
            fetch(hub_server)
    assert arrived_bytes() == 2 * MEBIBYTE
    check_whole(fetch(hub_server), arrived=len(CONTENT) - 2 * MEBIBYTE)


def test_a_folder_that_cannot_be_written(hub_server: HubStandIn, tmp_path: Path) -> None:
    """The sentence names it and what to set."""
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"models.* cannot be used"):
        fetch(hub_server)
