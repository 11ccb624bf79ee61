"""The server object, without a process."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.server import build_server


class Screen:
    """Takes what the server writes."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def server(screen: Screen) -> LingCoderServer:
    server = build_server("none")
    server.protocol.set_writer(screen)
    receive(server, id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}})
    return server


def receive(server: LingCoderServer, **message: Any) -> None:
    """As if it had come over the wire."""
    body = json.dumps({"jsonrpc": "2.0", **message})
    server.protocol.handle_message(json.loads(body, object_hook=server.protocol.structure_message))


def test_there_is_one_copy_of_each_text(server: LingCoderServer) -> None:
    """The library keeps none: its own would count lines and columns in another way."""
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x"}
    place = {"line": 0, "character": 1}
    change = {"range": {"start": place, "end": place}, "text": "y"}
    receive(server, method="textDocument/didOpen", params={"textDocument": document})
    edited = {"uri": "file:///a.py", "version": 2}
    receive(server, method="textDocument/didChange", params={"textDocument": edited, "contentChanges": [change]})
    assert list(server.session.state.documents["file:///a.py"].lines) == ["xy"]
    assert server.workspace.text_documents == {}
    receive(server, method="textDocument/didClose", params={"textDocument": {"uri": "file:///a.py"}})
    assert server.session.state.documents == {}


def test_folders_come_and_go(server: LingCoderServer) -> None:
    """Paths of open documents follow them."""
    document = {"uri": "file:///project/src/a.py", "languageId": "python", "version": 1, "text": ""}
    receive(server, method="textDocument/didOpen", params={"textDocument": document})
    opened = server.session.state.documents["file:///project/src/a.py"]
    assert opened.path == "a.py"
    work = {"uri": "file:///project", "name": "work"}
    change = "workspace/didChangeWorkspaceFolders"
    receive(server, method=change, params={"event": {"added": [work], "removed": []}})
    assert opened.path == "src/a.py"
    receive(server, method=change, params={"event": {"added": [], "removed": [work]}})
    assert opened.path == "a.py"


def test_an_error_of_a_handler_is_logged_without_its_message(
    server: LingCoderServer, screen: Screen, caplog: pytest.LogCaptureFixture
) -> None:
    """Its message may hold code; nothing is shown to the user."""

    def broken(params: Any) -> None:
        raise KeyError("the_users_code")

    register: Any = server.feature
    register("test/broken")(broken)
    before = screen.written
    with caplog.at_level(logging.DEBUG):
        receive(server, method="test/broken", params={})
    assert screen.written == before
    assert "KeyError" in caplog.text
    assert "the_users_code" not in caplog.text


async def test_editor_state_is_kept_with_its_document(server: LingCoderServer) -> None:
    """Positions become places in characters; what cannot be understood is left out."""
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "'😀' = 1\n"}
    receive(server, method="textDocument/didOpen", params={"textDocument": document})
    after_the_smiley, start = {"line": 0, "character": 3}, {"line": 0, "character": 0}
    state = {
        "textDocument": {"uri": "file:///a.py"},
        "caret": after_the_smiley,
        "selections": [{"start": start, "end": after_the_smiley}, {"start": start}, "all"],
        "event": "dismissed",
    }
    receive(server, method="lingCoder/editorState", params=state)
    kept = server.session.state.documents["file:///a.py"].editor
    assert kept is not None
    assert (kept.caret, kept.selections, kept.last_event) == ((0, 2), (((0, 0), (0, 2)),), "dismissed")
    receive(server, method="lingCoder/editorState", params={**state, "caret": {"line": -1}, "event": "exploded"})
    kept = server.session.state.documents["file:///a.py"].editor
    assert kept is not None
    assert (kept.caret, kept.last_event) == (None, "")
