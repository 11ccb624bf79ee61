"""Which handler answers which message."""

from __future__ import annotations

from functools import partial

from lsprotocol import types

from lsp_server.protocol import (
    configuration,
    document_sync,
    editor_state,
    inline_completion,
    lifecycle,
    stats,
    status,
    trace,
)
from lsp_server.protocol.language_server import LingCoderServer


def register_all(ls: LingCoderServer) -> None:
    """Hand every handler to pygls. What depends on the editor is registered in `lifecycle.initialize`."""
    ls.feature(types.INITIALIZE)(lifecycle.initialize)
    ls.feature(types.INITIALIZED)(lifecycle.initialized)
    ls.feature(types.SHUTDOWN)(lifecycle.shutdown)
    ls.feature(types.TEXT_DOCUMENT_DID_OPEN)(document_sync.did_open)
    ls.feature(types.TEXT_DOCUMENT_DID_CHANGE)(document_sync.did_change)
    ls.feature(types.TEXT_DOCUMENT_DID_CLOSE)(document_sync.did_close)
    ls.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(document_sync.did_change_workspace_folders)
    ls.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(configuration.did_change_configuration)
    # Without options nothing is advertised.
    options = types.InlineCompletionOptions()
    ls.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, options)(inline_completion.inline_completion)
    ls.feature(editor_state.METHOD)(editor_state.editor_state)
    ls.feature(stats.METHOD)(stats.stats)
    ls.feature(trace.METHOD)(trace.trace)
    ls.session.on_status(partial(status.report, ls))
