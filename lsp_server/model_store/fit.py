"""Which models fit into this machine's memory.

Weights and the cache of keys and values have to be in memory together, and an editor, its language servers and a
browser want to go on working beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.model_store.catalog import CatalogEntry

RESERVE_BYTES = 3_000_000_000
"""Of the memory that is available now; llama.cpp's own buffers (0.3 GB at the true shape) are in it."""
MOST_OF_ALL_PERCENT = 60
"""Of the machine's memory, also where most of it happens to be free: it will not stay so."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the whole machine, in bytes."""

    total_bytes: int
    available_bytes: int
    """What can be had without swapping, as the operating system sees it."""


def memory_now() -> Memory:
    """This machine's memory."""
    found = psutil.virtual_memory()
    return Memory(total_bytes=found.total, available_bytes=found.available)


def budget_bytes(memory: Memory, device_budget_bytes: int | None = None) -> int:
    """How much a model may take.

    Args:
        memory: Of the machine.
        device_budget_bytes: What a GPU says that it can take (Metal: `recommendedMaxWorkingSetSize`); it counts
            instead where it is known. Only a loaded llama.cpp can ask for it.
    """
    if device_budget_bytes is not None:
        return device_budget_bytes
    of_all = memory.total_bytes * MOST_OF_ALL_PERCENT // 100
    return max(0, min(memory.available_bytes - RESERVE_BYTES, of_all))


def needed_bytes(size_bytes: int, kv_bytes_per_token: int, cells: int | None = None) -> int:
    """Weights, and keys and values for all cells (the engine's default where none are given)."""
    return size_bytes + kv_bytes_per_token * (EngineSettings().cells if cells is None else cells)


def entry_needs_bytes(entry: CatalogEntry) -> int:
    """The memory that a model of the catalog needs at the engine's defaults."""
    return needed_bytes(entry.size_bytes, entry.kv_bytes_per_token)


def recommended(entries: Iterable[CatalogEntry], budget: int) -> CatalogEntry | None:
    """The first of the recommended rows that fits; the catalog has the better ones first."""
    fitting = (entry for entry in entries if entry.recommended and entry_needs_bytes(entry) <= budget)
    return next(fitting, None)
