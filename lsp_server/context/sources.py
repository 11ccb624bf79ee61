"""Everything beside the window that a prompt shows: all sources under one deadline, ranked, redacted, within a budget.

The same question to the same index gives the same pieces, byte for byte, unless a source was late. No text of a file
that the rules exclude is in them: each path is asked for again here, whatever a source or the index may say.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lsp_server.context import budget, needed, scopes, similar
from lsp_server.context.dependencies import dependencies_first
from lsp_server.context.imports import Import
from lsp_server.context.question import Candidate, ContextPiece, LeftOut, Question
from lsp_server.context.secrets import redacted_part

DEADLINE_MS = 150
"""For all sources together. Who waits for a suggestion does not notice a tenth of a second before a prompt is read."""

Source = Callable[[Question], list[Candidate]]
CountTokens = Callable[[tuple[str, ...]], Awaitable[tuple[int, ...]]]

_LATE = "out of time"
_ORDER = ("definition", "similar", "view", "edit", "imports", "scope")
"""In the prompt, least likely to change first; what belongs to the current file stands right before its window."""
_MOST_LEFT_OUT = 200


def recent(question: Question) -> list[Candidate]:
    """Recent edits and looks, newest first."""
    return [
        Candidate(
            ContextPiece(
                place.kind,
                place.path,
                (place.first_line, place.first_line + max(1, len(place.lines)) - 1),
                "".join(place.lines).replace("\r\n", "\n").rstrip("\n"),
                "edited lately" if place.kind == "edit" else "looked at lately",
            ),
            1.0,
        )
        for place in question.recent
    ]


SOURCES: tuple[tuple[str, Source], ...] = (
    ("scope", scopes.sticky_heads),
    ("imports", scopes.hidden_imports),
    ("recent", recent),
    ("definition", needed.needed),
    ("similar", similar.similar),
)
"""The cheap ones first: what is late is left out."""


@dataclass(frozen=True, slots=True)
class Context:
    """What goes before the window, in the order of the prompt, and what does not."""

    pieces: tuple[ContextPiece, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def deadline(limit_ms: float = DEADLINE_MS, now_s: Callable[[], float] = time.perf_counter) -> Callable[[], bool]:
    """For `Question.is_late`: whether so much time has gone since this call."""
    ends_s = now_s() + limit_ms / 1000
    return lambda: now_s() > ends_s


async def context_for(
    question: Question, budget_tokens: int, count: CountTokens, shares: Mapping[str, float] = budget.SHARES
) -> Context:
    """What a prompt that is anchored at the caret should show before the window.

    Args:
        question: the caret, and everything that may be known.
        budget_tokens: for all pieces with their headers.
        count: the model's own tokenizer; asked once.
        shares: of the budget, by kind.
    """
    return await answer(question, *gather(question), budget_tokens, count, shares)


async def answer(  # noqa: PLR0913 - what was asked, what was found, and what there is room for
    question: Question,
    candidates: Mapping[str, Sequence[Candidate]],
    left_out: Sequence[LeftOut],
    budget_tokens: int,
    count: CountTokens,
    shares: Mapping[str, float] = budget.SHARES,
) -> Context:
    """The second half of `context_for`, for what `gather` found."""
    texts = tuple(dict.fromkeys(_texts(candidates.values())))
    costs = dict(zip(texts, await count(texts), strict=True)) if texts else {}
    chosen, no_room = budget.choose(candidates, costs, budget_tokens, shares)
    return assemble(chosen, [*left_out, *no_room], _imports(question, chosen))


def gather(
    question: Question, sources: Iterable[tuple[str, Source]] = SOURCES
) -> tuple[dict[str, list[Candidate]], list[LeftOut]]:
    """What the sources have to offer, by kind, without what must not be shown."""
    found: dict[str, list[Candidate]] = {}
    left_out: list[LeftOut] = []
    if question.rules is not None:
        question.rules.refresh()
        reason = question.rules.why_excluded(question.path) if question.path else None
        if reason is not None:
            return {}, [LeftOut(question.path, reason)]
    why: dict[str, str | None] = {}
    for name, source in sources:
        if question.is_late():
            left_out.append(LeftOut(name, _LATE))
            continue
        for candidate in _in_time(question, source):
            reason = _why_not(question, candidate.piece, why)
            if reason is not None:
                left_out.append(LeftOut(candidate.piece.path, reason))
            elif candidate.piece.text.strip():
                found.setdefault(candidate.piece.kind, []).append(candidate)
        if question.is_late():
            left_out.append(LeftOut(name, _LATE))
    return found, list(dict.fromkeys(left_out))


def assemble(
    chosen: Sequence[Candidate], left_out: Iterable[LeftOut], imports: Mapping[str, Sequence[Import]]
) -> Context:
    """What was chosen as pieces in the order of the prompt, without secret values. Pure.

    Args:
        chosen: what is shown.
        left_out: what is not.
        imports: of the files of which definitions are shown.
    """
    clean = [_clean(each) for each in chosen]
    pieces = _by_file([each for each in clean if each.piece.kind == needed.KIND], imports)
    for kind in _ORDER[1:]:
        of_kind = [each.piece for each in clean if each.piece.kind == kind]
        pieces += reversed(of_kind) if kind in ("view", "edit", "similar") else of_kind
    shown = {piece.path for piece in pieces}
    rest = (each for each in left_out if each.path not in shown)
    return Context(tuple(pieces), tuple(dict.fromkeys(rest))[:_MOST_LEFT_OUT])


def _imports(question: Question, chosen: Iterable[Candidate]) -> dict[str, list[Import]]:
    """What the files import of which definitions are shown."""
    paths = sorted({each.piece.path for each in chosen if each.piece.kind == needed.KIND})
    return {path: question.index.imports_of(path) for path in paths} if question.index is not None else {}


def _in_time(question: Question, source: Source) -> list[Candidate]:
    if question.index is None:
        return source(question)
    with question.index.store.hurrying(question.is_late), question.index.remembering():
        return source(question)


def _why_not(question: Question, piece: ContextPiece, known: dict[str, str | None]) -> str | None:
    if piece.path == question.path:
        first, last = question.shown
        overlaps = piece.lines[0] <= last and first <= piece.lines[1]
        return "it is in the window" if overlaps else None
    if question.rules is None:
        return "the workspace is not trusted"
    if piece.path not in known:
        known[piece.path] = question.rules.why_excluded(piece.path)
    return known[piece.path]


def _clean(candidate: Candidate) -> Candidate:
    piece = replace(candidate.piece, text=redacted_part(candidate.piece.text).rstrip())
    return replace(candidate, piece=piece, head=redacted_part(candidate.head))


def _texts(candidates: Iterable[Sequence[Candidate]]) -> Iterable[str]:
    """Every text that has a price."""
    for of_kind in candidates:
        for each in of_kind:
            yield each.piece.text
            yield each.piece.path
            if each.head:
                yield each.head


def _by_file(chosen: Iterable[Candidate], imports: Mapping[str, Sequence[Import]]) -> list[ContextPiece]:
    """The chosen definitions of each file as one piece; files that others import come first."""
    of_file: dict[str, list[Candidate]] = {}
    for each in chosen:
        of_file.setdefault(each.piece.path, []).append(each)
    return [_joined(path, of_file[path]) for path in dependencies_first(of_file, imports)]


def _joined(path: str, chosen: Sequence[Candidate]) -> ContextPiece:
    """Signatures in the order of the file, each under the head of its type."""
    spans = {(*each.piece.lines, each.piece.text) for each in chosen}
    heads = {(each.head_line, each.head_line + each.head.count("\n"), each.head) for each in chosen if each.head}
    shown = sorted(spans | heads)
    lines = (shown[0][0], max(last for _, last, _ in shown))
    best = max(chosen, key=lambda each: each.score).piece.why
    why = best if len(chosen) == 1 else f"{best}, and {len(chosen) - 1} more"
    return ContextPiece(needed.KIND, path, lines, "\n".join(text for _, _, text in shown), why)
