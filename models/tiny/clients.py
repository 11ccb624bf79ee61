"""The package clients: each fetches one named package into a folder. Nothing is built, installed or looked up."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable
from pathlib import Path

from models.tiny.data import ENDINGS, RecipeError

Fetch = Callable[[str, Path], list[Path]]
"""Fetches the package of this name into this empty folder and returns its archives."""

SECONDS_PER_PACKAGE = 180
_DEBIAN_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")


def python_wheel(name: str, folder: Path) -> list[Path]:
    """A wheel: no build step runs, and the modules lie in it as written."""
    _client(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", name], cwd=folder
    )
    return sorted(folder.glob("*.whl"))


def npm_tarball(name: str, folder: Path) -> list[Path]:
    """The package as published; its scripts do not run."""
    _client(["npm", "pack", "--silent", "--ignore-scripts", name], cwd=folder)
    return sorted(folder.glob("*.tgz"))


def debian_package(name: str, folder: Path) -> list[Path]:
    """Debian's packages of Go and Rust code hold sources."""
    _client(["apt-get", "-qq", "download", name], cwd=folder)
    return sorted(folder.glob("*.deb"))


def debian_source(name: str, folder: Path) -> list[Path]:
    """The upstream archive and Debian's description of it."""
    _client(["apt-get", *_source_index(folder.parent), "-qq", "source", "--download-only", name], cwd=folder)
    return sorted([*folder.glob("*.orig.tar.*[!c]"), *folder.glob("*.debian.tar.*")])


def standard_library(name: str, folder: Path) -> list[Path]:
    """The modules of the running Python, as one archive with the same bytes each time."""
    root = Path(sysconfig.get_paths()["stdlib"])
    archive = folder / f"python-{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}.tar"
    with tarfile.open(archive, "w") as tar:
        for file in sorted(root.rglob("*.py")):
            part = file.relative_to(root)
            if not {"site-packages", "dist-packages"} & set(part.parts):
                tar.add(file, part.as_posix(), filter=_without_owner)
        licence = next((path for path in (root / "LICENSE.txt", root / "LICENSE") if path.exists()), None)
        if licence:
            tar.add(licence, "LICENSE.txt", filter=_without_owner)
    return [archive]


CLIENTS: dict[str, Fetch] = {
    "python": python_wheel,
    "python-itself": standard_library,
    "npm": npm_tarball,
    "debian": debian_package,
    "debian-source": debian_source,
}


def sha256_of(archives: list[Path]) -> str:
    """One checksum over all archives of a package, in order."""
    digest = hashlib.sha256()
    for archive in archives:
        with archive.open("rb") as file:
            shutil.copyfileobj(file, _Writer(digest))
    return digest.hexdigest()


def wanted(path: str) -> bool:
    """Whether the file may hold code that we learn from."""
    return path.rpartition(".")[2].lower() in ENDINGS


class _Writer:
    def __init__(self, digest: hashlib._Hash) -> None:
        self.write = digest.update


def _client(command: list[str], cwd: Path) -> None:
    if shutil.which(command[0]) is None:
        raise RecipeError(f"{command[0]} is not installed")
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS_PER_PACKAGE)
    except subprocess.TimeoutExpired as error:
        raise RecipeError(f"{command[0]} took longer than {SECONDS_PER_PACKAGE} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise RecipeError(f"{command[0]}: {lines[-1].strip()}")


def _source_index(folder: Path) -> list[str]:
    """Options that make apt look at the sources in the system's own archives; the system's settings stay."""
    settings = folder / "apt"
    options = [
        *("-o", "Dir::Etc::SourceList=/dev/null"),
        *("-o", f"Dir::Etc::SourceParts={settings / 'parts'}"),
        *("-o", f"Dir::State::Lists={settings / 'lists'}"),
    ]
    if not (settings / "lists").exists():
        if not _DEBIAN_SOURCES.exists():
            raise RecipeError(f"{_DEBIAN_SOURCES} is missing: source packages come from a Debian system's archives")
        (settings / "parts").mkdir(parents=True, exist_ok=True)
        described = _DEBIAN_SOURCES.read_text(encoding="utf-8").replace("Types: deb\n", "Types: deb-src\n")
        (settings / "parts" / "sources.sources").write_text(described, encoding="utf-8")
        (settings / "lists" / "partial").mkdir(parents=True)
        _client(["apt-get", *options, "-qq", "update"], cwd=folder)
    return options


def _without_owner(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info
