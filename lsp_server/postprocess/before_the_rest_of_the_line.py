"""Inside of a line the suggestion ends where the rest of the line begins."""

from __future__ import annotations

from collections import Counter

from lsp_server.postprocess.brackets import CLOSER_OF, CLOSERS, unmatched
from lsp_server.postprocess.rule import Candidate

_QUOTES = "\"'`"
_SHORTEST_WORD_CHARACTERS = 3
_SHORTEST_REST_CHARACTERS = 4
"""A shorter rest of a line may be found in any answer."""
_MOST_TIMES = 8
"""How often it may be said at the end, as brackets are by a model that closes too many."""
_MAY_OVERLAP_ALONE = CLOSERS + _QUOTES + ";:,"


def before_the_rest_of_the_line(candidate: Candidate) -> Candidate:
    """Cut the rest of the line, wherever the answer comes to it, or the beginning of closers with which it ends."""
    rest, text = candidate.surroundings.rest_of_line, candidate.text.rstrip()
    language_id = candidate.snapshot.language_id
    if not rest.strip():
        return candidate
    for _ in range(_MOST_TIMES):
        kept = _without(rest, text, language_id)
        if kept is None:
            break
        candidate, text = candidate.with_text(kept), kept.rstrip()
    place = text.find(rest) if len(rest) >= _SHORTEST_REST_CHARACTERS else -1
    return candidate if place < 0 or _belongs_to(text[:place], rest, language_id) else candidate.with_text(text[:place])


def _without(rest: str, text: str, language_id: str) -> str | None:
    """The text without the rest, or a beginning of it, at its end; `None` where there is no such thing."""
    for length in range(min(len(rest), len(text)), 0, -1):
        kept, repeated = text[:-length], rest[:length]
        says_something = length == len(rest) or all(character in _MAY_OVERLAP_ALONE for character in repeated)
        if says_something and text.endswith(repeated) and not _belongs_to(kept, repeated, language_id):
            return kept
    return None


def _belongs_to(kept: str, repeated: str, language_id: str) -> bool:
    """Whether the suggestion needs its end: to close what it opened, as in `f(b)` before `)`, or to end a word."""
    if len(repeated) < _SHORTEST_WORD_CHARACTERS and f"{kept[-1:]}_{repeated}".isidentifier() and kept:
        return True
    closers, openers = unmatched(kept, language_id)
    if any(character in CLOSERS for character in repeated):
        needed = Counter(map(CLOSER_OF.__getitem__, openers)) - Counter(closers)
        if needed:
            return True
    return any(kept.count(quote) % 2 for quote in _QUOTES if quote in repeated)
