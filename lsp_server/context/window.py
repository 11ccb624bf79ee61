"""The code around the caret that fits the budget, cut so that typing does not move its beginning.

The beginning of the prefix is a function of the caret's line alone and moves in steps of a quarter of the budget: as
long as the step does not change, every key only appends to the prompt and the cached tokens stay valid. Budgets are in
tokens, the text is cut in characters; a caller tries `CHARACTERS_PER_TOKEN` from generous to careful until the counted
tokens fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents.snapshot import DocumentSnapshot

SUFFIX_SHARE = 0.15
"""Share of the budget for the text after the caret: it is evaluated anew whenever it changes."""

CHARACTERS_PER_TOKEN = (4.0, 3.0, 2.0, 1.0, 0.5, 0.25, 0.1, 0.0)
"""Rates to try in this order. Code has 3 to 4 characters a token; runs of symbols or of rare scripts have less than 1.
The last one leaves a few characters, so that something fits into any budget."""

_STEPS = 4


@dataclass(frozen=True, slots=True)
class Window:
    """What the model sees of the current file."""

    prefix: str
    suffix: str
    first_line: int
    """0-based line in which the prefix begins."""
    room_characters: int = 0
    """Length that the prefix may reach before its beginning moves on; 0 where the file fits from its beginning."""


def take_window(snapshot: DocumentSnapshot, budget_tokens: int, characters_per_token: float) -> Window:
    """The window at one rate; line ends become LF, as in the models' training data."""
    budget = budget_tokens * characters_per_token
    suffix_characters = max(1, int(budget * SUFFIX_SHARE))
    prefix_characters = max(1, int(budget * (1 - SUFFIX_SHARE)))
    first = _first_line(snapshot, prefix_characters)
    prefix = _unix("".join(snapshot.lines[first : snapshot.caret_line]) + snapshot.line_before_caret)
    excess = _excess_of_one_line(len(prefix), prefix_characters)
    suffix = _suffix(snapshot, suffix_characters)
    first_line = first + prefix[:excess].count("\n")
    return Window(prefix[excess:], _unix(suffix), first_line, prefix_characters if first else 0)


def _first_line(snapshot: DocumentSnapshot, prefix_characters: int) -> int:
    """The line after the smallest multiple of a step that leaves no more than the budget before the caret's line."""
    lengths = list(map(len, snapshot.lines[: snapshot.caret_line]))
    excess = sum(lengths) - prefix_characters
    if excess <= 0:
        return 0
    step = max(1, prefix_characters // _STEPS)
    to_drop = -(-excess // step) * step
    dropped = 0
    for index, length in enumerate(lengths):
        if dropped >= to_drop:
            return index
        dropped += length
    return snapshot.caret_line


def _excess_of_one_line(length: int, prefix_characters: int) -> int:
    """What to drop, in steps, where a single line is longer than the whole budget."""
    step = max(1, prefix_characters // _STEPS)
    return max(0, -(-(length - 2 * prefix_characters) // step) * step)


def _suffix(snapshot: DocumentSnapshot, most_characters: int) -> str:
    """Text after the caret, in whole lines but for the first."""
    parts = [snapshot.lines[snapshot.caret_line][snapshot.caret_column :]]
    length = len(parts[0])
    for line in snapshot.lines[snapshot.caret_line + 1 :]:
        length += len(line)
        if length > most_characters:
            break
        parts.append(line)
    return "".join(parts)[: 2 * most_characters]


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
