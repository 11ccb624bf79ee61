"""`ling-coder-lsp models pull`: fetches a model after the user has seen its size and licence and said yes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from lsp_server.cli.models.progress_bar import ProgressBar
from lsp_server.cli.models.words import confirmed, gigabytes, memory_verdict
from lsp_server.errors import CompletionError
from lsp_server.model_store.download import Downloaded, Watch, check_room, download, sha256_beside
from lsp_server.model_store.fit import budget_bytes, entry_needs_bytes, memory_now
from lsp_server.model_store.hub import Hub, RemoteFile
from lsp_server.model_store.part_file import part_for
from lsp_server.model_store.part_names import parts_of
from lsp_server.model_store.wanted import Wanted, wanted_model


def run(arguments: argparse.Namespace) -> int:
    """Look it up, ask, fetch.

    Raises:
        CompletionError: it cannot be had, there is no room, or nobody can be asked.
    """
    wanted = wanted_model(arguments.name)
    if wanted.target.is_file():
        size_bytes = wanted.target.stat().st_size
        _report(wanted, Downloaded(wanted.target, size_bytes, sha256_beside(wanted.target), 0), arguments.json)
        return 0
    try:
        hub = Hub()
        remote = hub.look_up(wanted.repository, wanted.file, wanted.quantization)
        check_room(wanted.target, remote)
        _say(_description(wanted, remote))
        missing_bytes = remote.size_bytes - _arrived_bytes([part_for(wanted.target, remote)])
        if not confirmed(f"Download {gigabytes(missing_bytes)}?", arguments.yes):
            raise CompletionError("Nothing was downloaded.")
        _report(wanted, _fetch(hub, remote, wanted), arguments.json)
    except KeyboardInterrupt:
        _say(_stopped(wanted))
        return 130
    return 0


def _fetch(hub: Hub, remote: RemoteFile, wanted: Wanted) -> Downloaded:
    bar = ProgressBar(sys.stderr)
    try:
        return download(hub, remote, wanted.target, Watch(progress=bar.show, tell=bar.say))
    finally:
        bar.clear()


def _description(wanted: Wanted, remote: RemoteFile) -> str:
    lines = [
        f"{wanted.name}: {remote.label}",
        f"  size      {gigabytes(remote.size_bytes)} ({remote.size_bytes:,} bytes)",
        f"  licence   {remote.licence or (wanted.entry.licence if wanted.entry else 'the repository names none')}",
        f"  checked   {'by SHA-256 ' + remote.sha256 if remote.sha256 else 'by size only: the hub names no SHA-256'}",
        f"  goes to   {wanted.target}",
    ]
    if wanted.entry is not None:
        true_size = dataclasses.replace(wanted.entry, size_bytes=remote.size_bytes)
        verdict = memory_verdict(entry_needs_bytes(true_size), budget_bytes(memory_now()))
        lines.append(f"  memory    {verdict}")
    arrived = _arrived_bytes([part_for(wanted.target, remote)])
    if arrived:
        lines.append(f"  arrived   {gigabytes(arrived)} from an earlier try")
    return "\n".join(lines)


def _stopped(wanted: Wanted) -> str:
    arrived = _arrived_bytes(parts_of(wanted.target))
    if not arrived:
        return "Stopped. Nothing was downloaded."
    return f"Stopped. {gigabytes(arrived)} are kept: `ling-coder-lsp models pull {wanted.name}` goes on from there."


def _arrived_bytes(parts: list[Path]) -> int:
    return max((part.stat().st_size for part in parts if part.is_file()), default=0)


def _report(wanted: Wanted, found: Downloaded, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"name": wanted.name, **dataclasses.asdict(found), "path": str(found.path)}))
    elif found.arrived_bytes:
        print(f"{wanted.name} is here: {found.path}")
        _say(f"`ling-coder-lsp models use {wanted.name}` lets the server use it.")
    else:
        print(f"{wanted.name} was here already: {found.path}")


def _say(text: str) -> None:
    """Everything but the answer goes to stderr."""
    print(text, file=sys.stderr, flush=True)
