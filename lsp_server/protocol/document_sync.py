"""Opening, editing and closing documents. Edits are applied in their order of arrival."""

from __future__ import annotations

import asyncio
import logging

from lsprotocol import types

from lsp_server.documents.text_lines import TextLines
from lsp_server.protocol import from_lsp
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.state import Document

SLICE_MS = 2.0
"""A key never waits longer for the parser than this; in files of a thousand lines every edit is parsed in less."""

logger = logging.getLogger(__name__)


def did_open(ls: LingCoderServer, params: types.DidOpenTextDocumentParams) -> None:
    """Keep the text, by lines."""
    item = params.text_document
    document = Document(
        uri=item.uri,
        path=from_lsp.path_of(item.uri, ls.session.state.folders),
        language_id=item.language_id,
        version=item.version,
        lines=TextLines(from_lsp.clean_text(item.text)),
    )
    ls.session.open(document)
    parse_on(ls, document)


def did_change(ls: LingCoderServer, params: types.DidChangeTextDocumentParams) -> None:
    """Apply the edits, each to what the ones before it left."""
    document = ls.session.state.documents.get(params.text_document.uri)
    if document is None:
        logger.warning("An edit of a document that is not open was ignored.")
        return
    edits = [from_lsp.apply_change(change, document.lines, ls.encoding) for change in params.content_changes]
    document.edited(edits)
    ls.session.changed(document, params.text_document.version)
    parse_on(ls, document)


def parse_on(ls: LingCoderServer, document: Document) -> None:
    """Parse for a moment; where that is not enough, again and again when nothing else is to do."""
    is_open = ls.session.state.documents.get(document.uri) is document
    if is_open and not document.tree.is_taken_on and document.tree.work(SLICE_MS):
        document.tree.is_taken_on = True
        asyncio.get_running_loop().call_soon(_take_on, ls, document)


def _take_on(ls: LingCoderServer, document: Document) -> None:
    document.tree.is_taken_on = False
    parse_on(ls, document)


def did_close(ls: LingCoderServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forget everything about the document."""
    ls.session.close_document(params.text_document.uri)


def did_change_workspace_folders(ls: LingCoderServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Paths are relative to folders: tell the open documents."""
    state = ls.session.state
    removed = {folder.uri for folder in params.event.removed}
    state.folders = [uri for uri in state.folders if uri not in removed]
    state.folders += [folder.uri for folder in params.event.added if folder.uri not in state.folders]
    for document in state.documents.values():
        document.path = from_lsp.path_of(document.uri, state.folders)
