"""Where models are, and where it is written down which one to use."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

MODELS_VARIABLE = "LING_CODER_MODELS_DIR"


def models_folder() -> Path:
    """Where downloads go: `LING_CODER_MODELS_DIR`, or the platform's folder for a user's data."""
    override = os.environ.get(MODELS_VARIABLE)
    if override:
        return Path(override).expanduser().absolute()
    return platformdirs.user_data_path("ling-coder-lsp", appauthor=False) / "models"


def file_of(repository: str, file: str) -> Path:
    """Where a file of the hub is, or would be; the folders show where it is from."""
    return models_folder().joinpath(*repository.split("/"), *file.split("/"))


def imported_list() -> Path:
    """Names of model files that stay where they are."""
    return models_folder() / "imported.json"


def choice_file() -> Path:
    """What `models use` chose; beside `engine.toml`."""
    from lsp_server.engine.engine_settings import configuration_folder  # brings psutil

    return configuration_folder() / "model.toml"
