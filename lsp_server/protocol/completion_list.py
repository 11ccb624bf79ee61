"""`textDocument/completion` for editors without inline completion: the popup never waits for the model.

It gets at once what was computed for exactly this text and place; where nothing was, that is begun in the background,
and an incomplete list makes the editor ask again.
"""

from __future__ import annotations

import asyncio

from lsprotocol import types

from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.protocol import from_lsp, to_lsp
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.state import Document


def register(ls: LingCoderServer) -> None:
    """Offer the popup; before the answer to `initialize`, and only to editors that cannot show ghost text."""
    options = types.CompletionOptions(trigger_characters=["."])
    ls.feature(types.TEXT_DOCUMENT_COMPLETION, options)(completion)


def completion(ls: LingCoderServer, params: types.CompletionParams) -> types.CompletionList:
    """What is there already."""
    document = ls.session.state.documents.get(params.text_document.uri)
    if document is None:
        return types.CompletionList(is_incomplete=True, items=[])
    snapshot = document.snapshot(*from_lsp.place_of(params.position, document.lines, ls.encoding))
    place = (snapshot.caret_line, snapshot.caret_column)
    if place not in document.computed and document.computing != (snapshot.version, place):
        document.computing = (snapshot.version, place)
        task = asyncio.ensure_future(_compute(ls, document, snapshot))
        ls.background.add(task)
        task.add_done_callback(ls.background.discard)
    return to_lsp.completion_list(document.computed.get(place), snapshot, ls.encoding)


async def _compute(ls: LingCoderServer, document: Document, snapshot: DocumentSnapshot) -> None:
    place = (snapshot.caret_line, snapshot.caret_column)
    try:
        outcome = await ls.session.complete(snapshot, invoked=False)
    finally:
        if document.computing == (snapshot.version, place):
            document.computing = None
    if outcome.suggestion is not None and document.version == snapshot.version:
        document.computed[place] = outcome
