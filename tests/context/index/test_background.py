"""The thread that keeps the index up to date."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.context.index.background import BackgroundIndex
from lsp_server.context.index.building import Progress
from lsp_server.context.index.store import Store

LIMIT_S = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.py").write_text(f"def {name}(): ...\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def index(root: Path) -> Iterator[BackgroundIndex]:
    index = BackgroundIndex(Store(None), root)
    index.start()
    assert index.wait_until_idle(LIMIT_S)
    yield index
    index.close()


def known(index: BackgroundIndex) -> list[str]:
    return sorted(index.store.stamps())


def changed(index: BackgroundIndex, path: str) -> list[str]:
    index.changed(path)
    assert index.wait_until_idle(LIMIT_S)
    return known(index)


def test_it_follows_what_is_saved(index: BackgroundIndex, root: Path) -> None:
    """New files, deleted ones, and what is no code."""
    assert known(index) == ["a.py", "b.py", "c.py"]
    (root / "d.py").write_text("d = 1\n", encoding="utf-8")
    assert changed(index, "d.py") == ["a.py", "b.py", "c.py", "d.py"]
    (root / "a.py").unlink()
    assert changed(index, "a.py") == ["b.py", "c.py", "d.py"]
    assert changed(index, "../outside.py") == ["b.py", "c.py", "d.py"]


def test_a_changed_ignore_file_counts_at_once(index: BackgroundIndex, root: Path) -> None:
    """What it names goes, what it no longer names comes back."""
    (root / ".gitignore").write_text("a.py\n", encoding="utf-8")
    assert changed(index, ".gitignore") == ["b.py", "c.py"]
    (root / ".gitignore").unlink()
    assert changed(index, ".gitignore") == ["a.py", "b.py", "c.py"]


def test_it_waits_while_the_machine_is_busy(root: Path) -> None:
    """And is ended all the same."""
    asked = threading.Event()
    seen: list[Progress] = []

    def is_busy() -> bool:
        asked.set()
        return True

    index = BackgroundIndex(Store(None), root, is_busy, seen.append)
    index.start()
    assert asked.wait(LIMIT_S)
    index.close()
    assert len(seen) == 1


def test_it_tells_how_far_it_is(root: Path) -> None:
    """From nothing to all."""
    seen: list[Progress] = []
    index = BackgroundIndex(Store(None), root, on_progress=seen.append)
    index.start()
    assert index.wait_until_idle(LIMIT_S)
    index.close()
    assert seen[-1] == Progress(3, 3)
    assert [each.percent for each in seen] == sorted(each.percent for each in seen)


def test_one_that_was_never_started_can_be_closed(root: Path) -> None:
    """As when a server ends at once."""
    BackgroundIndex(Store(None), root).close()
