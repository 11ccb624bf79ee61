"""What a server keeps of one workspace for its prompts: the index with its thread, the rules, what is recent.

One function answers: `before_the_window`. Without a root, or in a workspace that is not trusted, there is no index, no
other file is read, and only the current file speaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from lsp_server.context import budget
from lsp_server.context.ignore import IgnoreRules
from lsp_server.context.index.background import BackgroundIndex
from lsp_server.context.index.building import Progress
from lsp_server.context.index.location import index_file
from lsp_server.context.index.lookup import Index
from lsp_server.context.index.store import Store
from lsp_server.context.question import Question
from lsp_server.context.recent import Recent
from lsp_server.context.sources import DEADLINE_MS, Context, CountTokens, answer, deadline, gather
from lsp_server.documents.snapshot import DocumentSnapshot


class Workspace:
    """One workspace of a server.

    Args:
        root: its folder; `None` for files without one.
        is_trusted: whether the user lets us read more than what is open.
        is_busy: asked by the indexing thread between its steps, see `BackgroundIndex`.
        on_progress: called in that thread.
    """

    def __init__(
        self,
        root: Path | None,
        *,
        is_trusted: bool = True,
        is_busy: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.recent = Recent()
        """Tell it of edits and of looks at files."""
        self.shares: Mapping[str, float] = budget.SHARES
        """Of the budget, by kind."""
        self._root = root if is_trusted else None
        self._indexing: BackgroundIndex | None = None
        if self._root is not None:
            self._indexing = BackgroundIndex(Store(index_file(self._root)), self._root, is_busy, on_progress)

    def start(self) -> None:
        """Begin to index, in a thread of its own."""
        if self._indexing is not None:
            self._indexing.start()

    def changed(self, path: str) -> None:
        """A file was saved, made or deleted, an ignore file, too; its path relative to the root, with `/`."""
        if self._indexing is not None:
            self._indexing.changed(path)

    def wait_until_idle(self, limit_s: float) -> bool:
        """Wait until the index holds all that was said; whether it does."""
        return self._indexing is None or self._indexing.wait_until_idle(limit_s)

    async def before_the_window(
        self,
        snapshot: DocumentSnapshot,
        shown: tuple[int, int],
        budget_tokens: int,
        count: CountTokens,
        *,
        limit_ms: float = DEADLINE_MS,
    ) -> Context:
        """What a prompt that is anchored at this caret should show before its window.

        The sources work in another thread: meanwhile the server goes on reading.

        Args:
            snapshot: the document and the caret.
            shown: first and last line of it that the prompt shows anyway, 1-based.
            budget_tokens: for all pieces with their headers.
            count: the model's own tokenizer.
            limit_ms: for all sources together; what is late is left out.
        """
        index = Index(self._indexing.store) if self._indexing is not None else None
        rules = IgnoreRules(self._root) if self._root is not None else None
        question = Question(snapshot, shown, index, rules, self.recent.places(), deadline(limit_ms))
        candidates, left_out = await asyncio.to_thread(gather, question)
        return await answer(question, candidates, left_out, budget_tokens, count, self.shares)

    def close(self) -> None:
        """End the work on the index."""
        if self._indexing is not None:
            self._indexing.close()
