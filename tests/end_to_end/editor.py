"""An editor for tests: a real LSP client in front of the real server process. `█` marks the caret."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.protocol import JsonRPCNotification, JsonRPCResponseMessage, default_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import register_lsp_features

ROOT = Path(__file__).parents[2]
CARET = "█"
PATIENCE_S = 20
"""Longer than anything takes on a busy machine; a test that gets here has failed."""

ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
UNIT_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def units(text: str, encoding: str) -> int:
    """Length as the protocol counts it; written another way than in the product on purpose."""
    return len(text.encode(ENCODINGS[encoding], "surrogatepass")) // UNIT_BYTES[encoding]


def split(text: str) -> list[str]:
    """Lines with their ends, as LSP counts lines."""
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


@dataclass
class Buffer:
    """One open document as the editor sees it."""

    uri: str
    text: str
    caret: int
    encoding: str
    version: int = 1

    def position(self, offset: int) -> types.Position:
        """The position of a character."""
        lines = split(self.text[:offset])
        return types.Position(line=len(lines) - 1, character=units(lines[-1], self.encoding))

    def with_item(self, item: types.InlineCompletionItem) -> str:
        """The text after the suggestion was accepted."""
        assert item.range is not None
        assert isinstance(item.insert_text, str)
        start, end = self._offset(item.range.start), self._offset(item.range.end)
        return self.text[:start] + item.insert_text + self.text[end:]

    def _offset(self, position: types.Position) -> int:
        lines = split(self.text)
        line = lines[position.line].encode(ENCODINGS[self.encoding], "surrogatepass")
        before = line[: position.character * UNIT_BYTES[self.encoding]]
        return sum(map(len, lines[: position.line])) + len(before.decode(ENCODINGS[self.encoding], "surrogatepass"))


class Editor:
    """One client and its server process."""

    def __init__(self, settings: Any = None) -> None:
        self.client = LanguageClient(converter_factory=_converter, configuration={"": {"lingCoder": settings}})
        register_lsp_features(self.client)
        self.result: types.InitializeResult | None = None
        self.statuses: list[dict[str, Any]] = []
        self.registrations: list[types.Registration] = []
        self._news = asyncio.Event()
        self._listen()

    def _listen(self) -> None:
        def on_status(params: dict[str, Any]) -> None:
            self.statuses.append(params)
            self._news.set()

        def on_registration(params: types.RegistrationParams) -> None:
            self.registrations += params.registrations
            self._news.set()

        feature: Any = self.client.feature
        feature("lingCoder/status")(on_status)
        feature(types.CLIENT_REGISTER_CAPABILITY)(on_registration)

    @staticmethod
    def command(engine: str, *arguments: str) -> tuple[str, ...]:
        """What starts a server."""
        return (sys.executable, "-m", "lsp_server", "serve", "--engine", engine, *arguments)

    @property
    def encoding(self) -> str:
        """The negotiated position encoding."""
        assert self.result is not None
        encoding = self.result.capabilities.position_encoding
        return getattr(encoding, "value", encoding) or "utf-16"

    # ---- documents

    def open(self, marked: str, uri: str = "file:///project/example.py", language: str = "python") -> Buffer:
        """Open a document; without a `█` the caret is at the end."""
        before, _, after = marked.partition(CARET)
        buffer = Buffer(uri, before + after, len(before), self.encoding)
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=buffer.text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return buffer

    def type(self, buffer: Buffer, text: str, version: int | None = None) -> None:
        """Insert text at the caret."""
        place = buffer.position(buffer.caret)
        buffer.version = buffer.version + 1 if version is None else version
        change = types.TextDocumentContentChangePartial(range=types.Range(start=place, end=place), text=text)
        identifier = types.VersionedTextDocumentIdentifier(uri=buffer.uri, version=buffer.version)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=identifier, content_changes=[change])
        )
        buffer.text = buffer.text[: buffer.caret] + text + buffer.text[buffer.caret :]
        buffer.caret += len(text)

    def tell_caret(self, buffer: Buffer) -> None:
        """Tell where the caret is."""
        place = buffer.position(buffer.caret)
        caret = {"line": place.line, "character": place.character}
        self.client.protocol.notify("lingCoder/editorState", {"textDocument": {"uri": buffer.uri}, "caret": caret})

    def close(self, buffer: Buffer) -> None:
        """Close a document."""
        identifier = types.TextDocumentIdentifier(uri=buffer.uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=identifier))

    # ---- requests

    def params(
        self, buffer: Buffer, *, invoked: bool = False, chosen: tuple[int, str] | None = None
    ) -> types.InlineCompletionParams:
        """Ask at the caret; `chosen` is an item of the popup: the characters it replaces, and its text."""
        kind = types.InlineCompletionTriggerKind
        return types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=buffer.uri),
            position=buffer.position(buffer.caret),
            context=types.InlineCompletionContext(
                trigger_kind=kind.Invoked if invoked else kind.Automatic,
                selected_completion_info=self._chosen(buffer, *chosen) if chosen else None,
            ),
        )

    def _chosen(self, buffer: Buffer, replaced: int, text: str) -> types.SelectedCompletionInfo:
        start, end = buffer.position(buffer.caret - replaced), buffer.position(buffer.caret)
        return types.SelectedCompletionInfo(range=types.Range(start=start, end=end), text=text)

    def request(self, buffer: Buffer, *, invoked: bool = True, number: str | None = None) -> asyncio.Future[Any]:
        """Ask without waiting for the answer."""
        params = self.params(buffer, invoked=invoked)
        protocol = self.client.protocol
        method = types.TEXT_DOCUMENT_INLINE_COMPLETION
        return asyncio.wrap_future(protocol.send_request(method, params, msg_id=number))

    async def items(self, buffer: Buffer, *, invoked: bool = False) -> list[types.InlineCompletionItem]:
        """The suggestions at the caret."""
        answer = await asyncio.wait_for(self.request(buffer, invoked=invoked), PATIENCE_S)
        return list(answer.items)

    async def accepted(self, buffer: Buffer, *, invoked: bool = False) -> str | None:
        """The text after the suggestion was accepted, `None` when there is none."""
        items = await self.items(buffer, invoked=invoked)
        return buffer.with_item(items[0]) if items else None

    async def stats(self) -> dict[str, Any]:
        """The answer to `lingCoder/stats`."""
        protocol: Any = self.client.protocol
        answer: dict[str, Any] = await asyncio.wait_for(
            protocol.send_request_async("lingCoder/stats", None), PATIENCE_S
        )
        return answer

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[Counter[str]]:
        """How many requests end in which way inside of the block; filled in at its end."""
        before = Counter((await self.stats())["outcomes"])
        counted: Counter[str] = Counter()
        yield counted
        counted.update((await self.stats())["outcomes"])
        counted.subtract(before)
        for label in [label for label, count in counted.items() if count == 0]:
            del counted[label]

    async def until(self, condition: Any) -> None:
        """Wait for news from the server that make `condition()` true."""

        async def wait() -> None:
            while not condition():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), PATIENCE_S)

    async def status(self, state: str) -> dict[str, Any]:
        """Wait until the server has told this state."""
        await self.until(lambda: any(status["state"] == state for status in self.statuses))
        return next(status for status in self.statuses if status["state"] == state)


def _converter() -> Any:
    """Our own messages as plain objects; pygls would turn them into named tuples, whose names lose the hyphens."""
    converter: Any = default_converter()  # type: ignore[no-untyped-call]
    for kind in (JsonRPCResponseMessage, JsonRPCNotification):
        converter.register_structure_hook(kind, lambda data, cls: cls(**data))
    return converter


def capabilities(
    *,
    inline: bool = True,
    encodings: list[str] | None = None,
    configuration: bool = False,
    watch: bool = False,
) -> types.ClientCapabilities:
    """What the editor can do."""
    workspace = types.WorkspaceClientCapabilities(
        configuration=configuration,
        did_change_configuration=types.DidChangeConfigurationClientCapabilities(dynamic_registration=watch),
    )
    return types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities() if inline else None
        ),
        general=types.GeneralClientCapabilities(position_encodings=encodings),
        workspace=workspace,
    )


@asynccontextmanager
async def running_editor(
    engine: str,
    *arguments: str,
    able: types.ClientCapabilities | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Any = None,
) -> AsyncIterator[Editor]:
    """An editor whose server has answered `initialize`; at the end nothing is left, and nothing was shown.

    Args:
        engine: value for `--engine`.
        arguments: more arguments of `serve`.
        able: what the editor can do.
        options: `initializationOptions`.
        settings: answer to `workspace/configuration`.
    """
    editor = Editor(settings)
    await editor.client.start_io(*editor.command(engine, *arguments), cwd=ROOT)
    params = types.InitializeParams(
        capabilities=able or capabilities(),
        initialization_options=options,
        workspace_folders=[types.WorkspaceFolder(uri="file:///project", name="project")],
    )
    editor.result = await asyncio.wait_for(editor.client.initialize_session(params), PATIENCE_S)
    try:
        yield editor
    finally:
        await asyncio.wait_for(editor.client.shutdown_session(), PATIENCE_S)
        process = editor.client._server
        await editor.client.stop()  # type: ignore[no-untyped-call]
    assert process is not None
    assert process.returncode == 0, "the server did not end as it should"
    assert editor.client.messages == [], "the user was shown something nobody asked for"
