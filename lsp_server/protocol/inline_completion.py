"""`textDocument/inlineCompletion`: ghost text, asked for by a pause in typing or by key."""

from __future__ import annotations

from lsprotocol import types

from lsp_server.protocol import from_lsp, to_lsp
from lsp_server.protocol.language_server import LingCoderServer


async def inline_completion(ls: LingCoderServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """One suggestion, or an empty list."""
    uri = params.text_document.uri
    document = ls.session.state.documents.get(uri)
    # Before the first await: documents change while we wait.
    place = from_lsp.place_of(params.position, document.lines, ls.encoding) if document else (0, 0)
    snapshot = document.snapshot(*place) if document else None
    invoked = params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    outcome = await ls.session.complete(uri, place, invoked=invoked)
    if snapshot is None:
        return types.InlineCompletionList(items=[])
    return to_lsp.inline_list(outcome, snapshot, ls.encoding)
