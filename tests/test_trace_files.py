"""Trace files, and what the actions in them do to the open documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tree_sitter_language_pack import get_parser

from lsp_server.bench.buffers import Buffers, Edit
from lsp_server.bench.trace import Accept, Backspace, Jump, Key, Switch, Trace, TraceDocument
from lsp_server.bench.trace_file import read_trace, read_traces, trace_from
from lsp_server.cli import main
from lsp_server.errors import CompletionError

TRACE: dict[str, Any] = {
    "name": "small",
    "language": "python",
    "path": "a.py",
    "text": "def f(x):\n    \n\nprint(f(1))\n",
    "offset": 14,
    "typed": "return x + 1",
    "requests": [4, 8, 12],
}
OTHER = {"language": "python", "path": "b.py", "text": "y = ", "offset": 4}
BUNDLED = read_traces([Path(__file__).parent / "traces"])


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "trace.json"
    path.write_text(json.dumps({**TRACE, **changes}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"offset": 99}, "`offset` is outside of `text` in a.py"),
        ({"offset": -1}, "`offset` must be a whole number from 0 on"),
        ({"text": None}, "`text` must be a text"),
        ({"requests": []}, "nothing is ever asked"),
        ({"requests": [13]}, "`requests` must hold counts of typed characters"),
        ({"requests": [0]}, "`requests` must hold counts of typed characters"),
        ({"requests": [True]}, "`requests` must hold counts of typed characters"),
        ({"requests": None}, "`requests` must be a list"),
        ({"more": 1}, "`more` is unknown in a trace; known: name, "),
        ({"documents": [{"path": "b.py"}]}, "`language` is missing in document 1"),
        ({"documents": [{**OTHER, "path": "a.py"}]}, "two documents have the same path"),
        ({"inserted_by_editor": [{"with": 13}]}, "`with` must count typed characters"),
        ({"inserted_by_editor": [{"with": 1, "after": ")"}]}, "`after` is unknown in entry 1 of `inserted_by_editor`"),
        ({"events": [4]}, "event 1 must be an object"),
        ({"events": [{"after": 13, "accept": True}]}, "`after` must be at most the length of `typed` in event 1"),
        ({"events": [{"after": 1}]}, "event 1 must have exactly one of backspaces, caret, path, ask, accept"),
        ({"events": [{"after": 1, "accept": True, "caret": 1}]}, "event 1 must have exactly one of"),
        ({"events": [{"after": 1, "ask": "nicely"}]}, '`ask` must be "automatic" or "invoked" in event 1'),
        ({"events": [{"after": 1, "caret": 99}]}, "`caret` 99 is outside of the text, which has 29 characters then"),
        ({"events": [{"after": 1, "path": "c.py"}]}, "no document has the path 'c.py'"),
        ({"events": [{"after": 0, "caret": 0}, {"after": 0, "backspaces": 1}]}, "nothing before the caret to delete"),
        ({"events": [{"after": 4, "accept": True}, {"after": 5, "caret": 1}]}, "`caret` has no meaning in a.py after"),
    ],
)
def test_what_is_no_trace_gets_a_sentence(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """It names the file and what is wrong."""
    with pytest.raises(CompletionError, match=r"trace\.json is no trace") as error:
        read_trace(write(tmp_path, **changes))
    assert says in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"', "{}"])
def test_what_is_no_json_object_gets_a_sentence(tmp_path: Path, content: str) -> None:
    """An empty or a cut file, a list."""
    (tmp_path / "trace.json").write_text(content, encoding="utf-8")
    with pytest.raises(CompletionError, match=r"trace\.json is no trace"):
        read_trace(tmp_path / "trace.json")


def test_a_missing_trace_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 1; so does a folder without one."""
    assert main(["bench", "--trace", str(tmp_path / "none.json")]) == 1
    assert "none.json cannot be read: No such file" in capsys.readouterr().err
    assert main(["bench", "--trace", str(tmp_path)]) == 1
    assert "There is no trace" in capsys.readouterr().err


# ---- what keys do


def check(**changes: Any) -> str:
    """The text after a trace was typed; `█` is the caret."""
    trace = trace_from({**TRACE, "text": "", "offset": 0, "requests": [1], **changes})
    buffers = Buffers(trace.documents)
    for action in trace.actions:
        buffers.do(action)
    return buffers.current.text[: buffers.current.caret] + "█" + buffers.current.text[buffers.current.caret :]


CALL = {"typed": "f(x)", "inserted_by_editor": [{"with": 2, "after_caret": ")"}]}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"typed": "ab"}, "ab█"),
        ({"typed": "a:\nb", "inserted_by_editor": [{"with": 3, "before_caret": "    "}]}, "a:\n    b█"),
        ({**CALL, "typed": "f("}, "f(█)"),
        (CALL, "f(x)█"),
        ({**CALL, "events": [{"after": 2, "backspaces": 1}]}, "fx)█"),
        ({**CALL, "events": [{"after": 3, "caret": 3}]}, "f(x)█)"),
        (
            {
                "typed": "{\nx}",
                "inserted_by_editor": [
                    {"with": 1, "after_caret": "}"},
                    {"with": 2, "before_caret": "  ", "after_caret": "\n"},
                ],
            },
            "{\n  x}█\n}",
        ),
        ({"typed": "ab", "events": [{"after": 2, "backspaces": 2}]}, "█"),
        ({"typed": "abc", "events": [{"after": 2, "caret": 0}]}, "c█ab"),
        ({"typed": "ab", "events": [{"after": 1, "path": "b.py"}], "documents": [OTHER]}, "y = b█"),
    ],
    ids=[
        "plain", "indented", "closed", "over the closer", "pair deleted", "closer after a jump", "block",
        "backspaces", "jump", "other file",
    ],
)  # fmt: skip
def test_keys_do_what_they_do_in_an_editor(changes: dict[str, Any], text: str) -> None:
    """Closers and indentation come with a key; a closer that waits is typed over and deleted with its opener."""
    assert check(**changes) == text


def test_what_the_editor_inserts_is_one_change() -> None:
    """A server sees a new line with its indentation at once; typing over a closer it does not see at all."""
    buffers = Buffers([TraceDocument("a.py", "python", "", 0)])
    assert buffers.do(Key("(", after_caret=")")) == Edit("file:///a.py", 0, 0, "()")
    assert buffers.do(Key("\n", before_caret="    ")) == Edit("file:///a.py", 1, 1, "\n    ")
    assert buffers.do(Key(")")) is None
    assert buffers.do(Backspace()) == Edit("file:///a.py", 6, 7, "")


@pytest.mark.parametrize("trace", [trace for trace in BUNDLED if not trace.accepts], ids=lambda trace: trace.name)
def test_bundled_traces_end_in_code_without_errors(trace: Trace) -> None:
    """All that was typed, closed, deleted and jumped to ends in files that a parser accepts."""
    buffers = Buffers(trace.documents)
    for action in trace.actions:
        buffers.do(action)
    for buffer in buffers.by_path.values():
        tree = get_parser(buffer.document.language).parse(buffer.text.encode())  # type: ignore[arg-type]
        assert not tree.root_node.has_error


def test_bundled_traces_cover_what_people_do() -> None:
    """Languages, and ways to edit."""
    assert {each.language for trace in BUNDLED for each in trace.documents} >= {
        "python", "typescript", "go", "rust", "c",
    }  # fmt: skip
    actions = [action for trace in BUNDLED for action in trace.actions]
    assert {type(action) for action in actions} >= {Backspace, Jump, Switch, Accept}
    assert any(isinstance(action, Key) and action.before_caret for action in actions)
    assert any(isinstance(action, Key) and action.after_caret for action in actions)
