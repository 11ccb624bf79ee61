"""What follows a document's edits: its tree, and what is known of the person."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lsp_server.protocol import document_sync
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.server import build_server
from lsp_server.state import Document

URI = "file:///a.py"
LONG = "def f(a):\n    return a\n\n" * 3000


class Screen:
    """Takes what the server writes."""

    def write(self, data: bytes) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def server() -> LingCoderServer:
    server = build_server("none")
    server.protocol.set_writer(Screen())
    receive(server, id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}})
    return server


def receive(server: LingCoderServer, **message: Any) -> None:
    """As if it had come over the wire."""
    body = json.dumps({"jsonrpc": "2.0", **message})
    server.protocol.handle_message(json.loads(body, object_hook=server.protocol.structure_message))


def open_document(server: LingCoderServer, text: str) -> Document:
    document = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    receive(server, method="textDocument/didOpen", params={"textDocument": document})
    return server.session.state.documents[URI]


def change(server: LingCoderServer, *changes: dict[str, Any]) -> None:
    document = {"uri": URI, "version": server.session.state.documents[URI].version + 1}
    receive(server, method="textDocument/didChange", params={"textDocument": document, "contentChanges": changes})


def at(line: int, start: int, end: int, text: str) -> dict[str, Any]:
    places = ({"line": line, "character": column} for column in (start, end))
    return {"range": dict(zip(("start", "end"), places, strict=True)), "text": text}


async def test_requests_see_the_tree_of_the_text(server: LingCoderServer) -> None:
    """After opening, after each change, and after all of the text came anew."""
    document = open_document(server, "x = 😀\n")
    for changes in (
        [at(0, 4, 6, "f(1")],
        [at(0, 7, 7, ")"), at(0, 0, 0, "é")],
        [{"text": "def f():\n    pass\n"}],
        [],
    ):
        change(server, *changes)
        found = document.snapshot(0, 0).syntax
        assert found is not None
        assert found.lines == tuple(document.lines)
    syntax = document.snapshot(0, 0).syntax
    assert syntax is not None
    assert syntax.node_types_at(0)[-2:] == ("function_definition", "module")
    assert syntax.errors() == 0


async def test_a_long_parse_leaves_room_for_others(server: LingCoderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on by slices whenever the loop has nothing else to do, and its snapshots get the tree at last."""
    monkeypatch.setattr(document_sync, "SLICE_MS", 0.0)
    document = open_document(server, LONG)
    early = document.snapshot(0, 0)
    assert early.syntax is None
    turns = 0
    change(server, at(0, 0, 0, "# "))
    late = document.snapshot(0, 0)
    while late.syntax is None:
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    assert early.syntax is not None
    assert early.syntax.lines == early.lines
    assert late.syntax.lines == late.lines
    assert not document.tree.is_taken_on


async def test_closing_ends_the_work(server: LingCoderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody parses for a document that is gone, or for one that another has taken the place of."""
    monkeypatch.setattr(document_sync, "SLICE_MS", 0.0)
    document = open_document(server, LONG)
    other = open_document(server, LONG)
    receive(server, method="textDocument/didClose", params={"textDocument": {"uri": URI}})
    while document.tree.is_taken_on or other.tree.is_taken_on:  # noqa: ASYNC110  # what is waited for is a turn
        await asyncio.sleep(0)
    assert document.snapshot(0, 0).syntax is other.snapshot(0, 0).syntax is None


async def test_what_the_person_does_is_in_the_snapshot(server: LingCoderServer) -> None:
    """Deletions from the edits; selections and dismissals from what the editor tells."""
    document = open_document(server, "abcdef\n")
    for _ in range(3):
        change(server, at(0, 0, 1, ""))
    assert document.snapshot(0, 0).editor.deletions_in_a_row == 3
    start, end = {"line": 0, "character": 0}, {"line": 0, "character": 2}
    state = {"textDocument": {"uri": URI}, "caret": end, "selections": [{"start": start, "end": end}]}
    receive(server, method="lingCoder/editorState", params=state)
    assert document.snapshot(0, 0).editor.selections == (((0, 0), (0, 2)),)
    change(server, at(0, 0, 2, "x"))
    seen = document.snapshot(0, 1).editor
    assert (seen.selections, seen.deletions_in_a_row) == ((), 0)
    for _ in range(2):
        receive(server, method="lingCoder/editorState", params={**state, "event": "dismissed"})
    seen = document.snapshot(0, 0).editor
    assert seen.dismissals_in_a_row == 2
    assert 0 <= seen.since_dismissal_s < 60
    receive(server, method="lingCoder/editorState", params={**state, "event": "accepted"})
    assert document.snapshot(0, 0).editor.dismissals_in_a_row == 0


async def test_several_carets_stay_while_they_type(server: LingCoderServer) -> None:
    """The editor does not tell again at each key."""
    document = open_document(server, "ab\ncd\n")
    carets = [{"line": line, "character": 0} for line in (0, 1)]
    selections = [{"start": caret, "end": caret} for caret in carets]
    receive(server, method="lingCoder/editorState", params={"textDocument": {"uri": URI}, "selections": selections})
    change(server, at(1, 0, 0, "x"), at(0, 0, 0, "x"))
    assert len(document.snapshot(0, 0).editor.selections) == 2
