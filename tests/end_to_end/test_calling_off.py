"""Requests that end before their time: each gets exactly one answer, at once."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

from tests.end_to_end.editor import Editor

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

AT_ONCE_S = 3
"""The slow rule takes longer than this by far, and so does its deadline."""


async def test_cancel(editor: Editor) -> None:
    """A request that the editor calls off ends with the error that LSP has for it."""
    async with editor.counting() as outcomes:
        request = editor.request(editor.open("# slow\n█"), number="called-off")
        editor.client.cancel_request(types.CancelParams(id="called-off"))
        with pytest.raises(JsonRpcRequestCancelled):
            await asyncio.wait_for(request, AT_ONCE_S)
    assert outcomes == {"cancelled": 1}


async def test_cancelling_what_is_over(editor: Editor) -> None:
    """A cancel that crosses the answer does nothing."""
    buffer = editor.open("x = █")
    await asyncio.wait_for(editor.request(buffer, number="over"), AT_ONCE_S)
    editor.client.cancel_request(types.CancelParams(id="over"))
    assert await editor.accepted(buffer) == "x = hello()"


async def test_a_newer_request_takes_the_place_of_an_older_one(editor: Editor) -> None:
    """The older one is answered at once with an empty list, and the newer one with its suggestion."""
    async with editor.counting() as outcomes:
        slow = editor.open("# slow\n█")
        older = editor.request(slow)
        newer = editor.request(slow)
        assert list((await asyncio.wait_for(older, AT_ONCE_S)).items) == []
        assert not newer.done()
        editor.close(slow)
        await asyncio.wait_for(newer, AT_ONCE_S)
    assert outcomes == {"superseded": 1, "closed": 1}


async def test_documents_do_not_get_in_each_others_way(editor: Editor) -> None:
    """A request for one document does not end that for another."""
    slow = editor.open("# slow\n█", uri="file:///project/slow.py")
    older = editor.request(slow)
    assert await editor.accepted(editor.open("x = █")) == "x = hello()"
    assert not older.done()
    editor.close(slow)
    await asyncio.wait_for(older, AT_ONCE_S)


async def test_closing_the_document(editor: Editor) -> None:
    """What runs for a document ends with it."""
    async with editor.counting() as outcomes:
        slow = editor.open("# slow\n█")
        request = editor.request(slow)
        editor.close(slow)
        assert list((await asyncio.wait_for(request, AT_ONCE_S)).items) == []
    assert outcomes == {"closed": 1}


async def test_typing_on(editor: Editor) -> None:
    """A suggestion for text that has changed meanwhile is not shown."""
    async with editor.counting() as outcomes:
        slow = editor.open("# slow\n█")
        request = editor.request(slow)
        editor.type(slow, "x")
        assert list((await asyncio.wait_for(request, AT_ONCE_S)).items) == []
    assert outcomes == {"stale": 1}


async def test_what_is_there_at_the_deadline_is_shown(editor: Editor) -> None:
    """A slow model shows the beginning of its answer rather than nothing."""
    buffer = editor.open("# slow\n█")
    text = await editor.accepted(buffer, invoked=False)
    assert text is not None
    assert text.startswith("# slow\nword01")


@pytest.mark.parametrize(
    ("mark", "outcome"),
    [("crash", "engine-gone"), ("hang", "deadline"), ("garbage", "nothing-left")],
)
async def test_an_engine_that_fails(editor: Editor, mark: str, outcome: str) -> None:
    """It costs one request, which ends with a name; the next one works."""
    async with editor.counting() as outcomes:
        assert await editor.items(editor.open(f"# {mark}\n█")) == []
        assert await editor.accepted(editor.open("x = █")) == "x = hello()"
    assert outcomes == {outcome: 1, "shown": 1}
