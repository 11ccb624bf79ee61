"""Silence has a name that the editor can ask for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.editor import Editor, running_editor

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    ("marked", "uri", "label"),
    [
        ("x = █ + 1\n", "file:///project/a.py", "mid-line"),
        ("na█me\n", "file:///project/b.py", "in-a-word"),
        ("<<<<<<< HEAD\nx = █\n", "file:///project/c.py", "merge-conflict"),
        ("x = █\n", "file:///project/app.min.js", "generated"),
    ],
)
async def test_places_without_suggestions(editor: Editor, marked: str, uri: str, label: str) -> None:
    """Nothing is shown unasked, and whoever asks by key gets an answer."""
    buffer = editor.open(marked, uri=uri)
    async with editor.counting() as outcomes:
        assert await editor.items(buffer) == []
        assert len(await editor.items(buffer, invoked=True)) == 1
    assert outcomes == {label: 1, "shown": 1}


async def test_what_the_person_does(editor: Editor) -> None:
    """Esc, a selection and a run of deletions are heard; typing ends each of them."""
    buffer = editor.open("x = abc█", uri="file:///project/person.py")
    place, start = buffer.position(buffer.caret), {"line": 0, "character": 0}
    caret = {"line": place.line, "character": place.character}
    for state, label in (
        ({"selections": [{"start": start, "end": caret}]}, "selection"),
        ({"selections": [{"start": start, "end": start}, {"start": caret, "end": caret}]}, "several-carets"),
        ({"caret": caret, "event": "dismissed"}, "dismissed"),
        ({"caret": caret, "event": "accepted"}, "shown"),
    ):
        tell(editor, {"textDocument": {"uri": buffer.uri}, **state})
        async with editor.counting() as outcomes:
            await editor.items(buffer)
        assert outcomes == {label: 1}


async def test_rules_that_cannot_know_say_so() -> None:
    """They are inactive until the editor sends its state for the first time."""
    async with running_editor("none", options={"inStrings": False, "disabledLanguages": ["markdown"]}) as editor:
        rules = (await editor.stats())["silenceRules"]
        assert {rule["rule"] for rule in rules if not rule["active"]} == {"several-carets", "selection", "dismissed"}
        assert all(rule["silentWhen"] for rule in rules)
        tell(editor, {})
        assert all(rule["active"] for rule in (await editor.stats())["silenceRules"])
        await editor.items(editor.open("x = 'a█'", uri="file:///project/a.py"))
        await editor.items(editor.open("a", uri="file:///project/a.md", language="markdown"))
        outcomes = (await editor.stats())["outcomes"]
        assert outcomes == {"in-string": 1, "language-off": 1}


def tell(editor: Editor, state: dict[str, Any]) -> None:
    editor.client.protocol.notify("lingCoder/editorState", state)
