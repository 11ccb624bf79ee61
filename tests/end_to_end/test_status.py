"""What people are told about the engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.conftest import Script
from tests.end_to_end.editor import PATIENCE_S, Editor, capabilities, running_editor

pytestmark = pytest.mark.end_to_end

NEVER_MS = 1e9


async def test_loading_is_told(script: Script) -> None:
    """Each change of status is sent once, with the model and the layout of its prompts."""
    async with running_editor(script({"text": "hello()", "load_ms": 50})) as editor:
        ready = await editor.status("ready")
    assert editor.statuses[0] == {
        "state": "loading",
        "message": "Loading the script",
        "progressPercent": 0,
        "model": None,
        "mode": None,
    }
    assert [status["state"] for status in editor.statuses][:2] == ["loading", "ready"]
    assert (ready["model"], ready["mode"]) == ("scripted", "model")


async def test_while_the_model_loads(script: Script) -> None:
    """Who pauses gets an empty answer at once; who asks by key waits, up to a limit."""
    options = {"loadWaitMs": 100}
    async with running_editor(script({"text": "hello()", "load_ms": NEVER_MS}), options=options) as editor:
        buffer = editor.open("x = █")
        await editor.status("loading")
        async with editor.counting() as outcomes:
            assert await editor.items(buffer) == []
        assert outcomes == {"loading": 1}
        assert (await editor.stats())["last"]["ms"]["total"] < 100
        assert await editor.items(buffer, invoked=True) == []
        last = (await editor.stats())["last"]
        assert last["outcome"] == "loading"
        assert last["ms"]["total"] >= 100


async def test_asked_by_key_while_the_model_loads(script: Script) -> None:
    """The suggestion comes when the model is there."""
    async with running_editor(script({"text": "hello()", "load_ms": 300})) as editor:
        await editor.status("loading")
        request = editor.request(editor.open("x = █"))
        assert [status["state"] for status in editor.statuses] == ["loading"]
        assert [item.insert_text for item in (await request).items] == ["hello()"]


async def test_an_engine_that_cannot_be_made(tmp_path: Path) -> None:
    """The reason is told once, in the status and in the log, however often somebody asks."""
    async with running_editor(f"scripted:{tmp_path / 'nowhere.json'}") as editor:
        failed = await editor.status("failed")
        for _ in range(3):
            assert await editor.items(editor.open("x = █"), invoked=True) == []
        settings = types.DidChangeConfigurationParams(settings={"maxLines": 3})
        editor.client.workspace_did_change_configuration(settings)
        stats = await editor.stats()
    assert "nowhere.json" in failed["message"]
    assert stats["outcomes"] == {"engine-failed": 3}
    assert stats["last"]["detail"] == failed["message"]
    assert [status["state"] for status in editor.statuses] == ["failed"]
    assert [(log.type, log.message) for log in editor.client.log_messages] == [
        (types.MessageType.Error, failed["message"])
    ]


async def test_editor_state_is_help_not_a_condition(script: Script) -> None:
    """Without it the rules that need it are inactive; with it they are not, whatever it holds."""
    async with running_editor(script({"text": "hello()"})) as editor:
        buffer = editor.open("x = █")
        assert (await editor.stats())["editorState"] == "inactive"
        odd_ones: list[Any] = [None, [], 7, {"textDocument": 3}, {"textDocument": {"uri": buffer.uri}, "caret": "here"}]
        for odd in odd_ones:
            editor.client.protocol.notify("lingCoder/editorState", odd)
        place = {"line": 0, "character": 4}
        state = {"textDocument": {"uri": buffer.uri}, "caret": place, "selections": [{"start": place, "end": place}]}
        editor.client.protocol.notify("lingCoder/editorState", {**state, "event": "shown"})
        assert (await editor.stats())["editorState"] == "active"
        await editor.status("ready")
        assert await editor.accepted(buffer) == "x = hello()"


@pytest.mark.parametrize("inline", [True, False])
async def test_the_popup_is_for_editors_without_ghost_text(script: Script, inline: bool) -> None:
    """`textDocument/completion` is offered only where nothing better can be shown."""
    async with running_editor(script({"text": "hello()"}), able=capabilities(inline=inline)) as editor:
        assert editor.result is not None
        offered = editor.result.capabilities
    assert (offered.completion_provider is None) == inline
    assert offered.inline_completion_provider is not None
    assert offered.text_document_sync == types.TextDocumentSyncOptions(
        open_close=True, change=types.TextDocumentSyncKind.Incremental, save=False
    )


async def test_the_popup_never_waits(script: Script) -> None:
    """It is empty at first and says that there may be more; what was computed meanwhile is there the next time."""
    async with running_editor(script({"text": "nt(x)"}), able=capabilities(inline=False)) as editor:
        await editor.status("ready")
        buffer = editor.open("x = 1\npri█\n")
        params = types.CompletionParams(
            text_document=types.TextDocumentIdentifier(uri=buffer.uri), position=buffer.position(buffer.caret)
        )
        answer = await popup(editor, params)
        assert (answer.is_incomplete, list(answer.items)) == (True, [])
        answer = await asyncio.wait_for(filled_popup(editor, params), PATIENCE_S)
        (item,) = answer.items
        assert (await editor.stats())["outcomes"] == {"shown": 1}
    assert item.label == item.filter_text == "print(x)"
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text == "print(x)"
    assert item.text_edit.range.start == types.Position(line=1, character=0)
    assert item.text_edit.range.end == types.Position(line=1, character=3)


async def popup(editor: Editor, params: types.CompletionParams) -> types.CompletionList:
    """What is there at once."""
    answer = await editor.client.text_document_completion_async(params)
    assert isinstance(answer, types.CompletionList)
    return answer


async def filled_popup(editor: Editor, params: types.CompletionParams) -> types.CompletionList:
    """Ask until something is there: that it was computed is told to nobody."""
    while not (answer := await popup(editor, params)).items:
        pass
    return answer
