"""Texts around a model file: what its metadata says, and why llama.cpp did not load it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

MIN_CONFIDENCE_KEY = "lingcoder.min_confidence_percent"
"""Metadata of a GGUF: below which confidence its automatic suggestions are better not shown."""


def percent(text: str) -> int:
    """A number from 0 to 100; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and int(text) <= 100 else 0


def load_error(path: Path, log: Iterable[str]) -> str:
    """Why llama.cpp did not load the file, from its own last words."""
    said = "; ".join(log) or "it gave no reason"
    lowered = said.lower()
    if "unknown model architecture" in lowered:
        reason = f"{path} is a kind of model that this version of llama.cpp does not know. Choose another file."
    elif "not within the file bounds" in lowered or "failed to read" in lowered:
        reason = f"{path} is incomplete: download it again."
    elif "allocate" in lowered or "memory" in lowered:
        reason = f"There is not enough memory for {path}: choose a smaller quantization."
    else:
        reason = f"{path} could not be loaded: choose another file."
    return f"{reason} llama.cpp says: {said[-300:].rstrip('.')}."
