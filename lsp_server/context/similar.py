"""Code elsewhere that shares rare names with the text around the caret: BM25 over chunks, rarest words only."""

from __future__ import annotations

from lsp_server.context.question import Candidate, ContextPiece, Question
from lsp_server.context.words import near

KIND = "similar"

_BEFORE_LINES, _AFTER_LINES = 20, 4
_MOST_WORDS = 12
"""An OR of so many of the rarest words takes about a millisecond; of common words, a hundred."""
_MOST_NEAR = 48
_TOO_COMMON = 200
"""A word that stands in so many chunks tells none of them apart."""
_MOST_CHUNKS = 6
_LEAST_SHARED = 3


def similar(question: Question) -> list[Candidate]:
    """The best chunks of other files, best first."""
    index, snapshot = question.index, question.snapshot
    if index is None:
        return []
    caret = snapshot.caret_line
    lines = [*snapshot.lines[:caret], snapshot.line_before_caret, *snapshot.lines[caret + 1 :]]
    weights = near(lines, caret, caret - _BEFORE_LINES, caret + _AFTER_LINES)
    words = sorted(
        (word for word in weights if len(word) > 2 and word.isascii()), key=lambda word: (-weights[word], word)
    )
    unique = dict.fromkeys(word.lower() for word in words[:_MOST_NEAR])
    chunks = {word: index.chunks_with(word, _TOO_COMMON) for word in unique}
    rare = (word for word in unique if 1 < chunks[word] < _TOO_COMMON)
    rarest = sorted(rare, key=lambda word: (chunks[word], word))[:_MOST_WORDS]
    found: list[Candidate] = []
    for passage in index.similar(rarest, 3 * _MOST_CHUNKS):
        text = passage.text.lower()
        shared = [word for word in rarest if word in text]
        if passage.path != question.path and len(shared) >= _LEAST_SHARED:
            lines_of = (passage.first_line, passage.last_line)
            why = f"shares {', '.join(sorted(shared)[:4])}"
            found.append(Candidate(ContextPiece(KIND, passage.path, lines_of, passage.text, why), len(shared) / 12))
    return found[:_MOST_CHUNKS]
