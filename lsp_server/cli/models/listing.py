"""`ling-coder-lsp models list`: what is known, what is here, what is in use and what fits this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

from lsp_server.cli.models.words import gigabytes
from lsp_server.model_store.catalog import CatalogEntry
from lsp_server.model_store.choice import read_choice
from lsp_server.model_store.fit import Memory, budget_bytes, entry_needs_bytes, memory_now, recommended
from lsp_server.model_store.folders import models_folder
from lsp_server.model_store.shelf import Model, State, all_models

_STATES = {
    State.BUNDLED: "part of the package",
    State.DOWNLOADED: "here",
    State.IMPORTED: "imported",
    State.FOUND: "in the folder",
    State.PART: "stopped",
    State.ABSENT: "",
    State.GONE: "file is gone",
}
_HEAD = (" ", "NAME", "SIZE", "MEMORY", "FITS", "FILLS IN", "CHATS", "LICENCE", "")


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything that the list shows."""

    models: list[Model]
    in_use: str
    """A name or a path."""
    memory: Memory
    budget_bytes: int
    recommended: CatalogEntry | None


def run(arguments: argparse.Namespace) -> int:
    """Print the list.

    Raises:
        CompletionError: the catalog or a file of the user's cannot be read.
    """
    found = take_stock(memory_now())
    print(json.dumps(as_json(found)) if arguments.json else as_text(found))
    return 0


def take_stock(memory: Memory) -> Listing:
    """Look at the catalog, the folder and the machine.

    Raises:
        CompletionError: the catalog or a file of the user's cannot be read.
    """
    models = all_models()
    budget = budget_bytes(memory)
    entries = [model.entry for model in models if model.entry is not None]
    return Listing(models, read_choice() or "demo", memory, budget, recommended(entries, budget))


def is_in_use(model: Model, in_use: str) -> bool:
    """Whether the server takes this one where `lingCoder.model` is empty."""
    return model.name.casefold() == in_use.casefold() or str(model.path) == in_use


def as_json(found: Listing) -> dict[str, Any]:
    """The object that `--json` prints; sizes in bytes."""
    return {
        "models": [_model_as_json(model, found) for model in found.models],
        "in_use": found.in_use,
        "recommended": found.recommended.name if found.recommended else None,
        "folder": str(models_folder()),
        "memory": {
            "total_bytes": found.memory.total_bytes,
            "available_bytes": found.memory.available_bytes,
            "budget_bytes": found.budget_bytes,
        },
    }


def _model_as_json(model: Model, found: Listing) -> dict[str, Any]:
    entry = model.entry
    memory_bytes = entry_needs_bytes(entry) if entry else None
    return {
        "name": model.name,
        "state": model.state.value,
        "in_use": is_in_use(model, found.in_use),
        "path": str(model.path) if model.state.is_here else None,
        "size_bytes": model.size_bytes,
        "size_is_estimate": model.size_is_estimate,
        "part_bytes": model.part_bytes,
        "memory_bytes": memory_bytes,
        "fits": None if memory_bytes is None else memory_bytes <= found.budget_bytes,
        "title": entry.title if entry else None,
        "parameters": entry.parameters if entry else None,
        "quantization": entry.quantization if entry else None,
        "licence": entry.licence if entry else None,
        "chat": entry.chat if entry else None,
        "fim_template": entry.fim_template if entry else None,
        "repository": entry.repository if entry else None,
        "file": entry.file if entry else None,
        "source": entry.source if entry else None,
    }


def as_text(found: Listing) -> str:
    """A table and what to do next."""
    rows = [_HEAD, *(_row(model, found) for model in found.models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *_remarks(found)])


def _row(model: Model, found: Listing) -> tuple[str, ...]:
    entry = model.entry
    mark = "*" if is_in_use(model, found.in_use) else " "
    size = gigabytes(model.size_bytes, model.size_is_estimate) if model.size_bytes else ""
    state = _STATES[model.state]
    if model.state is State.PART:
        state = f"{gigabytes(model.part_bytes)} of it are here"
    if entry is None:
        return mark, model.name, size, "", "", "", "", "", state
    needed = entry_needs_bytes(entry)
    return (
        mark,
        model.name,
        size,
        gigabytes(needed, model.size_is_estimate),
        "yes" if needed <= found.budget_bytes else "no",
        "not known" if entry.fim_template == "probe" else "yes",
        "yes" if entry.chat else "no",
        entry.licence,
        state,
    )


def _remarks(found: Listing) -> list[str]:
    listed = any(is_in_use(model, found.in_use) for model in found.models)
    remarks = [
        "* is in use where `lingCoder.model` is empty. ~ is an estimate: the hub says the size before it is fetched.",
        f"Memory: {gigabytes(found.memory.total_bytes)}, {gigabytes(found.memory.available_bytes)} of it available; "
        f"a model may take {gigabytes(found.budget_bytes)} here.",
        f"Folder: {models_folder()}",
    ]
    if not listed:
        remarks.insert(0, f"In use: {found.in_use}")
    best = found.recommended
    if best is not None and not any(model.entry is best and model.state.is_here for model in found.models):
        remarks.append(f"Recommended here: `ling-coder-lsp models pull {best.name}`.")
    return remarks
