"""What tests of every kind use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Machines are slow and shared: no example has a deadline. In CI the same examples are tried each time.
settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("any machine")

Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """`script({"text": "hello"}, ...)` is the `--engine` value for an engine that answers from these rules."""

    def write(*rules: dict[str, Any]) -> str:
        path = tmp_path / "script.json"
        path.write_text(json.dumps(rules), encoding="utf-8")
        return f"scripted:{path}"

    return write
