"""Folders of a test's own, and a hub on this machine that knows one repository."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_store.hub_stand_in import MEBIBYTE, HubStandIn, running_hub
from tests.model_store.surroundings import keep_apart

REPOSITORY = "mradermacher/Ling-Coder-lite-GGUF"
FILE = "Ling-Coder-lite.IQ4_XS.gguf"
NAME = "ling-coder-lite-iq4_xs"
CONTENT = b"GGUF" + random.Random(1).randbytes(4 * MEBIBYTE + 12_345)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own is seen or changed."""
    keep_apart(tmp_path, monkeypatch)


@pytest.fixture
def hub_server() -> Iterator[HubStandIn]:
    """A hub that is well."""
    with running_hub({REPOSITORY: {FILE: CONTENT, "README.md": b"# Ling"}}) as stand_in:
        yield stand_in
