"""`lingCoder/editorState`: what an editor knows and LSP does not tell - caret, selections, what became of a suggestion.

    {"textDocument": {"uri"}, "caret": Position, "selections": [Range],
     "event": "shown" | "accepted" | "partiallyAccepted" | "dismissed"}

All but the document is optional, and what cannot be understood is left out: this is help, not a condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from lsp_server.documents.text_lines import Place
from lsp_server.protocol import from_lsp
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.state import Document, EditorState

METHOD = "lingCoder/editorState"
EVENTS = ("shown", "accepted", "partiallyAccepted", "dismissed")


def editor_state(ls: LingCoderServer, params: Any) -> None:
    """Remember it with its document."""
    if not isinstance(params, Mapping):
        return
    ls.session.state.editor_state_is_sent = True
    named = params.get("textDocument")
    uri = named.get("uri") if isinstance(named, Mapping) else None
    document = ls.session.state.documents.get(uri) if isinstance(uri, str) else None
    if document is None:
        return
    event = params.get("event")
    document.told(
        EditorState(
            caret=_place(ls, document, params.get("caret")),
            selections=_selections(ls, document, params.get("selections")),
            last_event=event if event in EVENTS else "",
        )
    )
    ls.session.caret_moved(document)


def _selections(ls: LingCoderServer, document: Document, value: Any) -> tuple[tuple[Place, Place], ...]:
    found = []
    for selection in value if isinstance(value, list) else ():
        if isinstance(selection, Mapping):
            start = _place(ls, document, selection.get("start"))
            end = _place(ls, document, selection.get("end"))
            if start is not None and end is not None:
                found.append((start, end))
    return tuple(found)


def _place(ls: LingCoderServer, document: Document, value: Any) -> Place | None:
    if not isinstance(value, Mapping):
        return None
    line, character = value.get("line"), value.get("character")
    if not (type(line) is int and type(character) is int and line >= 0 and character >= 0):
        return None
    return from_lsp.place_of(types.Position(line=line, character=character), document.lines, ls.encoding)
