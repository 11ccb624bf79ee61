"""Checkpoints, written under another name first: a file under its own name is complete."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch

from models.shapes import Shape
from models.tiny.model import Bailing
from models.tiny.shards import Place

if TYPE_CHECKING:
    from models.tiny.train import Training
    from models.tiny.train_options import Options

BYTES_PER_PARAMETER = 24
"""Weight, gradient, two moments, and what is exchanged between processes, in F32."""
ACTIVATION_BYTES = 2_000
"""Of each token, layer and unit of width at a time, in all their forms: measured 1,300."""


class TrainingError(Exception):
    """The run cannot start or go on. The message says why."""


def save_checkpoint(path: Path, training: Training) -> None:
    """Writes all that the next step needs."""
    state = {
        "shape": asdict(training.options.shape),
        "model": training.model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in training.optimizers],
        "places": [asdict(shards.place) for shards in (training.shards, training.long) if shards],
        "step": training.step,
        "tokens": training.tokens,
        "spent_s": training.clock.spent_s,
        "seed": training.options.seed,
    }
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        torch.save(state, partial)
        partial.replace(path)
    except OSError as error:
        raise TrainingError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def load_checkpoint(path: Path, training: Training) -> None:
    """Goes on from a checkpoint, if there is one."""
    if not path.exists():
        return
    state = read_checkpoint(path)
    if {**state["shape"], "rope_theta": 0} != {**asdict(training.options.shape), "rope_theta": 0}:
        raise TrainingError(f"{path} is of another shape: name the same sizes, or begin anew with --fresh")
    training.model.load_state_dict(state["model"])
    for optimizer, saved in zip(training.optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    training.step, training.tokens, training.clock.spent_s = state["step"], state["tokens"], state["spent_s"]
    training.progress = training.clock.progress()
    readers = (training.shards, training.long_shards() if len(state["places"]) > 1 else None)
    for shards, place in zip(readers, state["places"], strict=False):
        if shards:
            shards.resume(Place(**place))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint as it was saved."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is no readable checkpoint: {error}") from error
    return state


def trained_model(state: dict[str, Any], compute: torch.dtype = torch.float32) -> Bailing:
    """The network of a checkpoint."""
    model = Bailing(Shape(**state["shape"]), compute=compute)
    model.load_state_dict(state["model"])
    model.eval()
    return model


def check_room(options: Options) -> None:
    """Raises `TrainingError` unless memory and disk will do: better now than after an hour."""
    options.work.mkdir(parents=True, exist_ok=True)
    shape = options.shape
    with torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in Bailing(shape).parameters())
    batch = options.rows * 512 * shape.layers * shape.embedding_length * ACTIVATION_BYTES // 10
    memory = options.workers * (parameters * BYTES_PER_PARAMETER + batch + 700_000_000)
    if memory > psutil.virtual_memory().available:
        raise TrainingError(f"training needs {memory / 1e9:.1f} GB of memory, more than is free: try fewer --rows")
    disk = parameters * 12 * 2 + 50_000_000
    if disk > shutil.disk_usage(options.work).free:
        raise TrainingError(f"checkpoints take {disk / 1e9:.1f} GB, and {options.work} has less free")
