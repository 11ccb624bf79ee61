"""Where a workspace's index lies: in the user's cache, never in the workspace."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from lsp_server.context.index.schema import file_name

CACHE_VARIABLE = "LING_CODER_CACHE_DIR"
"""Another folder than the platform's own."""


def index_file(root: Path) -> Path:
    """The database for a workspace with this root."""
    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen) if chosen else user_cache_path("ling-coder-lsp", appauthor=False)
    return folder / "index" / file_name(Path(os.path.realpath(root)))
