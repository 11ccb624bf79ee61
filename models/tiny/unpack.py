"""Reads an archive's members, and the name, version and licence that the package states about itself."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from models.tiny.data import RecipeError
from models.tiny.licences import debian_licence, debian_stanzas, permitted, recognise

LARGEST_FILE_BYTES = 300_000
_LICENCE_FILE = re.compile(r"(^|/)(licen[cs]e|copying|copyright)[^/]*$", re.IGNORECASE)
_DESCRIPTION = re.compile(
    r"^([^/]+\.dist-info/METADATA|package\.json|debian/copyright|usr/share/doc/[^/]+/copyright"
    r"|usr/share/cargo/registry/[^/]+/Cargo\.toml)$"
)

_ROOTS = (
    re.compile(r"^usr/share/cargo/registry/[^/]+/"),
    re.compile(r"^usr/share/gocode/src/(github\.com|golang\.org)/[^/]+/[^/]+/"),
    re.compile(r"^usr/share/gocode/src/golang\.org/x/[^/]+/"),
    re.compile(r"^usr/share/gocode/src/[^/]+/[^/]+/"),
    re.compile(r"^usr/share/go-[0-9.]+/"),
    re.compile(r"^usr/src/rustc-[^/]+/"),
)


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Paths and bytes of the regular files that are not too large, links left out."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for entry in wheel.infolist():
                if not entry.is_dir() and entry.file_size <= LARGEST_FILE_BYTES:
                    yield entry.filename, wheel.read(entry)
    elif archive.suffix == ".deb":
        yield from _of_debian_package(archive)
    else:
        with tarfile.open(archive) as tar:
            yield from _of_tar(tar)


def inner_path(ecosystem: str, path: str) -> str:
    """The path inside the project, as somebody who works on it would see it."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or path.startswith("/"):
        return ""
    if ecosystem in ("npm", "debian-source"):
        return "/".join(parts[1:])
    if ecosystem == "debian":
        plain = "/".join(part for part in parts if part != ".")
        return next((plain[found.end() :] for root in _ROOTS if (found := root.match(plain))), "")
    return "/".join(parts)


class Statement:
    """What a package says about itself, gathered while its members pass by."""

    def __init__(self) -> None:
        self._described: dict[str, str] = {}
        self._texts: list[str] = []

    def see(self, path: str, content: bytes) -> None:
        """Keeps the package's own descriptions, not those of packages inside it, and licence files near the root."""
        name, depth = path.rpartition("/")[2], path.count("/")
        if _DESCRIPTION.search(path):
            self._described.setdefault(name, content.decode("utf-8", "replace"))
        elif _LICENCE_FILE.search(path) and depth <= 3:
            self._texts.append(content.decode("utf-8", "replace"))

    def licence(self) -> tuple[str | None, str]:
        """The permitted licence or `None`, and what the package said."""
        said = [statement for statement in self._statements() if statement]
        for statement in said:
            if passed := permitted(statement):
                return passed, statement
            if len(statement) < 100:  # a name that does not pass, not a text that we do not know by name
                return None, statement
        recognised = {recognise(text) for text in self._texts}
        if len(recognised) == 1 and (only := next(iter(recognised))):
            return only, f"{only}, by the words of the licence file"
        return None, "; ".join(text[:60] for text in said) or "nothing that we know"

    def licence_of(self, path: str) -> str:
        """Debian's note on one file, empty where there is none."""
        return debian_licence(debian_stanzas(self._described.get("copyright", "")), path)

    def _statements(self) -> Iterator[str]:
        if "METADATA" in self._described:
            yield from _of_wheel(self._described["METADATA"])
        if "package.json" in self._described:
            licence = json.loads(self._described["package.json"]).get("license")
            yield str(licence.get("type", "") if isinstance(licence, dict) else licence or "")
        if "Cargo.toml" in self._described:
            found = re.search(r'(?m)^license\s*=\s*"([^"]+)"', self._described["Cargo.toml"])
            yield found[1] if found else ""
        if "copyright" in self._described:
            text = self._described["copyright"]
            stanzas = debian_stanzas(text)
            whole = next((licence for files, licence in stanzas if "*" in files), stanzas[0][1] if stanzas else "")
            yield whole or recognise(text) or ""


def _of_wheel(metadata: str) -> Iterator[str]:
    headers = HeaderParser().parsestr(metadata)
    yield str(headers.get("License-Expression", ""))
    classifiers = [str(line) for line in headers.get_all("Classifier", []) if str(line).startswith("License ::")]
    stated = str(headers.get("License", ""))
    if permitted(stated):
        yield stated
    names = [line.removeprefix("License :: ") for line in classifiers]
    yield " OR ".join(names)
    yield stated


def _of_debian_package(archive: Path) -> Iterator[tuple[str, bytes]]:
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            yield from _of_tar(tar)
        process.stdout.read()
    if process.returncode:
        raise RecipeError(f"dpkg-deb cannot read {archive.name}")


def _of_tar(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for entry in tar:
        if entry.isfile() and entry.size <= LARGEST_FILE_BYTES and (file := tar.extractfile(entry)):
            yield entry.name.removeprefix("./"), file.read()
