"""The floor that a completion model must beat: copying the rest of a line that began alike."""

from __future__ import annotations

LONGEST, SHORTEST = 48, 6
"""Characters before the caret that are looked for."""


def copied_line(before: str, after: str) -> str:
    """The rest of the line after the longest match, elsewhere in the visible text, of what stands before the caret.

    Of equally long matches the last one before the caret counts, else the first one after it. Empty without a match.
    """
    for length in range(min(LONGEST, len(before)), SHORTEST - 1, -1):
        end = before[-length:]
        found = before.rfind(end, 0, len(before) - 1)
        if found >= 0:
            return _rest_of_line(before, found + length)
        found = after.find(end)
        if found >= 0:
            return _rest_of_line(after, found + length)
    return ""


def _rest_of_line(text: str, start: int) -> str:
    return text[start:].partition("\n")[0]
