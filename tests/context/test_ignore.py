"""Which files of a workspace may be read; what cannot be decided may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.context.ignore import MOST_BYTES, IgnoreRules


def workspace(root: Path, **files: str) -> IgnoreRules:
    """A folder with these files; `__` in a name is `/`, `_dot_` a dot at the beginning."""
    for name, text in files.items():
        path = root / name.replace("_dot_", ".").replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return IgnoreRules(root)


def readable(rules: IgnoreRules) -> list[str]:
    return [path for path, reason in rules.walk() if reason is None]


def test_the_deepest_file_that_says_something_decides(tmp_path: Path) -> None:
    """As in git: patterns of a folder go before those of the folders around it, negation included."""
    rules = workspace(
        tmp_path, _dot_gitignore="*.log\nbuild/\n", src___dot_gitignore="!keep.log\n*.tmp\n",
        **{"a.log": "", "src__keep.log": "", "src__b.log": "", "src__c.tmp": "", "c.tmp": "", "build__d.py": ""},
    )  # fmt: skip
    found = [path for path in readable(rules) if not path.endswith("ignore")]
    assert found == ["c.tmp", "src/keep.log"]


def test_what_lies_in_an_ignored_folder_stays_out(tmp_path: Path) -> None:
    """A negation cannot reach in; asking for the path itself does not either."""
    rules = workspace(
        tmp_path, _dot_gitignore="private/\n!private/a.py\n", private___dot_gitignore="!*\n", private__a=""
    )
    assert rules.why_excluded("private/a.py") == "ignored by .gitignore"


def test_our_own_ignore_file_only_takes_away(tmp_path: Path) -> None:
    """It works beside `.gitignore`, and does not let in what that leaves out."""
    rules = workspace(tmp_path, _dot_gitignore="*.log\n", _dot_lingcoderignore="!*.log\nlegacy/\n", legacy__a="")
    assert rules.why_excluded("x.log") == "ignored by .gitignore"
    assert rules.why_excluded("legacy/a.py") == "ignored by .lingcoderignore"
    assert rules.why_excluded("a.py") is None


def test_an_ignore_file_that_cannot_be_read_takes_its_folder(tmp_path: Path) -> None:
    """Whatever it says, it may say that something must not be read."""
    rules = workspace(tmp_path, src__a="", other__b="")
    (tmp_path / "src" / ".gitignore").mkdir()
    assert rules.why_excluded("src/a") == "its ignore file cannot be read"
    assert rules.why_excluded("src/deeper/a") == "its ignore file cannot be read"
    assert readable(rules) == ["other/b"]
    (tmp_path / ".lingcoderignore").symlink_to("nowhere")
    rules.refresh()
    assert readable(rules) == []


def test_changed_rules_hold_after_a_refresh(tmp_path: Path) -> None:
    """An ignore file that appears later counts from then on."""
    rules = workspace(tmp_path, **{"a.py": ""})
    assert rules.why_excluded("a.py") is None
    (tmp_path / ".gitignore").write_text("a.py\n", encoding="utf-8")
    rules.refresh()
    assert rules.why_excluded("a.py") == "ignored by .gitignore"


@pytest.mark.parametrize("path", ["../a.py", "/etc/passwd", "a/../../b", "C:/x.py", "", "a\0b", "..\\a"])
def test_paths_that_lead_out(tmp_path: Path, path: str) -> None:
    """Nothing outside of the workspace is a source."""
    assert IgnoreRules(tmp_path).why_excluded(path) == "outside of the workspace"


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither out of the workspace, nor in circles, nor to a secret by another name."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("x", encoding="utf-8")
    root = tmp_path / "root"
    rules = workspace(root, **{"b.py": "b", ".env": "KEY=1"})
    (root / "out").symlink_to(outside)
    (root / "circle").symlink_to(root)
    (root / "notes.py").symlink_to(root / ".env")
    assert readable(rules) == ["b.py"]
    assert rules.read("out/a.py") == "a link"
    assert rules.read("notes.py") == "a link"
    assert rules.read("circle/b.py") == "a link"
    assert rules.read("b.py") == b"b"


def test_what_is_no_code(tmp_path: Path) -> None:
    """Large files, binary ones, and files that are gone."""
    rules = workspace(tmp_path, big="x" * (MOST_BYTES + 1), binary="a\0b", _dot_env="KEY=1")
    assert rules.read("big") == f"larger than {MOST_BYTES} bytes"
    assert rules.read("binary") == "it is no text"
    assert rules.read("gone") == "it cannot be read"
    assert rules.read(".env") == "its name says that it holds secrets"
    os.mkfifo(tmp_path / "pipe")
    assert rules.read("pipe") == "it is no file"


def test_folders_that_tools_made(tmp_path: Path) -> None:
    """Left out even when nobody ignores them."""
    rules = workspace(tmp_path, node_modules__a="", env__b="", target__c="", src__d="")
    (tmp_path / "env" / "pyvenv.cfg").write_text("", encoding="utf-8")
    (tmp_path / "target" / "CACHEDIR.TAG").write_text("", encoding="utf-8")
    assert readable(rules) == ["src/d"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are still found."""
    rules = workspace(tmp_path, a__x="", b__y="")
    scan = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "a":
            raise PermissionError
        return scan(path)

    monkeypatch.setattr("lsp_server.context.ignore.os.scandir", refusing)
    assert list(rules.walk()) == [("a", "it cannot be read"), ("b/y", None)]
