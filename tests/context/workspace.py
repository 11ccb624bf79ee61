"""A small workspace on the disk, and the question that a caret in it asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lsp_server.context.ignore import IgnoreRules
from lsp_server.context.index.building import build
from lsp_server.context.index.lookup import Index
from lsp_server.context.index.store import Store
from lsp_server.context.question import Question
from lsp_server.context.recent import RecentPlace
from lsp_server.context.sources import Context, context_for
from lsp_server.documents.languages import language_of
from tests.marked import snapshot


def write(root: Path, files: dict[str, str]) -> Path:
    """Put files into a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def question(
    root: Path,
    path: str,
    marked: str,
    *,
    shown: tuple[int, int] | None = None,
    recent: tuple[RecentPlace, ...] = (),
    is_late: Callable[[], bool] = lambda: False,
) -> Question:
    """What is asked at the caret `█`; the whole file is shown if nothing is said."""
    store = Store(None)
    for _ in build(store, root):
        pass
    here = snapshot(marked, path=path, language=language_of(path))
    return Question(here, shown or (1, len(here.lines)), Index(store), IgnoreRules(root), recent, is_late)


async def by_characters(texts: tuple[str, ...]) -> tuple[int, ...]:
    """A counter of tokens: four characters each."""
    return tuple(-(-len(text) // 4) for text in texts)


async def ask(asked: Question, budget_tokens: int = 1000) -> Context:
    """What the sources answer."""
    return await context_for(asked, budget_tokens, by_characters)
