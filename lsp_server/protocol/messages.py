"""What pygls leaves unanswered gets its one answer here, and open documents are kept in one place only.

- pygls reads parameters while it parses JSON: a request that it cannot read is dropped there and never answered. Such a
  message is turned into one for an internal method, whose handler refuses it.
- pygls keeps texts of its own: they break at U+2028 and form feed, and reading them changes the parameters. The
  document methods are overridden, so that only our handlers see the text.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    LanguageServerProtocol,
    lsp_method,
)

if TYPE_CHECKING:
    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

_REFUSE = "lingCoder/internal/refuse"
_VERSION = "2.0"

Handling = Generator[Any, Any, Any]
"""What pygls wants of a built-in method: it yields the handlers to call, with their arguments."""


class LingCoderProtocol(LanguageServerProtocol):
    """JSON-RPC in which every request gets exactly one answer."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        self.initialized = False
        self.shut_down = False
        super().__init__(server, converter)

    # ---- messages

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message from its JSON object; pygls calls this for every object inside of it, too."""
        if "jsonrpc" not in data:
            return data
        if "method" not in data:
            return self._response(data)
        if "id" not in data:
            return self._notification(data)
        error = self._objection(data)
        if error is not None:
            return _refusal(data, error)
        if self.get_message_type(data["method"]) is None:
            return JsonRPCRequestMessage(data["id"], data["method"], _VERSION, data.get("params"))
        try:
            return super().structure_message(data)
        except JsonRpcException:
            return _refusal(data, JsonRpcInvalidParams(f"The parameters of {data['method']} cannot be understood."))

    def handle_message(self, message: Any) -> None:
        """Work on one message; what is none is refused where it looks like a request, else ignored."""
        if isinstance(message, dict) and "id" in message and "method" in message:
            message = _refusal(message, JsonRpcInvalidRequest('A message needs `"jsonrpc": "2.0"`.'))
        if hasattr(message, "jsonrpc"):
            super().handle_message(message)

    def _objection(self, data: dict[str, Any]) -> JsonRpcException | None:
        """Why a request is not even looked at."""
        method, number = data["method"], data["id"]
        if data["jsonrpc"] != _VERSION or not isinstance(method, str) or not _is_id(number):
            return JsonRpcInvalidRequest("This is no request of JSON-RPC 2.0.")
        if method == _REFUSE:
            return JsonRpcMethodNotFound(f"There is no method {method}.")
        if self.shut_down:
            return JsonRpcInvalidRequest("The server was shut down.")
        if not self.initialized and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized("The server was not initialized yet.")
        if self.initialized and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("The server was initialized before.")
        return None

    def _notification(self, data: dict[str, Any]) -> Any:
        method = data["method"]
        if not isinstance(method, str) or data["jsonrpc"] != _VERSION:
            return None
        if self.get_message_type(method) is None:
            return JsonRPCNotification(method, _VERSION, data.get("params"))
        try:
            return super().structure_message(data)
        except JsonRpcException:
            logger.warning("The parameters of %s cannot be understood.", method)
            return _closing(data.get("params")) if method == types.TEXT_DOCUMENT_DID_CHANGE else None

    def _response(self, data: dict[str, Any]) -> Any:
        """The answer to a request of ours; one that cannot be understood is an error, or we would wait for ever."""
        try:
            return super().structure_message(data)
        except JsonRpcException:
            problem = types.ResponseError(code=JsonRpcInvalidRequest.CODE, message="The answer cannot be understood.")
            number = data.get("id")
            return types.ResponseErrorMessage(id=number if _is_id(number) else None, error=problem)

    @lsp_method(_REFUSE)
    def lsp_refuse(self, error: JsonRpcException) -> None:
        """Answer a request with an error."""
        raise error

    # ---- life cycle

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Handling:
        """Requests are welcome from here on."""
        result = yield from super().lsp_initialize(params)
        self.initialized = True
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Handling:
        """From here on every request is refused; our handler ends what is being computed, so that all are answered."""
        self.shut_down = True
        yield from self._call_ours(types.SHUTDOWN, *args)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Handling:
        """Stop serving; the exit code will say whether there was a shutdown before."""
        yield from self._call_ours(types.EXIT, *args)
        if self.writer is not None:
            self.writer.close()
        self._server.shutdown()  # type: ignore[no-untyped-call]

    # ---- documents

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Handling:
        """Only our handler keeps the text."""
        yield from self._call_ours(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Handling:
        """Only our handler keeps the text."""
        yield from self._call_ours(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Handling:
        """Only our handler kept the text."""
        yield from self._call_ours(types.TEXT_DOCUMENT_DID_CLOSE, params)

    def _call_ours(self, method: str, *args: Any) -> Handling:
        handler = self.fm.features.get(method)
        if handler is not None:
            yield handler, args, None


def _is_id(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _closing(params: Any) -> types.DidCloseTextDocumentNotification | None:
    """What an edit that cannot be understood becomes: without it our copy is wrong, and no copy is better than that."""
    document = params.get("textDocument") if isinstance(params, dict) else None
    uri = document.get("uri") if isinstance(document, dict) else None
    if not isinstance(uri, str):
        return None
    identifier = types.TextDocumentIdentifier(uri=uri)
    return types.DidCloseTextDocumentNotification(params=types.DidCloseTextDocumentParams(text_document=identifier))


def _refusal(data: dict[str, Any], error: JsonRpcException) -> JsonRPCRequestMessage:
    number: Any = data["id"] if _is_id(data["id"]) else None
    return JsonRPCRequestMessage(number, _REFUSE, _VERSION, error)
