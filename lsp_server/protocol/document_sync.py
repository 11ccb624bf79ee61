"""Opening, editing and closing documents. Edits are applied in their order of arrival."""

from __future__ import annotations

import logging

from lsprotocol import types

from lsp_server.documents.text_lines import TextLines
from lsp_server.protocol import from_lsp
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.state import Document

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


def did_change(ls: LingCoderServer, params: types.DidChangeTextDocumentParams) -> None:
    """Apply the edits, each to what the ones before it left."""
    document = ls.session.state.documents.get(params.text_document.uri)
    if document is None:
        logger.warning("An edit of a document that is not open was ignored.")
        return
    for change in params.content_changes:
        document.lines = from_lsp.apply_change(change, document.lines, ls.encoding)
    ls.session.changed(document, params.text_document.version)


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
