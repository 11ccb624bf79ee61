"""`textDocument/inlineCompletion`: ghost text, asked for by a pause in typing or by key."""

from __future__ import annotations

from lsprotocol import types

from lsp_server.outcome import Outcome, Skip
from lsp_server.protocol import from_lsp, to_lsp
from lsp_server.protocol.language_server import LingCoderServer


async def inline_completion(ls: LingCoderServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """One suggestion, or an empty list."""
    document = ls.session.state.documents.get(params.text_document.uri)
    if document is None:
        ls.session.state.statistics.count(Outcome(skip=Skip.CLOSED))
        return types.InlineCompletionList(items=[])
    # Before the first await: documents change while we wait.
    snapshot = document.snapshot(*from_lsp.place_of(params.position, document.lines, ls.encoding))
    invoked = params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    chosen = from_lsp.chosen_item(params.context.selected_completion_info, document.lines, ls.encoding)
    if chosen is None:
        outcome = await ls.session.complete(snapshot, invoked=invoked)
        return to_lsp.inline_list(outcome, snapshot, ls.encoding)
    # The editor shows only what begins with the item that is chosen in its popup.
    outcome = await ls.session.complete(snapshot.with_replaced(*chosen), invoked=invoked)
    return to_lsp.inline_list(to_lsp.after_chosen(outcome, snapshot, *chosen), snapshot, ls.encoding)
