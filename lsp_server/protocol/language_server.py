"""The language server as pygls sees it. Errors go into the log, never onto the screen."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server import __version__
from lsp_server.documents.positions import PositionEncoding
from lsp_server.protocol.messages import LingCoderProtocol
from lsp_server.session import Session
from lsp_server.settings import DEFAULTS, Settings

logger = logging.getLogger(__name__)


class LingCoderServer(LanguageServer):
    """What every handler gets as `ls`."""

    protocol: LingCoderProtocol

    def __init__(self, session: Session, command_line: dict[str, Any] | None = None) -> None:
        quiet_libraries()
        super().__init__(name="ling-coder-lsp", version=__version__, protocol_cls=LingCoderProtocol)
        self.session = session
        self.command_line = command_line or {}
        """Settings given when the server was started: they win over the editor's."""
        self.initial_settings: Settings = DEFAULTS
        """Defaults with `initializationOptions` over them: what configuration is read over."""
        self.encoding = PositionEncoding.UTF16
        self.last_status: dict[str, Any] = {}
        """What the editor was last told with `lingCoder/status`."""
        self.logged_failure = ""
        """The engine's failure that was last logged: each is told once."""
        self.background: set[asyncio.Task[None]] = set()
        """Work that nobody awaits: the event loop alone would let it be collected."""

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what kind of error it was and where; its message may hold code. Errors of requests are in their answers.

        pygls would show a pop-up.
        """
        cause = sys.exc_info()[1] or error  # pygls wraps what a handler raised, and calls this while it is handled
        if isinstance(cause, JsonRpcException):
            logger.warning("A message was refused: %s %s", type(cause).__name__, cause.code)
            return
        places = traceback.extract_tb(cause.__traceback__)[-3:]
        where = " < ".join(f"{place.name}:{place.lineno}" for place in reversed(places))
        logger.error("%s in %s", type(cause).__name__, where or "an unknown place")

    def log_to_editor(self, kind: types.MessageType, message: str) -> None:
        """One line in the editor's log for this server; no pop-up."""
        self.window_log_message(types.LogMessageParams(type=kind, message=message))


def quiet_libraries() -> None:
    """Keep pygls silent: it prints messages, code and all: at INFO each, at ERROR those that could not be handled."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
