"""Suggestions that repeat what stands in a file of secrets are known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.context.excluded_values import ExcludedValues, excluded_values
from lsp_server.context.ignore import IgnoreRules
from tests.context.planted import TOKENS
from tests.context.workspace import write

PASSWORD = "tr0ub4dor&3-and-more"
KEY = TOKENS["stripe"].partition("_live_")[2]


@pytest.fixture
def values(tmp_path: Path) -> ExcludedValues:
    write(tmp_path, {
        ".env": f'DATABASE_PASSWORD={PASSWORD}\nDEBUG=true\nHOST=localhost.localdomain\nAPI_KEY="{KEY}"\n',
        "b.env": "PLAIN_NAME_2=x\n",
        "src/main.py": 'url = "https://example.org/a1b2c3d4"\n',
    })  # fmt: skip
    return excluded_values(IgnoreRules(tmp_path))


@pytest.mark.parametrize("text", [f'connect("{PASSWORD}")', f"key = '{KEY}'", f"{KEY}", f"see {PASSWORD}."])
def test_a_repeated_value_is_known(values: ExcludedValues, text: str) -> None:
    """However it is written in code."""
    assert values.are_in(text)


@pytest.mark.parametrize(
    "text", ["", 'os.environ["DATABASE_PASSWORD"]', "localhost.localdomain", "PLAIN_NAME_2", "a1b2c3d4", KEY[:-1]]
)
def test_names_and_other_values_are_not(values: ExcludedValues, text: str) -> None:
    """A suggestion may name a variable of `.env`, and hold what ordinary files hold."""
    assert not values.are_in(text)


def test_what_cannot_be_read_holds_nothing(tmp_path: Path) -> None:
    """Links, pipes, folders; and it does not wait for anybody."""
    os.mkfifo(tmp_path / "a.env")
    (tmp_path / "b.env").mkdir()
    (tmp_path / "c.env").symlink_to(write(tmp_path, {"plain.txt": PASSWORD}) / "plain.txt")
    assert excluded_values(IgnoreRules(tmp_path)) == ExcludedValues()


def test_values_are_not_kept(values: ExcludedValues) -> None:
    """Only fingerprints are."""
    assert PASSWORD not in repr(values)
    assert values.fingerprints
