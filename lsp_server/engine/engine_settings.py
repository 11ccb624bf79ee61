"""Settings of the engine: per machine, not per workspace, because all windows share one engine.

They are read by the host from `engine.toml` in the user's configuration folder. A wrong value is an error in one
sentence; it stops the engine and not the language server.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

from lsp_server.errors import EngineError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MOST = {"threads": 512, "cells": 2**20, "lane_tokens": 2**20, "lanes": 256, "micro_batch_tokens": 4096}
"""What llama.cpp can do at all; it takes more without a word and then dies or eats all memory."""
_GPU_BATCH_TOKENS = 512
"""llama.cpp's own default of a micro-batch."""
_SMALL_MODEL_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How llama.cpp is set up. The figures behind the defaults are in ARCHITECTURE.md."""

    threads: int = 0
    """0: physical cores but one where there are more than two; one thread for models under 256 MiB."""
    gpu_layers: int = -1
    """Layers on the GPU where llama.cpp was built for one; -1 is all of them."""
    cells: int = 12288
    """Tokens that all lanes hold together."""
    lane_tokens: int = 4096
    """Most tokens of one lane, the answer included."""
    lanes: int = 8
    """Documents and chats whose tokens are kept at a time."""
    micro_batch_tokens: int = 64
    """Tokens per call of llama.cpp during prefill; on a GPU the first call's, later as many as take 50 ms."""
    repack_weights: bool = False
    """llama.cpp's own default is true: a few percent faster, minutes of loading, half as much memory again."""
    linger_seconds: float = 600.0
    """How long the engine stays after its last client has gone."""


def configuration_folder() -> Path:
    """Where `engine.toml` is: `LING_CODER_CONFIG_DIR`, or the platform's usual place."""
    override = os.environ.get("LING_CODER_CONFIG_DIR")
    return Path(override) if override else platformdirs.user_config_path("ling-coder-lsp", appauthor=False)


def read_engine_settings(folder: Path | None = None) -> EngineSettings:
    """The machine's settings; defaults where there is no file.

    Raises:
        EngineError: the file cannot be read, or holds something that is no such setting.
    """
    path = (folder or configuration_folder()) / "engine.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return EngineSettings()
    except (OSError, ValueError) as error:
        raise EngineError(f"{path} cannot be read: {error}. Correct or remove it.") from error
    for name, value in found.items():
        _check(path, name, value)
    settings = EngineSettings(**found)
    if settings.lanes > settings.micro_batch_tokens:
        raise EngineError(
            f"{path}: `micro_batch_tokens` ({settings.micro_batch_tokens}) must be at least `lanes` ({settings.lanes})."
        )
    return settings


def _check(path: Path, name: str, value: object) -> None:
    defaults = dataclasses.asdict(EngineSettings())
    if name not in defaults:
        raise EngineError(f"{path}: `{name}` is unknown; known: {', '.join(defaults)}.")
    kinds = (int, float) if isinstance(defaults[name], float) else type(defaults[name])
    is_bool = isinstance(value, bool)
    if not isinstance(value, kinds) or is_bool != isinstance(defaults[name], bool):
        raise EngineError(f"{path}: `{name}` must be {_kind(defaults[name])}, got {value!r}.")
    least = {"gpu_layers": -1, "threads": 0, "linger_seconds": 0}.get(name, 1)
    if not is_bool and isinstance(value, (int, float)) and not value >= least:  # NaN is neither
        raise EngineError(f"{path}: `{name}` must be at least {least}, got {value!r}.")
    most = _MOST.get(name)
    if most is not None and isinstance(value, int) and value > most:
        raise EngineError(f"{path}: `{name}` must be at most {most}, got {value!r}.")


def _kind(default: object) -> str:
    return {bool: "true or false", int: "a whole number"}.get(type(default), "a number")


def batch_limit(settings: EngineSettings, *, can_abort: bool) -> int:
    """Most tokens of one call: a call that cannot be aborted is sized by the time it takes, up to a usual batch."""
    return settings.micro_batch_tokens if can_abort else max(settings.micro_batch_tokens, _GPU_BATCH_TOKENS)


def physical_cores() -> int:
    """Cores that this process may use, hyper-threads not counted."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    return max(1, min(cores, allowed))


def threads_for(settings: EngineSettings, physical_cores: int, model_bytes: int) -> int:
    """How many threads llama.cpp gets: its threads spin, so one too many is far worse than one too few."""
    if settings.threads:
        return settings.threads
    if model_bytes < _SMALL_MODEL_BYTES:
        return 1
    return max(1, physical_cores - 1 if physical_cores > 2 else physical_cores)
