"""What a server keeps of one workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.context.index.location import CACHE_VARIABLE
from lsp_server.context.sources import Context
from lsp_server.context.workspace import Workspace
from tests.context.workspace import by_characters, write
from tests.marked import snapshot

LIMIT_S = 20
CALLER = "from shop import Cart\n\ncart = Cart()\ncart.█\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return write(tmp_path / "root", {"shop.py": "class Cart:\n    def add(self) -> int:\n        return 1\n"})


async def ask(workspace: Workspace, *, limit_ms: float = 60_000) -> Context:
    assert workspace.wait_until_idle(LIMIT_S)
    asked = workspace.before_the_window(snapshot(CALLER), (1, 4), 500, by_characters, limit_ms=limit_ms)
    return await asked


async def test_it_shows_what_the_caret_needs_and_follows_what_is_saved(root: Path) -> None:
    """From the index that its thread keeps."""
    workspace = Workspace(root)
    workspace.start()
    try:
        assert [piece.path for piece in (await ask(workspace)).pieces] == ["shop.py"]
        (root / "shop.py").write_text("class Cart:\n    def take(self) -> int: ...\n", encoding="utf-8")
        workspace.changed("shop.py")
        assert "def take" in (await ask(workspace)).pieces[0].text
        (root / ".gitignore").write_text("shop.py\n", encoding="utf-8")
        workspace.changed(".gitignore")
        assert (await ask(workspace)).pieces == ()
    finally:
        workspace.close()


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_without_trust_nothing_else_is_read(root: Path, tmp_path: Path, *, is_trusted: bool) -> None:
    """There is not even an index on the disk; the same without a folder."""
    workspace = Workspace(None if is_trusted else root, is_trusted=is_trusted)
    workspace.start()
    workspace.recent.edited("shop.py", 0, ["class Cart: ...\n"])
    context = await ask(workspace)
    workspace.close()
    assert context.pieces == ()
    assert [(each.path, each.why) for each in context.left_out] == [("shop.py", "the workspace is not trusted")]
    assert not (tmp_path / "cache").exists()


async def test_what_is_late_is_left_out(root: Path) -> None:
    """With no time at all, everything."""
    workspace = Workspace(root)
    workspace.start()
    context = await ask(workspace, limit_ms=-1)
    workspace.close()
    assert context.pieces == ()
    assert {each.why for each in context.left_out} == {"out of time"}
