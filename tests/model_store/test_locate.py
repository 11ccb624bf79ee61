"""What the catalog recommends for a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.model_store import locate
from lsp_server.model_store.bundled import bundled_model
from lsp_server.model_store.catalog import read_catalog
from lsp_server.model_store.shelf import Model, State


def test_the_recommended_threshold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That of the row whose file it is; other files have none."""
    known = tmp_path / "known.gguf"
    entry = replace(read_catalog()[0], min_confidence_percent=60)
    monkeypatch.setattr(locate, "all_models", lambda: [Model("known", State.DOWNLOADED, known, 1, entry=entry)])
    assert locate.recommended_percent(known) == 60
    assert locate.recommended_percent(tmp_path / "other.gguf") == 0


def test_the_demo_model_speaks_for_itself() -> None:
    """Its file holds the figure that was measured with it."""
    assert locate.recommended_percent(bundled_model()) == 0
