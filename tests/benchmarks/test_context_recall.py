"""The benchmark of the context finds what is there and says what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import context_recall
from tests.context.workspace import write

CALLER = "from shop import make_basket\n\n\ndef main():\n    basket = make_basket()\n    return basket\n"


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> dict[str, dict[str, float]]:
    monkeypatch.setattr("sys.argv", ["context_recall", *arguments, "--json"])
    assert context_recall.main() == 0
    report: dict[str, dict[str, float]] = json.loads(capsys.readouterr().out)
    return report


def test_what_each_source_is_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all sources the definition is found, without the one that finds it, it is not."""
    root = str(write(tmp_path, {"shop.py": "def make_basket():\n    return []\n", "main.py": CALLER}))
    (row,) = {
        key: row for key, row in run(capsys, monkeypatch, root, "--characters", "1500").items() if "all" in key
    }.values()
    assert (row["places"], row["name_percent"], row["definition_percent"]) == (1, 100, 100)
    report = run(capsys, monkeypatch, root, "--characters", "1500", "--without", "definition", "--without", "similar")
    assert report["all 1500"]["name_percent"] == 0
