"""Inline completions, from the key to the ghost text."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types

from tests.end_to_end.editor import PATIENCE_S, Editor

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("invoked", [False, True])
async def test_completes_at_the_caret(editor: Editor, invoked: bool) -> None:
    """A pause in typing and the key both bring a suggestion."""
    async with editor.counting() as outcomes:
        buffer = editor.open("def main():\n    █\n")
        assert await editor.accepted(buffer, invoked=invoked) == "def main():\n    hello()\n"
    assert outcomes == {"shown": 1}


async def test_every_item_has_a_range_of_one_line(editor: Editor) -> None:
    """Editors show no ghost text for items without a range, or with one over several lines."""
    buffer = editor.open("# block\ndef main():\n    █")
    (item,) = await editor.items(buffer)
    assert item.insert_text == "first()\n    second()"
    assert item.range is not None
    assert item.range.start == item.range.end == buffer.position(buffer.caret)


async def test_follows_the_typing(editor: Editor) -> None:
    """The suggestion is for the text after all edits."""
    buffer = editor.open("x = █\ny = 2\n")
    for character in "say.":
        editor.type(buffer, character)
    assert await editor.accepted(buffer) == "x = say.hello()\ny = 2\n"


async def test_crlf(editor: Editor) -> None:
    """A file with CR LF gets CR LF, and lines are counted right."""
    buffer = editor.open("# block\r\ndef main():\r\n    █\r\n")
    assert await editor.accepted(buffer) == "# block\r\ndef main():\r\n    first()\r\n    second()\r\n"


async def test_silence_is_an_empty_list(editor: Editor) -> None:
    """A model with nothing to say is no error."""
    async with editor.counting() as outcomes:
        assert await editor.items(editor.open("# nothing\n█")) == []
    assert outcomes == {"empty": 1}


async def test_an_unknown_document_gets_an_empty_list(editor: Editor) -> None:
    """A request for a document that is not open is answered."""
    async with editor.counting() as outcomes:
        buffer = editor.open("█", uri="file:///project/closed.py")
        editor.close(buffer)
        assert await editor.items(buffer) == []
    assert outcomes == {"closed": 1}


async def test_the_second_request_reuses_the_first(editor: Editor) -> None:
    """Figures of the last request tell what was reused, evaluated and generated."""
    buffer = editor.open("one = 1\ntwo = 2\nthree = 3\nx = █", uri="file:///project/reuse.py")
    await editor.items(buffer)
    first = (await editor.stats())["last"]
    editor.type(buffer, "y")
    await editor.items(buffer)
    second = (await editor.stats())["last"]
    assert (first["tokens"]["reused"], second["outcome"]) == (0, "shown")
    assert second["tokens"]["reused"] > second["tokens"]["evaluated"] > 0
    assert set(second["ms"]) == {"total", "prefill", "decode", "overhead", "paused"}


async def test_the_item_chosen_in_the_popup_comes_first(editor: Editor) -> None:
    """The suggestion begins with it and replaces what it replaces."""
    buffer = editor.open("value.he█\n", uri="file:///project/popup.py")
    params = editor.params(buffer, invoked=True, chosen=(2, "hex"))
    answer = await asyncio.wait_for(editor.client.text_document_inline_completion_async(params), PATIENCE_S)
    assert isinstance(answer, types.InlineCompletionList)
    assert buffer.with_item(answer.items[0]) == "value.hexhello()\n"
