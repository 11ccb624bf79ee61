"""The anchored layout: text before the anchor is the prefix, what was typed since then the beginning of the middle.

The *anchor* is the start of the line in which the present burst of typing began. Prefix and suffix are frozen when it
is placed, so each key only appends tokens to the prompt (for a model with fill-in-the-middle tokens, `PRE prefix SUF
suffix MID middle`; the model was trained to write the middle and is in the middle of writing it). Closers that the
editor inserted after the caret since then are left out of the prompt: the model writes them itself.

A new anchor is placed when the caret leaves the middle, or when text outside of it changed. All in characters of the
text; budgets in tokens become characters by a rate that the caller measures.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents.snapshot import DocumentSnapshot

INSERTED_BY_EDITORS = ")]}>\"'`;"
"""What editors insert by themselves after the caret; white space may stand between."""

_MOST_COVERED_CHARACTERS = 64
GROWTH = 1.5
"""A prefix may grow to this many budgets before its beginning moves.

From a window just placed a jump of `d` then never costs more than `2 d`, and many small ones together not more than
three times their way (`tests/end_to_end/test_token_counts.py`).
"""
_SHORTEST = 0.25
"""A jump back that leaves less than this share of the budget moves the beginning."""
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Budget:
    """Room for the text around the caret, in characters."""

    prefix: int
    suffix: int
    middle: int
    """What may be typed before a new anchor is due."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Frozen text around the place where a burst of typing began."""

    first_line: int
    """0-based line in which the prefix begins."""
    line: int
    """The anchor is in this line."""
    prefix_lines: tuple[str, ...]
    """`lines[first_line:line]` as they were, with their line ends."""
    head: str
    """Text of the anchor's line before the anchor: empty but in lines that are longer than the middle's budget."""
    prefix: str
    """What the prompt shows of both, line ends as LF."""
    suffix: str
    """Text after the caret as it was, line ends as LF."""
    document_lines: int
    """Number of lines of the whole document: lines that come or go above the prefix only shift it."""


@dataclass(frozen=True, slots=True)
class View:
    """What a prompt shows of the current file."""

    prefix: str
    suffix: str
    middle: str
    """Typed since the anchor was placed: stands after the middle token."""
    first_line: int
    covered: str = ""
    """Closers after the caret that the prompt leaves out."""


def unix(text: str) -> str:
    """Line ends as LF, as in the models' training data."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def follow(anchor: Anchor, snapshot: DocumentSnapshot, budget: Budget) -> View | None:
    """The view of a document that only changed between `anchor` and the caret; `None` when a new one is due."""
    shift = _shift(anchor, snapshot)
    if shift is None or snapshot.caret_line < anchor.line + shift:
        return None
    line = anchor.line + shift
    typed = "".join(snapshot.lines[line : snapshot.caret_line]) + snapshot.line_before_caret
    if not typed.startswith(anchor.head):
        return None
    middle = unix(typed[len(anchor.head) :])
    covered = _covered(anchor.suffix, snapshot)
    if covered is None or len(middle) > budget.middle:
        return None
    return View(anchor.prefix, anchor.suffix, middle, anchor.first_line + shift, covered)


def first_view(anchor: Anchor, snapshot: DocumentSnapshot) -> View:
    """The view of the very document that `anchor` was placed in."""
    return View(anchor.prefix, anchor.suffix, snapshot.line_before_caret[len(anchor.head) :], anchor.first_line)


def place(snapshot: DocumentSnapshot, budget: Budget, previous: Anchor | None = None) -> Anchor:
    """An anchor at the caret's line. Keeps the beginning of the previous prefix where its text still stands."""
    line = snapshot.caret_line
    first = _kept_first_line(snapshot, budget, previous)
    if first is None:
        first = _fresh_first_line(snapshot, budget.prefix)
    before = snapshot.line_before_caret
    step = max(1, budget.middle // _STEPS)
    head = before[: -(-max(0, len(before) - budget.middle // 2) // step) * step]
    lines = snapshot.lines[first:line]
    prefix = "".join(lines) + head
    if head:
        prefix = prefix[-(-max(0, len(prefix) - budget.prefix) // step) * step :]
    return Anchor(first, line, lines, head, unix(prefix), _frozen_suffix(snapshot, budget.suffix), len(snapshot.lines))


def _shift(anchor: Anchor, snapshot: DocumentSnapshot) -> int | None:
    """By how many lines the prefix was moved; `None` when it is not there any more."""
    height = len(anchor.prefix_lines)
    for shift in dict.fromkeys((0, len(snapshot.lines) - anchor.document_lines)):
        first = anchor.first_line + shift
        if first >= 0 and snapshot.lines[first : first + height] == anchor.prefix_lines:
            return shift
    return None


def _kept_first_line(snapshot: DocumentSnapshot, budget: Budget, previous: Anchor | None) -> int | None:
    """Where the previous prefix began, if from there to the caret's line is a good prefix, too."""
    if previous is None or previous.head:
        return None
    for shift in dict.fromkeys((0, len(snapshot.lines) - previous.document_lines)):
        first = previous.first_line + shift
        common = min(previous.line + shift, snapshot.caret_line)
        if not 0 <= first <= common or snapshot.lines[first:common] != previous.prefix_lines[: common - first]:
            continue
        length = sum(map(len, snapshot.lines[first : snapshot.caret_line]))
        if (first == 0 or length >= _SHORTEST * budget.prefix) and length <= GROWTH * budget.prefix:
            return first
    return None


def _fresh_first_line(snapshot: DocumentSnapshot, most_characters: int) -> int:
    """The first line that leaves no more than the budget before the caret's line; better one at a syntactic border."""
    first, length, borders = snapshot.caret_line, 0, []
    while first > 0 and length + len(snapshot.lines[first - 1]) <= most_characters:
        first -= 1
        length += len(snapshot.lines[first])
        if length >= most_characters * (1 - 1 / _STEPS) and _begins_something(snapshot.lines[first]):
            borders.append(first)
    return borders[-1] if borders and first > 0 else first


def _begins_something(line: str) -> bool:
    """A line at the left margin that is no closer: where files are best cut."""
    return bool(line.strip()) and not line[0].isspace() and line[0] not in INSERTED_BY_EDITORS


def _frozen_suffix(snapshot: DocumentSnapshot, most_characters: int) -> str:
    """Text after the caret in whole lines, at least the rest of the caret's line."""
    text = text_after(snapshot, most_characters)
    if len(text) <= most_characters:
        return text
    whole = text.rfind("\n", 0, most_characters) + 1
    return text[: whole or most_characters]


def _covered(suffix: str, snapshot: DocumentSnapshot) -> str | None:
    """The closers that stand between the caret and the frozen suffix; `None` when other text does."""
    after = text_after(snapshot, len(suffix) + _MOST_COVERED_CHARACTERS)
    length = covered_length(after, suffix)
    return None if length is None else after[:length]


def covered_length(after: str, before: str) -> int | None:
    """How many characters of closers and white space were inserted in front of `before`; `None` for other text.

    An empty `before` means the end of the document.
    """
    for length in range(min(_MOST_COVERED_CHARACTERS, len(after)) + 1):
        if after.startswith(before, length) and (before or length == len(after)):
            return length
        if length < len(after) and not (after[length] in INSERTED_BY_EDITORS or after[length].isspace()):
            return None
    return None


def text_after(snapshot: DocumentSnapshot, most_characters: int) -> str:
    """Text after the caret with line ends as LF, at least `most_characters` where there are so many."""
    parts = [snapshot.lines[snapshot.caret_line][snapshot.caret_column :]]
    length = len(parts[0])
    for line in snapshot.lines[snapshot.caret_line + 1 :]:
        if length > most_characters:
            break
        parts.append(line)
        length += len(line)
    return unix("".join(parts))
