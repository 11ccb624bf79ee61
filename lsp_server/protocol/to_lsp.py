"""From our terms to the editor's: offsets become positions in the negotiated encoding, outcomes become lists."""

from __future__ import annotations

import re
from dataclasses import replace

from lsprotocol import types

from lsp_server.documents.positions import PositionEncoding, to_units
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.text_lines import Place, without_end
from lsp_server.outcome import Outcome, Suggestion

_WORD_BEFORE_CARET = re.compile(r"\w*$")


def position_at(snapshot: DocumentSnapshot, offset: int, encoding: PositionEncoding) -> types.Position:
    """The position of an offset in characters; one past the end is the end."""
    line, start = snapshot.caret_line, snapshot.caret_offset - snapshot.caret_column
    if offset < start:
        line, start = 0, 0
    while line < len(snapshot.lines) - 1 and offset >= start + len(snapshot.lines[line]):
        start += len(snapshot.lines[line])
        line += 1
    before = without_end(snapshot.lines[line])[: max(0, offset - start)]
    return types.Position(line=line, character=to_units(before, encoding))


def range_of(snapshot: DocumentSnapshot, suggestion: Suggestion, encoding: PositionEncoding) -> types.Range:
    """What the suggestion takes the place of; an empty range at the caret where it only inserts."""
    return types.Range(
        start=position_at(snapshot, suggestion.start, encoding),
        end=position_at(snapshot, suggestion.end, encoding),
    )


def inline_list(outcome: Outcome, snapshot: DocumentSnapshot, encoding: PositionEncoding) -> types.InlineCompletionList:
    """One item or none."""
    if outcome.suggestion is None:
        return types.InlineCompletionList(items=[])
    item = types.InlineCompletionItem(
        insert_text=outcome.suggestion.text,
        range=range_of(snapshot, outcome.suggestion, encoding),
    )
    return types.InlineCompletionList(items=[item])


def after_chosen(outcome: Outcome, snapshot: DocumentSnapshot, start: Place, end: Place, text: str) -> Outcome:
    """A suggestion that was made as if an item of the popup were accepted, as one for the document as it is."""
    made = outcome.suggestion
    if made is None:
        return outcome
    replaced = made.end - made.start
    whole = Suggestion(text + made.text, snapshot.offset_at(*start), snapshot.offset_at(*end) + replaced)
    return replace(outcome, suggestion=whole)


def completion_list(
    outcome: Outcome | None, snapshot: DocumentSnapshot, encoding: PositionEncoding
) -> types.CompletionList:
    """One item or none, for editors without inline completion; never complete, so that they ask again."""
    if outcome is None or outcome.suggestion is None:
        return types.CompletionList(is_incomplete=True, items=[])
    return types.CompletionList(is_incomplete=True, items=[_completion_item(outcome.suggestion, snapshot, encoding)])


def _completion_item(
    suggestion: Suggestion, snapshot: DocumentSnapshot, encoding: PositionEncoding
) -> types.CompletionItem:
    """The item repeats the word before the caret: editors show only what begins with it."""
    found = _WORD_BEFORE_CARET.search(snapshot.line_before_caret)
    word = found[0] if found and suggestion.start == snapshot.caret_offset else ""
    text = word + suggestion.text
    whole = Suggestion(text, suggestion.start - len(word), suggestion.end)
    lines = text.strip().splitlines()
    return types.CompletionItem(
        label=lines[0] + (" …" if len(lines) > 1 else ""),
        kind=types.CompletionItemKind.Text,
        detail="Ling Coder",
        documentation=text,
        filter_text=text,
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(range=range_of(snapshot, whole, encoding), new_text=text),
    )
