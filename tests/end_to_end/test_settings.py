"""Settings by every way in which editors send them."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types

from tests.conftest import Script
from tests.end_to_end.editor import PATIENCE_S, Editor, capabilities, running_editor

pytestmark = pytest.mark.end_to_end


def changed(editor: Editor, settings: object) -> None:
    """Tell the server that settings changed."""
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=settings))


async def test_unknown_and_wrong_settings(script: Script) -> None:
    """The server works with what is right, and one entry in the log lists the rest."""
    options = {"maxLines": "many", "colour": "red", "fimTemplate": "guess", "maxNewTokens": 3}
    async with running_editor(script({"text": "one two three four"}), options=options) as editor:
        await editor.status("ready")
        assert await editor.accepted(editor.open("x = █")) == "x = one two"
        problems = (await editor.stats())["problems"]
        (logged,) = editor.client.log_messages
    assert logged.type is types.MessageType.Warning
    assert len(problems) == 3
    for name in ("maxLines", "colour", "fimTemplate"):
        assert any(f"`lingCoder.{name}`" in problem for problem in problems)
        assert f"`lingCoder.{name}`" in logged.message


async def test_settings_are_pulled(script: Script) -> None:
    """An editor that can be asked is asked, and asked again when it says that something changed."""
    able = capabilities(configuration=True, watch=True)
    options = {"maxNewTokens": 50}
    settings = {"enabled": False}
    async with running_editor(script({"text": "hello()"}), able=able, options=options, settings=settings) as editor:
        await editor.until(lambda: editor.registrations)
        assert editor.registrations[0].method == types.WORKSPACE_DID_CHANGE_CONFIGURATION
        await editor.status("ready")
        assert await editor.items(editor.open("x = █")) == []
        editor.client.set_configuration({"enabled": True}, section="lingCoder")
        changed(editor, None)
        await settled(editor, "x = hello()")


async def test_settings_are_pushed(script: Script) -> None:
    """An editor that cannot be asked sends them along; what is left out goes back to what it was at the start."""
    async with running_editor(script({"text": "hello()"}), options={"enabled": False}) as editor:
        await editor.status("ready")
        changed(editor, {"lingCoder": {"enabled": True}})
        await settled(editor, "x = hello()")
        changed(editor, {"lingCoder": {}})
        await settled(editor, None)


async def test_switched_off(script: Script) -> None:
    """Nothing is computed by itself; who asks by key gets an answer."""
    async with running_editor(script({"text": "hello()"}), options={"enabled": False}) as editor:
        await editor.status("ready")
        buffer = editor.open("x = █")
        async with editor.counting() as outcomes:
            assert await editor.items(buffer) == []
            assert (await editor.stats())["tokens"] == {
                "reused": 0, "evaluated": 0, "generated": 0, "neverShown": 0,
            }  # fmt: skip
            assert await editor.accepted(buffer, invoked=True) == "x = hello()"
    assert outcomes == {"off": 1, "shown": 1}


async def test_another_model_is_loaded(script: Script) -> None:
    """A changed model closes the engine and starts another; other settings do not."""
    async with running_editor(script({"text": "hello()"})) as editor:
        await editor.status("ready")
        changed(editor, {"maxLines": 1})
        await editor.stats()
        assert [status["state"] for status in editor.statuses] == ["loading", "ready"]
        changed(editor, {"model": "another.gguf"})
        await editor.until(lambda: [status["state"] for status in editor.statuses].count("ready") == 2)


async def test_a_model_on_the_command_line_wins(script: Script) -> None:
    """What was given when the server was started is not changed by the editor."""
    async with running_editor(script({"text": "hello()"}), "--model", "mine.gguf") as editor:
        await editor.status("ready")
        changed(editor, {"model": "another.gguf"})
        await editor.stats()
        assert [status["state"] for status in editor.statuses] == ["loading", "ready"]


async def settled(editor: Editor, expected: str | None) -> None:
    """The server asks back before it uses new settings: ask until they show."""

    async def ask() -> None:
        while await editor.accepted(editor.open("x = █")) != expected:
            pass

    await asyncio.wait_for(ask(), PATIENCE_S)
