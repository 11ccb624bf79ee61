"""Tiny models with random weights, and a folder of its own for the hosts of each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.engine.real_hosts import Hosts


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the models of this run are written."""
    return tmp_path_factory.mktemp("gguf")


@pytest.fixture(scope="session")
def tiny_model(models_folder: Path) -> Path:
    """A model of 2 MB. Now and then it says its end token."""
    from models.tiny import write_tiny

    write_tiny(models_folder / "tiny.gguf")
    return models_folder / "tiny.gguf"


@pytest.fixture(scope="session")
def endless_model(models_folder: Path) -> Path:
    """The same without a voice for its end token: what runs long, runs until it is told to stop."""
    from models.tiny import write_tiny

    path = models_folder / "endless.gguf"
    with mock.patch("models.tiny.writer.END_OF_TEXT", "a"):
        write_tiny(path)
    return path


@pytest.fixture(scope="session")
def model_without_fim(models_folder: Path) -> Path:
    """The tiny model without names for fill-in-the-middle tokens."""
    from models.tiny import write_tiny

    path = models_folder / "without_fim.gguf"
    write_tiny(path, fim=False)
    return path


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The runtime and configuration folder of one test. Its path is short: socket paths end near 104 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="lc-")).resolve()
    monkeypatch.setenv("LING_CODER_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("LING_CODER_CONFIG_DIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def hosts(runtime: Path) -> AsyncIterator[Hosts]:
    """Starts clients and leaves no process behind."""
    found = Hosts(runtime)
    yield found
    for client in found.clients:
        await client.close()
    found.kill_all()
