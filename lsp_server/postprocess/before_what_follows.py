"""The suggestion ends where the text after the caret begins."""

from __future__ import annotations

from lsp_server.postprocess.brackets import CLOSERS, unmatched
from lsp_server.postprocess.rule import Candidate

_QUOTES = "\"'`"
_SHORTEST_WORD_CHARACTERS = 3
_MAY_OVERLAP_ALONE = CLOSERS + _QUOTES + ";:,"


def before_what_follows(candidate: Candidate) -> Candidate:
    """Cut what the document says next anyway: the rest of the line, or the next line and all after it."""
    if candidate.snapshot.line_after_caret.strip():
        return _before_the_rest_of_the_line(candidate)
    return _before_the_next_line(candidate)


def _before_the_rest_of_the_line(candidate: Candidate) -> Candidate:
    """Without the rest of the line at the end or, of closers, its beginning."""
    rest, text = candidate.snapshot.line_after_caret.rstrip(), candidate.text.rstrip()
    for length in range(min(len(rest), len(text)), 0, -1):
        kept, repeated = text[:-length], rest[:length]
        says_something = length == len(rest) or all(character in _MAY_OVERLAP_ALONE for character in repeated)
        if says_something and text.endswith(repeated) and not _belongs_to(kept, repeated):
            return candidate.with_text(kept)
    return candidate


def _belongs_to(kept: str, repeated: str) -> bool:
    """Whether the suggestion needs its end: to close what it opened, as in `f(b)` before `)`, or to end a word."""
    if len(repeated) < _SHORTEST_WORD_CHARACTERS and f"{kept[-1:]}_{repeated}".isidentifier() and kept:
        return True
    if any(character in CLOSERS for character in repeated) and unmatched(kept)[1]:
        return True
    return any(kept.count(quote) % 2 for quote in _QUOTES if quote in repeated)


def _before_the_next_line(candidate: Candidate) -> Candidate:
    following = _following_lines(candidate)
    if not following:
        return candidate
    if _only_repeats(candidate, following):
        return candidate.with_text("")
    lines = candidate.text.split("\n")
    same = next((index for index, line in enumerate(lines) if index and line.rstrip() == following[0]), None)
    return candidate if same is None else candidate.with_text("\n".join(lines[:same]))


def _only_repeats(candidate: Candidate, following: list[str]) -> bool:
    """Whether the suggestion says, from its first line on, what the next lines say; one that differs may stay."""
    before = candidate.snapshot.line_before_caret
    said = [line.rstrip() for line in (before + candidate.text).split("\n") if line.strip()]
    if before.strip() or len(said) > len(following):
        return False
    *whole, last = said or [""]
    ends_alike = following[len(whole)].startswith(last) if whole else following[0] == last
    return whole == following[: len(whole)] and ends_alike


def _following_lines(candidate: Candidate) -> list[str]:
    """The next lines that are not blank, as many as the suggestion has."""
    snapshot, most = candidate.snapshot, candidate.text.count("\n") + 1
    found: list[str] = []
    for index in range(snapshot.caret_line + 1, len(snapshot.lines)):
        if len(found) == most:
            break
        if line := snapshot.lines[index].rstrip():
            found.append(line)
    return found
