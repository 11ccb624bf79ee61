"""Fetches the named packages: `python -m models.tiny.gather`.

Reads `packages.toml`, fetches each package through its own client, reads the licence in the package's own metadata
and keeps the code under `sources/ECOSYSTEM/PACKAGE/`. `manifest.json` says what was taken and `refused.json` what was
not, and why. What the manifest already lists is not fetched again.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.tiny.clients import CLIENTS, sha256_of, wanted
from models.tiny.data import RecipeError, begin, folder_name, read_json, say, step_parser, write_json
from models.tiny.licences import permitted
from models.tiny.names import refused_package, refused_path
from models.tiny.unpack import Statement, inner_path, members

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGES_FILE = Path(__file__).parent / "packages.toml"
MOST_PACKAGES = 140

Entry = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = step_parser("gather", "Fetches the packages that the demo model learns from.")
    parser.add_argument("--packages", type=Path, default=PACKAGES_FILE, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        begin(options.work)
        refused = gather(options.work, read_packages(options.packages))
    except RecipeError as error:
        say(f"error: {error}")
        return 1
    say(f"{len(read_json(options.work / 'manifest.json', []))} packages taken, {len(refused)} refused or missing")
    return 0


def read_packages(path: Path) -> list[tuple[str, str, str]]:
    """Ecosystem, name and expected licence of each package in the list."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(tables) - set(CLIENTS)
    if unknown:
        raise RecipeError(f"{path.name}: no client for {', '.join(sorted(unknown))}")
    packages = [(system, name, licence) for system, table in tables.items() for name, licence in table.items()]
    if len(packages) > MOST_PACKAGES:
        raise RecipeError(f"{path.name} names {len(packages)} packages, more than {MOST_PACKAGES}")
    return packages


def gather(work: Path, packages: list[tuple[str, str, str]]) -> dict[str, str]:
    """Fetches what is missing; returns the reason for each package that was not taken."""
    manifest: list[Entry] = read_json(work / "manifest.json", [])
    taken = {(entry["ecosystem"], entry["name"]) for entry in manifest}
    refused: dict[str, str] = {}
    for ecosystem, name, expected in packages:
        if (ecosystem, name) in taken:
            continue
        try:
            entry = take(work, ecosystem, name, expected)
        except (RecipeError, OSError, ValueError) as error:
            refused[f"{ecosystem}/{name}"] = str(error)
            say(f"refused {ecosystem}/{name}: {error}")
            continue
        manifest.append(entry)
        write_json(work / "manifest.json", manifest)
        say(f"took {ecosystem}/{name} {entry['version']} ({entry['licence']}, {entry['kept_bytes'] / 1e6:.1f} MB)")
    write_json(work / "refused.json", refused)
    return refused


def take(work: Path, ecosystem: str, name: str, expected: str) -> Entry:
    """Fetches one package, checks its licence and unpacks its code."""
    if refused_package(name):
        raise RecipeError("a project or collection that the demo model must not have seen")
    if not permitted(expected):
        raise RecipeError(f"the expected licence {expected} is not among the permitted ones")
    folder = work / "archives" / ecosystem / folder_name(name)
    archives = _fetched(ecosystem, name, folder)
    statement = Statement()
    for archive in archives:
        for path, content in members(archive):
            statement.see(_described_path(ecosystem, path), content)
    licence, said = _licence(ecosystem, statement)
    if licence is None:
        raise RecipeError(f"its licence is {said!r}")
    if not _names(licence) & _names(expected):
        raise RecipeError(f"its licence is {licence}, expected was {expected}")
    target = work / "sources" / ecosystem / folder.name
    kept, dropped = unpack(archives, ecosystem, statement, target)
    return {
        "ecosystem": ecosystem, "name": name, "version": _version(archives[0].name), "sha256": sha256_of(archives),
        "licence": licence, "licence_as_stated": said, "licence_expected": expected,
        "archives": [archive.name for archive in archives],
        "bytes": sum(archive.stat().st_size for archive in archives), "kept_bytes": kept, "dropped_files": dropped,
    }  # fmt: skip


def unpack(archives: list[Path], ecosystem: str, statement: Statement, target: Path) -> tuple[int, dict[str, int]]:
    """Writes the code of a package; returns the bytes kept and how many files were dropped for which reason."""
    shutil.rmtree(target, ignore_errors=True)
    kept, dropped = 0, {"refused name": 0, "licence": 0}
    for archive in archives:
        for path, content in members(archive):
            inner = inner_path(ecosystem, path)
            if not inner or not wanted(inner):
                continue
            if reason := _objection(inner, statement):
                dropped[reason] += 1
                continue
            file = target / inner
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            kept += len(content)
    return kept, dropped


def _objection(path: str, statement: Statement) -> str:
    if refused_path(path):
        return "refused name"
    licence = statement.licence_of(path)
    return "licence" if licence and not permitted(licence) else ""


def _fetched(ecosystem: str, name: str, folder: Path) -> list[Path]:
    done = folder / "complete"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        archives = CLIENTS[ecosystem](name, folder)
        if not archives:
            raise RecipeError("the client left no archive")
        done.write_text("\n".join(archive.name for archive in archives), encoding="utf-8")
    return [folder / line for line in done.read_text(encoding="utf-8").splitlines()]


def _licence(ecosystem: str, statement: Statement) -> tuple[str | None, str]:
    if ecosystem == "python-itself":
        return "PSF-2.0", "PSF-2.0, the licence of Python itself"
    return statement.licence()


def _names(licence: str) -> set[str]:
    return set(re.split(r" (?:AND|OR) ", licence))


def _described_path(ecosystem: str, path: str) -> str:
    """Where the package's own description lies, without the folder that holds everything in some archives."""
    return inner_path(ecosystem, path) if ecosystem == "npm" else path


def _version(archive: str) -> str:
    found = re.search(r"[-_]v?(?:\d+%3a)?(\d[^-_]*)", archive)  # Debian's epoch is no part of the version
    return re.sub(r"(\.orig)?(\.tar)?\.(whl|tgz|tar|gz|xz|bz2|deb)$", "", found[1]) if found else "unknown"


if __name__ == "__main__":
    sys.exit(main())
