"""The README says what is true: settings, engine settings and commands with their defaults."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from lsp_server.cli import _COMMANDS
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.settings import Settings, wire_name

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_table_with_its_default() -> None:
    """And nothing else is."""
    defaults = {f"lingCoder.{wire_name(name)}": value for name, value in dataclasses.asdict(Settings()).items()}
    for name, value in defaults.items():
        shown = value if isinstance(value, str) and value else json.dumps(value)
        assert f"| `{name}` | `{shown}` |" in README
    assert README.count("| `lingCoder.") == len(defaults)


def test_every_engine_setting_is_in_the_table_with_its_default() -> None:
    """What `engine.toml` may hold."""
    for name, value in dataclasses.asdict(EngineSettings()).items():
        assert f"| `{name}` | `{str(value).lower()}` |" in README


def test_every_command_is_named() -> None:
    """With the name it is called by."""
    for command in _COMMANDS:
        assert f"ling-coder-lsp {command.__name__.rpartition('.')[2]}" in README
