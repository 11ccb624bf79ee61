"""The prompts that `anchored_quality.py` compares: one hole in a file, asked with and without an anchor above it.

Laid out by the product's own code. A hole is an object with `path`, `language`, `prefix`, `middle` and `suffix`, as
`models/tiny/evaluation_holes.py` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from lsp_server.context.anchors import Anchors, CountTokens, TokenBudget
from lsp_server.context.window import View
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.text_lines import split_lines
from lsp_server.engine.base import ModelInfo
from lsp_server.engine.healing import tail_of

Hole = dict[str, Any]
TokensOf = Callable[[str], int]

RESERVED_TOKENS = 8
"""Control tokens, and what healing adds: the same as in the product's own budget."""


def document_of(hole: Hole) -> DocumentSnapshot:
    """The file with the caret in the hole, whose text is not there."""
    before = split_lines(hole["prefix"])
    return DocumentSnapshot(
        uri="file:///hole",
        path=hole["path"],
        language_id=hole["language"],
        version=1,
        lines=tuple(split_lines(hole["prefix"] + hole["suffix"])),
        caret_line=len(before) - 1,
        caret_column=len(before[-1]),
    )


def anchor_line(document: DocumentSnapshot, typed_tokens: int, tokens_of: TokensOf) -> int | None:
    """The line at whose start somebody began who has typed about so many tokens since; the nearest that there is.

    `None` where the file has fewer above the caret. For 0 it is the caret's own line.
    """
    line, found = document.caret_line, tokens_of(document.line_before_caret)
    if typed_tokens == 0:
        return line
    while found < typed_tokens:
        if line == 0:
            return None
        line -= 1
        more = tokens_of(document.lines[line])
        if found + more - typed_tokens > typed_tokens - found:
            return line + 1
        found += more
    return line


def budget_for(model: ModelInfo, prompt_tokens: int, new_tokens: int, head: str) -> TokenBudget:
    """Room for the text around the caret, as the product shares it out."""
    room_tokens = model.context_tokens - new_tokens - RESERVED_TOKENS
    head_tokens = len(head.encode("utf-8", "replace"))
    return TokenBudget.within(min(prompt_tokens, room_tokens) - head_tokens, room_tokens - head_tokens)


async def anchored_view(
    document: DocumentSnapshot, line: int, budget: TokenBudget, count: CountTokens
) -> tuple[View, bool]:
    """What the prompt shows when all text from the start of `line` to the caret was typed in one go.

    The flag says whether the anchor is still the one of the beginning: too much text since then moves it.
    """
    anchors = Anchors()
    caret = (document.caret_line, document.caret_column)
    began = await anchors.view(document.with_replaced((line, 0), caret, ""), budget, count)
    view = await anchors.view(document, budget, count)
    return view, view.prefix == began.prefix


def plain_view(view: View) -> View:
    """The same text with everything before the caret as prefix, but for the half token that healing makes anew."""
    before = view.prefix + view.middle
    tail = tail_of(before)
    return replace(view, prefix=before.removesuffix(tail), middle=tail)


def unhealed_view(view: View) -> View:
    """The same text with all of it as prefix: the middle is empty, and nothing is healed."""
    return replace(view, prefix=view.prefix + view.middle, middle="")


def deep_enough(holes: Sequence[Hole], typed_tokens: int, tokens_of: TokensOf) -> list[Hole]:
    """Holes with at least so many tokens above them."""
    return [hole for hole in holes if anchor_line(document_of(hole), typed_tokens, tokens_of) is not None]
