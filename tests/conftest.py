"""What tests of every kind use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """`script({"text": "hello"}, ...)` is the `--engine` value for an engine that answers from these rules."""

    def write(*rules: dict[str, Any]) -> str:
        path = tmp_path / "script.json"
        path.write_text(json.dumps(rules), encoding="utf-8")
        return f"scripted:{path}"

    return write
