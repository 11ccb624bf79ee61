"""The other side of the protocol: an editor without a window, for the benchmark and the demo."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import threading
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient
from pygls.protocol import JsonRPCNotification, JsonRPCResponseMessage, default_converter

from lsp_server.documents.text_lines import split_lines
from lsp_server.errors import CompletionError

PATIENCE_S = 600

Suggested = types.InlineCompletionItem


class Editor:
    """A real client in front of a real server process; texts are plain strings, places are offsets in characters."""

    def __init__(self, options: list[str]) -> None:
        self._command = (sys.executable, "-m", "lsp_server", "serve", *options)
        self._client = LanguageClient("ling-coder-driver", "1", converter_factory=_plain_converter)
        self._protocol: Any = self._client.protocol
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._numbers = itertools.count()
        self._asked = ""
        self._server: asyncio.subprocess.Process | None = None
        self.statuses: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def start(self, settings: dict[str, Any] | None = None) -> None:
        """Start the server and get through `initialize`."""
        pipe = asyncio.subprocess.PIPE
        # In a session of its own: Ctrl-C is for us, and we end the server.
        self._server = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, start_new_session=True
        )
        listen: Any = self._client.feature
        listen("lingCoder/status")(lambda params: self.statuses.put_nowait(params))
        listen(types.WINDOW_LOG_MESSAGE)(lambda params: None)
        self._protocol.set_writer(self._server.stdin)
        reader: Any = self._server.stdout
        self._reading = asyncio.ensure_future(run_async(threading.Event(), reader, self._protocol))
        able = types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf32]),
            text_document=types.TextDocumentClientCapabilities(
                inline_completion=types.InlineCompletionClientCapabilities()
            ),
        )
        params = types.InitializeParams(capabilities=able, initialization_options=settings)
        await self._answered(self._client.initialize_async(params))
        self._client.initialized(types.InitializedParams())

    async def wait_until_loaded(self) -> dict[str, Any]:
        """Wait for the model.

        Raises:
            CompletionError: it cannot be loaded.
        """
        while True:
            status = await self._answered(asyncio.wait_for(self.statuses.get(), PATIENCE_S))
            if status["state"] == "failed":
                raise CompletionError(status["message"])
            if status["state"] == "ready":
                return dict(status)

    def open(self, uri: str, text: str, language: str) -> None:
        """Open a document."""
        self._texts[uri], self._versions[uri] = text, 1
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def replace(self, uri: str, start: int, end: int, text: str) -> None:
        """Edit a document."""
        places = types.Range(start=self._position(uri, start), end=self._position(uri, end))
        self._texts[uri] = self._texts[uri][:start] + text + self._texts[uri][end:]
        self._versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self._versions[uri])
        change = types.TextDocumentContentChangePartial(range=places, text=text)
        self._client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        )

    async def ask(self, uri: str, offset: int, *, invoked: bool = False) -> list[Suggested]:
        """The suggestions for a place."""
        return _items(await self._answered(self.begin_to_ask(uri, offset, invoked=invoked)))

    async def suggested(self, request: asyncio.Future[Any]) -> list[Suggested] | None:
        """What a request brings that is on its way; `None` when it was called off or failed."""
        try:
            return _items(await self._answered(request))
        except JsonRpcException:
            return None

    def place_of(self, uri: str, item: Suggested) -> tuple[int, int, str]:
        """Start and end of the characters that a suggestion replaces, and its text."""
        assert item.range is not None, "our server always says what is replaced"
        assert isinstance(item.insert_text, str), "our server sends no snippets"
        return self._offset(uri, item.range.start), self._offset(uri, item.range.end), item.insert_text

    def begin_to_ask(self, uri: str, offset: int, *, invoked: bool = False) -> asyncio.Future[Any]:
        """The request for a place on its way; cancelling the future does not reach the server, `call_off` does."""
        kinds = types.InlineCompletionTriggerKind
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            position=self._position(uri, offset),
            context=types.InlineCompletionContext(trigger_kind=kinds.Invoked if invoked else kinds.Automatic),
        )
        self._asked = f"ask-{next(self._numbers)}"
        future: asyncio.Future[Any] = asyncio.ensure_future(
            self._protocol.send_request_async(types.TEXT_DOCUMENT_INLINE_COMPLETION, params, self._asked)
        )
        return future

    def call_off(self) -> None:
        """Cancel the newest request."""
        self._client.cancel_request(types.CancelParams(id=self._asked))

    async def stats(self) -> dict[str, Any]:
        """What `lingCoder/stats` says."""
        return dict(await self._answered(self._protocol.send_request_async("lingCoder/stats", None)))

    @property
    def process_id(self) -> int:
        """The server's."""
        assert self._server is not None, "it was not started"
        return self._server.pid

    async def stop(self) -> None:
        """End the session politely; nothing happens where there is none any more."""
        if self._server is None:
            return
        if not self._reading.done():
            with contextlib.suppress(CompletionError):  # it went by itself
                await self._answered(self._client.shutdown_async(None))
                self._client.exit(None)
        if self._server.stdin is not None:
            self._server.stdin.close()  # a server that was not told to go sees that nobody is there any more
        await asyncio.gather(self._reading, self._server.wait(), return_exceptions=True)

    def _position(self, uri: str, offset: int) -> types.Position:
        before = self._texts[uri][:offset]
        if "\r" not in before:  # much faster in a long file
            return types.Position(line=before.count("\n"), character=offset - before.rfind("\n") - 1)
        lines = split_lines(before)
        return types.Position(line=len(lines) - 1, character=len(lines[-1]))

    def _offset(self, uri: str, position: types.Position) -> int:
        lines = split_lines(self._texts[uri])
        return sum(map(len, lines[: position.line])) + position.character

    async def _answered(self, answer: Any) -> Any:
        """The answer, unless the server goes before it.

        Raises:
            CompletionError: it went.
        """
        waiting = asyncio.ensure_future(answer)
        await asyncio.wait({waiting, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            raise CompletionError("The server has gone.")
        return waiting.result()


def _items(answer: Any) -> list[Suggested]:
    return list(answer.items) if isinstance(answer, types.InlineCompletionList) else list(answer or [])


def _plain_converter() -> Any:
    """Our own messages as plain objects."""
    converter: Any = default_converter()  # type: ignore[no-untyped-call]
    for kind in (JsonRPCResponseMessage, JsonRPCNotification):
        converter.register_structure_hook(kind, lambda data, cls: cls(**data))
    return converter
