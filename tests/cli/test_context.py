"""`ling-coder-lsp context`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.cli import main
from lsp_server.context.index.location import CACHE_VARIABLE

FILES = {
    "shop.py": "class Cart:\n    def add(self, item: str) -> None:\n        pass\n",
    "main.py": "from shop import Cart\n\ncart = Cart()\ncart.\n",
    ".env": "KEY=1\n",
    ".git": "",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    root = tmp_path / "root"
    root.mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["context", *arguments]) == 0
    return capsys.readouterr().out


def test_json_says_what_is_shown_why_and_what_is_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every source with its place and its tokens; the window is the last of them."""
    report = json.loads(run(capsys, f"{root}/main.py:4:6", "--json"))
    assert report["prompt"].endswith("# main.py\nfrom shop import Cart\n\ncart = Cart()\ncart.")
    assert "# shop.py\nclass Cart:\n    def add(self, item: str) -> None:\n" in report["prompt"]
    assert [(each["kind"], each["path"], each["lines"]) for each in report["sources"]] == [
        ("definition", "shop.py", [1, 2]),
        ("window", "main.py", [1, 4]),
    ]
    assert report["counted_by"] == "characters / 4"
    assert report["tokens"] == -(-len(report["prompt"]) // 4)
    assert {"path": ".env", "why": "its name says that it holds secrets"} in report["left_out"]


def test_the_same_twice(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the index that is there, too."""
    assert run(capsys, f"{root}/main.py:4:6", "--json") == run(capsys, f"{root}/main.py:4:6", "--json")


@pytest.mark.parametrize("budget", [1, 20, 60, 400])
def test_the_budget_is_kept(root: Path, capsys: pytest.CaptureFixture[str], budget: int) -> None:
    """Unless not even the file's own header fits."""
    report = json.loads(run(capsys, f"{root}/main.py:4:6", "--json", "--budget", str(budget)))
    assert report["tokens"] <= max(budget, 12)


def test_the_model_counts_when_one_is_named(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or the engine that stands in for one."""
    (tmp_path / "rules.json").write_text('[{"text": "x"}]', encoding="utf-8")
    engine = f"scripted:{tmp_path / 'rules.json'}"
    report = json.loads(run(capsys, f"{root}/main.py:4:6", "--json", "--model", "any", "--engine", engine))
    assert report["counted_by"] == "the model"
    assert report["sources"]


def test_without_a_repository_the_file_stands_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing around it is read."""
    (root / ".git").unlink()
    report = json.loads(run(capsys, f"{root}/main.py:4:6", "--json"))
    assert [each["kind"] for each in report["sources"]] == ["window"]


def test_for_people(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The prompt, and a line for each source."""
    text = run(capsys, f"{root}/main.py:4:6")
    assert "tokens  definition  shop.py:1-2" in text
    assert "left out  .env: its name says that it holds secrets" in text


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence."""
    assert main(["context", "gone.py:1:1"]) == 1
    assert "gone.py cannot be read" in capsys.readouterr().err
