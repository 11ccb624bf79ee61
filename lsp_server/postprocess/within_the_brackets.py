"""Never more closing brackets than open ones: the first that closes something beyond the caret's block ends it all."""

from __future__ import annotations

from collections import Counter

from lsp_server.postprocess.brackets import CLOSERS, OPENER_OF, OPENERS
from lsp_server.postprocess.lexis import masked
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.surroundings import Surroundings

_GRAMMARS_WITH_LONELY_CLOSERS = ("bash", "fish", "yaml", "latex")
"""Those with `a)` for a branch of a `case`, and those with prose."""


def within_the_brackets(candidate: Candidate) -> Candidate:
    """Cut before a bracket that closes nothing, or what the document closes already."""
    around = candidate.surroundings
    if not counts_brackets(around):
        return candidate
    code = masked(candidate.text, candidate.snapshot.language_id, around.opened).text
    end = _first_without_partner(code, _at_the_caret(candidate), Counter(around.lacking))
    return candidate if end is None else candidate.with_text(candidate.text[:end])


def counts_brackets(around: Surroundings) -> bool:
    """Whether each bracket has a partner in this language."""
    return around.has_blocks and around.language.grammar not in _GRAMMARS_WITH_LONELY_CLOSERS


def _at_the_caret(candidate: Candidate) -> str:
    """The closing brackets right behind the caret, in order: a suggestion may close them, and take their place."""
    rest = candidate.surroundings.rest_of_line
    opened = candidate.surroundings.opened
    rest = rest.removeprefix(opened)
    return rest[: len(rest) - len(rest.lstrip(CLOSERS))]


def _first_without_partner(code: str, at_the_caret: str, lacking: Counter[str]) -> int | None:
    open_here: list[str] = []
    covered = 0
    for place, character in enumerate(code):
        if character in OPENERS:
            open_here.append(character)
        elif character not in CLOSERS:
            continue
        elif open_here:
            if open_here.pop() != OPENER_OF[character]:
                return place
        elif at_the_caret[covered : covered + 1] == character:
            covered += 1
        elif lacking[character] > 0:
            lacking[character] -= 1
        else:
            return place
    return None
