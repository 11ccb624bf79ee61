"""Documents as editors really send them."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.conftest import Script
from tests.end_to_end.editor import Editor, capabilities, running_editor

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_characters_of_every_width_before_the_caret(script: Script, encoding: str) -> None:
    """In each encoding text goes where the caret is, whatever stands before it on the line."""
    able = capabilities(encodings=[encoding])
    async with running_editor(script({"text": "hello()"}), able=able) as editor:
        buffer = editor.open("before = 1\nname = 'é€😀𝒳', █, 'ß😀'\n")
        editor.type(buffer, "'🎈', ")
        assert await editor.accepted(buffer, invoked=True) == "before = 1\nname = 'é€😀𝒳', '🎈', hello(), 'ß😀'\n"
        assert buffer.encoding == encoding


async def test_form_feed_and_u2028_end_no_line(editor: Editor) -> None:
    """Lines end at LF, CR LF and CR only: what follows the odd characters is counted on the same line."""
    buffer = editor.open("a = 1\x0c\u2028 \x85b = █\nc = 3\n")
    editor.type(buffer, "2 + ")
    assert await editor.accepted(buffer) == "a = 1\x0c\u2028 \x85b = 2 + hello()\nc = 3\n"


@pytest.mark.parametrize("text", ["", "\n", "\r\n", "x"])
async def test_hardly_any_text(editor: Editor, text: str) -> None:
    """An empty document is completed like any other."""
    assert await editor.accepted(editor.open(text)) == text + "hello()"


async def test_a_position_past_the_end(editor: Editor) -> None:
    """It is the end."""
    buffer = editor.open("x = 1\n█")
    params = editor.params(buffer)
    params.position = types.Position(line=900, character=900)
    answer = await editor.client.text_document_inline_completion_async(params)
    assert isinstance(answer, types.InlineCompletionList)
    assert buffer.with_item(answer.items[0]) == "x = 1\nhello()"


async def test_an_untitled_document(editor: Editor) -> None:
    """A document that was never saved is completed, too."""
    assert await editor.accepted(editor.open("x = █", uri="untitled:Untitled-1")) == "x = hello()"


async def test_versions_out_of_order(editor: Editor) -> None:
    """Edits count in their order of arrival."""
    buffer = editor.open("x = █")
    editor.type(buffer, "a", version=9)
    editor.type(buffer, "b.", version=3)
    assert await editor.accepted(buffer) == "x = ab.hello()"


async def test_an_edit_of_a_document_that_is_not_open(editor: Editor) -> None:
    """It is ignored."""
    buffer = editor.open("█", uri="file:///project/gone.py")
    editor.close(buffer)
    editor.type(buffer, "x")
    assert await editor.items(buffer) == []
    assert await editor.accepted(editor.open("x = █")) == "x = hello()"


async def test_opening_again_replaces_the_text(editor: Editor) -> None:
    """The last text that was sent counts."""
    editor.open("old old old old\n" * 10)
    assert await editor.accepted(editor.open("new = █")) == "new = hello()"


async def test_nul_bytes(editor: Editor) -> None:
    """A binary file is left alone."""
    async with editor.counting() as outcomes:
        assert await editor.items(editor.open("GIF8\0\0█")) == []
    assert outcomes == {"binary": 1}


async def test_lone_surrogates(editor: Editor) -> None:
    """Half a character is counted as one unit, and what comes after it is where the editor sees it."""
    buffer = editor.open("a = '\ud83d'\nb = ('\udc00', █)\n")
    editor.type(buffer, "'\ud83d', ")
    assert await editor.accepted(buffer) == "a = '\ud83d'\nb = ('\udc00', '\ud83d', hello())\n"


async def test_a_document_of_50_megabytes(editor: Editor) -> None:
    """It gets no suggestions, and the server keeps serving everything else."""
    huge = editor.open("x = 'forty characters of a line in here'\n" * 1_250_000, uri="file:///project/huge.py")
    async with editor.counting() as outcomes:
        assert await editor.items(huge) == []
        assert await editor.accepted(editor.open("x = █")) == "x = hello()"
    editor.close(huge)
    assert outcomes == {"too-large": 1, "shown": 1}


async def test_closing_frees_the_document(editor: Editor) -> None:
    """Nothing of a closed document is kept."""
    before = (await editor.stats())["documents"]
    buffer = editor.open("x = 1", uri="file:///project/another.py")
    assert (await editor.stats())["documents"] == before + 1
    editor.close(buffer)
    assert (await editor.stats())["documents"] == before
