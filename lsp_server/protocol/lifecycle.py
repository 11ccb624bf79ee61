"""From `initialize` to `shutdown`. Nothing here waits for the model: `initialize` is answered before loading begins."""

from __future__ import annotations

import asyncio
import logging

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability

from lsp_server.protocol import completion_list, configuration, from_lsp
from lsp_server.protocol.language_server import LingCoderServer

logger = logging.getLogger(__name__)

_CLOSE_LIMIT_S = 2


def initialize(ls: LingCoderServer, params: types.InitializeParams) -> None:
    """Take over what the editor says about itself; what it is answered follows from the registered features."""
    ls.encoding = from_lsp.encoding_of(ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities))
    ls.session.state.folders = _folders(params)
    configuration.read_initial(ls, params.initialization_options)
    if not get_capability(params.capabilities, "text_document.inline_completion"):
        completion_list.register(ls)


async def initialized(ls: LingCoderServer, params: types.InitializedParams) -> None:
    """The editor is ready: ask for its settings, then begin to load the model they name."""
    configuration.log_problems(ls, ls.session.state.problems)
    await configuration.pull(ls)
    if ls.protocol.shut_down:
        return  # the editor left while it was asked for its settings
    await ls.session.start_engine()
    await configuration.watch(ls)


async def shutdown(ls: LingCoderServer, params: None) -> None:
    """End all work and let go of the engine; one that does not let go in time is left behind."""
    try:
        await asyncio.wait_for(ls.session.close(), _CLOSE_LIMIT_S)
    except asyncio.TimeoutError:
        logger.warning("The engine did not let go within %d s.", _CLOSE_LIMIT_S)


def _folders(params: types.InitializeParams) -> list[str]:
    if params.workspace_folders:
        return [folder.uri for folder in params.workspace_folders]
    return [params.root_uri] if params.root_uri else []
