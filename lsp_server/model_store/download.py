"""Fetches one file: one process at a time, from where the last one stopped, checked before it gets its name.

A file under its final name is complete and has the hub's SHA-256.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lsp_server.model_store.errors import DiskFull, HubUnreachable, Stopped
from lsp_server.model_store.hub import Hub, RemoteFile
from lsp_server.model_store.locks import locked
from lsp_server.model_store.part_file import PartFile, part_for
from lsp_server.model_store.small_files import write_whole

DISK_RESERVE_BYTES = 500_000_000
"""Stays free: a disk that is full to the last byte breaks everything else."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on, and may have enough."""

    progress: Callable[[int, int], None] = lambda arrived_bytes, of_bytes: None
    tell: Callable[[str], None] = lambda sentence: None
    """Is told in a sentence what is waited for."""
    called_off: threading.Event = field(default_factory=threading.Event)
    """Ends the download when it is set; what has arrived is kept."""
    pauses_s: tuple[float, ...] = (1, 2, 4, 8, 15)
    """Before each new try after a break without new bytes; then it is given up."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is here."""

    path: Path
    size_bytes: int
    sha256: str
    """Empty where the file was here before and nothing is written beside it."""
    arrived_bytes: int
    """What was fetched this time; 0 where the file was here."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file is from; stands beside it as `.NAME.origin.json`."""

    repository: str
    name: str
    commit: str
    sha256: str
    size_bytes: int
    licence: str


def download(hub: Hub, remote: RemoteFile, target: Path, watch: Watch | None = None) -> Downloaded:
    """Fetch a file, or finish fetching it. May run in any thread; two at once for the same file wait for each other.

    Raises:
        DownloadError: it could not be fetched; the message says what is kept.
        Stopped: it was called off.
        StoreError: it could not be written, or there is no room.
    """
    watch = watch or Watch()
    with locked(target, watch.called_off, lambda: watch.tell("Another process downloads this file; waiting for it.")):
        if target.is_file() and target.stat().st_size == remote.size_bytes:
            return Downloaded(target, remote.size_bytes, sha256_beside(target), arrived_bytes=0)
        check_room(target, remote)
        with PartFile(target, remote) as part:
            return _fetched(hub, remote, part, watch)


def check_room(target: Path, remote: RemoteFile) -> None:
    """Whether what is missing of a file fits onto the disk.

    Raises:
        DiskFull: it does not.
    """
    there = part_for(target, remote)
    missing = remote.size_bytes - (there.stat().st_size if there.is_file() else 0)
    folder = next(parent for parent in target.parents if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if free < missing + DISK_RESERVE_BYTES:
        raise DiskFull(
            f"{remote.label} needs {missing / 1e9:.1f} GB more, and {folder} has {free / 1e9:.1f} GB free, "
            f"of which {DISK_RESERVE_BYTES / 1e9:.1f} GB are left alone. "
            "Make room, or set LING_CODER_MODELS_DIR to another disk."
        )


def sha256_beside(target: Path) -> str:
    """The hash that a file had when it arrived; empty where that is not written down."""
    try:
        found = json.loads(_origin_of(target).read_text(encoding="utf-8"))
        return str(found["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def files_beside(target: Path) -> list[Path]:
    """What belongs to a file and goes with it."""
    return [_origin_of(target)]


def _origin_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.origin.json")


def _fetched(hub: Hub, remote: RemoteFile, part: PartFile, watch: Watch) -> Downloaded:
    if part.path.stat().st_size > 0:
        watch.tell(f"{part.path.stat().st_size / 1e9:.2f} GB are here already; checking them.")
    part.take_up(watch.called_off)
    before = part.length_bytes
    watch.progress(part.length_bytes, remote.size_bytes)
    _fetch(hub, remote, part, watch)
    sha256 = part.finish()
    origin = Origin(remote.repository, remote.name, remote.commit, sha256, remote.size_bytes, remote.licence)
    write_whole(_origin_of(part.target), json.dumps(asdict(origin), indent=1) + "\n")
    return Downloaded(part.target, remote.size_bytes, sha256, remote.size_bytes - before)


def _fetch(hub: Hub, remote: RemoteFile, part: PartFile, watch: Watch) -> None:
    furthest, tries = part.length_bytes, 0
    while trouble := _append_or_trouble(hub, remote, part, watch):
        tries = 0 if part.length_bytes > furthest else tries
        furthest = max(furthest, part.length_bytes)
        # The special kinds are no passing trouble: a refusal, a certificate.
        if type(trouble) is not HubUnreachable or tries == len(watch.pauses_s):
            raise type(trouble)(f"{trouble} {_kept(part)}") from trouble
        _pause(watch, part, watch.pauses_s[tries])
        tries += 1


def _append_or_trouble(hub: Hub, remote: RemoteFile, part: PartFile, watch: Watch) -> HubUnreachable | None:
    try:
        _append(hub, remote, part, watch)
    except HubUnreachable as error:
        return error
    return None


def _append(hub: Hub, remote: RemoteFile, part: PartFile, watch: Watch) -> None:
    if part.length_bytes == remote.size_bytes:
        return
    with hub.arriving(remote, part.length_bytes) as arriving:
        if arriving.offset_bytes != part.length_bytes:
            part.start_over()
        if arriving.offset_bytes != part.length_bytes:
            raise HubUnreachable(f"The server sends {remote.label} from another place than it was asked for.")
        for chunk in arriving.chunks:
            part.add(chunk)
            watch.progress(part.length_bytes, remote.size_bytes)
            if watch.called_off.is_set():
                raise Stopped(f"Stopped. {_kept(part)}")
    if part.length_bytes < remote.size_bytes:
        raise HubUnreachable(f"The connection ended before {remote.label} did.")


def _pause(watch: Watch, part: PartFile, pause_s: float) -> None:
    watch.tell(f"The connection broke; trying again in {pause_s:g} s.")
    if watch.called_off.wait(pause_s):
        raise Stopped(f"Stopped. {_kept(part)}")


def _kept(part: PartFile) -> str:
    if not part.length_bytes:
        return "Nothing has arrived yet."
    return f"{part.length_bytes / 1e9:.2f} GB are kept: the same command goes on from there."
