"""The benchmark drives the real server; its figures are those of the trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tree_sitter_language_pack import get_parser

from lsp_server import bench
from lsp_server.bench.realtime import Pause, Session, report_in_real_time
from lsp_server.bench.trace import Accept, Backspace, Jump, Key, Switch, Trace, TraceDocument
from lsp_server.bench.trace_file import trace_from
from lsp_server.bench.typing_hands import Edit, TypingHands
from lsp_server.bench.typist import pauses_ms
from lsp_server.cli import main
from lsp_server.errors import CompletionError
from tests.conftest import Script

TRACE: dict[str, Any] = {
    "name": "small",
    "language": "python",
    "path": "a.py",
    "text": "def f(x):\n    \n\nprint(f(1))\n",
    "offset": 14,
    "typed": "return x + 1",
    "requests": [4, 8, 12],
}
KEYS = [
    "trace", "requests", "first", "evaluated_per_request", "reused_share", "latency_ms", "overhead_ms",
    "cancel_to_free_ms", "prefill_tokens_per_s", "decode_tokens_per_s", "peak_rss_mb", "private_mb",
    "never_shown_tokens",
]  # fmt: skip
OTHER = {"language": "python", "path": "b.py", "text": "y = ", "offset": 4}
BUNDLED = bench.read_traces([Path(__file__).parent / "traces"])


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "trace.json"
    path.write_text(json.dumps({**TRACE, **changes}), encoding="utf-8")
    return path


# ---- the command


@pytest.mark.end_to_end
def test_a_trace_is_replayed(tmp_path: Path, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """One request for each number; the first has everything to evaluate, the others little."""
    engine = script({"text": "y", "token_ms": 1})
    assert main(["bench", "--trace", str(write(tmp_path)), "--engine", engine, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == KEYS
    assert (found["trace"], found["requests"]) == ("small", 3)
    assert found["first"]["evaluated"] > found["evaluated_per_request"]["p95"] >= 1
    assert found["evaluated_per_request"]["total"] >= found["first"]["evaluated"] + 2
    assert 0 < found["reused_share"] < 1
    assert found["latency_ms"]["p95"] >= found["latency_ms"]["p50"] > 0
    assert found["peak_rss_mb"] >= found["private_mb"] > 0


@pytest.mark.end_to_end
def test_all_traces_of_a_folder_are_replayed(
    tmp_path: Path, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of JSON each; what was suggested can be accepted, and is part of the text from then on."""
    traces = tmp_path / "traces"
    traces.mkdir()
    events = [{"after": 12, "accept": True}, {"after": 12, "path": "b.py"}, {"after": 12, "ask": "invoked"}]
    write(traces, name="one", events=events, documents=[OTHER]).rename(traces / "1.json")
    write(traces, name="two").rename(traces / "2.json")
    assert (
        main(
            [
                "bench",
                "--trace",
                str(traces),
                "--engine",
                script({"text": " + y"}),
                "--json",
                "--setting",
                "maxLines=1",
                "--setting",
                "fimTemplate=prefix-only",
            ]
        )
        == 0
    )
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["trace"], each["requests"]) for each in found] == [("one", 4), ("two", 3)]


@pytest.mark.end_to_end
@pytest.mark.slow
def test_a_trace_is_typed_in_real_time(tmp_path: Path, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Each key asks; the pause after the last key is long enough for ghost text."""
    path = write(tmp_path, typed="retu", requests=[4])
    assert main(["bench", "--trace", str(path), "--engine", script({"text": "rn x"}), "--realtime", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["requests"] == 4
    assert found["pauses"] >= 1
    assert found["pauses_with_text_share"] == found["pauses_answered_share"] == 1
    assert 0 < found["pause_to_text_ms"]["p50"] < 2000
    assert found["typed_s"] > 2
    assert found["cpu_s_per_typed_minute"] > 0


@pytest.mark.end_to_end
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_control_c_ends_it_without_a_word(tmp_path: Path, script: Script) -> None:
    """Exit code 130, and nothing on the terminal but the line that told how far it was."""
    engine = script({"text": "y", "token_ms": 60_000})
    command = [sys.executable, "-m", "lsp_server", "bench", "--trace", str(write(tmp_path)), "--engine", engine]
    ours, theirs = os.openpty()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen = b""
    while b"request 0 of 3" not in seen:
        seen += os.read(ours, 1000)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == b""
    assert process.returncode == 130
    assert last_words(ours).strip(b"\r\n\x1b[K") == b""


def last_words(terminal: int) -> bytes:
    """What is left to read; Linux says `EIO` where others say that it is the end."""
    try:
        return os.read(terminal, 10_000)
    except OSError:
        return b""
    finally:
        os.close(terminal)


@pytest.mark.parametrize(
    ("setting", "says"),
    [("maxLines=none", "`lingCoder.maxLines` must be a whole number"), ("colour=red", "`lingCoder.colour` is unknown")],
)
def test_a_setting_that_cannot_be_used_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, says: str
) -> None:
    """Figures would be those of other settings than the reader thinks."""
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "--trace", str(write(tmp_path)), "--setting", setting])
    assert says in capsys.readouterr().err


# ---- trace files


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
        bench.read_trace(write(tmp_path, **changes))
    assert says in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"', "{}"])
def test_what_is_no_json_object_gets_a_sentence(tmp_path: Path, content: str) -> None:
    """An empty or a cut file, a list."""
    (tmp_path / "trace.json").write_text(content, encoding="utf-8")
    with pytest.raises(CompletionError, match=r"trace\.json is no trace"):
        bench.read_trace(tmp_path / "trace.json")


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
    hands = TypingHands(trace.documents)
    for action in trace.actions:
        hands.do(action)
    return hands.page.text[: hands.page.caret] + "█" + hands.page.text[hands.page.caret :]


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
    hands = TypingHands([TraceDocument("a.py", "python", "", 0)])
    assert hands.do(Key("(", after_caret=")")) == Edit("file:///a.py", 0, 0, "()")
    assert hands.do(Key("\n", before_caret="    ")) == Edit("file:///a.py", 1, 1, "\n    ")
    assert hands.do(Key(")")) is None
    assert hands.do(Backspace()) == Edit("file:///a.py", 6, 7, "")


@pytest.mark.parametrize("trace", [trace for trace in BUNDLED if not trace.accepts], ids=lambda trace: trace.name)
def test_bundled_traces_end_in_code_without_errors(trace: Trace) -> None:
    """All that was typed, closed, deleted and jumped to ends in files that a parser accepts."""
    hands = TypingHands(trace.documents)
    for action in trace.actions:
        hands.do(action)
    for page in hands.pages.values():
        tree = get_parser(page.document.language).parse(page.text.encode())  # type: ignore[arg-type]
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


# ---- figures


@pytest.mark.parametrize(
    ("share", "value"), [(50, 2), (95, 4), (100, 4), (1, 1)], ids=["median", "p95", "most", "least"]
)
def test_percentiles_are_values_that_occurred(share: int, value: int) -> None:
    """Nearest rank."""
    assert bench.percentile([4, 1, 3, 2], share) == value
    assert bench.percentile([], share) == 0


def test_only_long_pauses_count() -> None:
    """Text that came after the next key, or in a short pause, is not there when somebody looks."""
    pauses = [Pause(0, 700, 300, 200), Pause(0, 900, None, 500), Pause(0, 800), Pause(0, 699, 10, 10)]
    found = report_in_real_time(BUNDLED[0], Session(pauses, typed_s=30, cpu_s=2, never_shown_tokens=5))
    assert (found["requests"], found["pauses"]) == (4, 3)
    assert found["pauses_with_text_share"] == pytest.approx(1 / 3, abs=0.001)
    assert found["pauses_answered_share"] == pytest.approx(2 / 3, abs=0.001)
    assert found["pause_to_text_ms"] == {"p50": 300, "p95": 300}
    assert found["pause_to_answer_ms"] == {"p50": 200, "p95": 500}
    assert found["cpu_s_per_typed_minute"] == 4
    assert found["never_shown_tokens"] == 5


def test_the_typist_is_the_same_each_time() -> None:
    """About 240 ms a key without the pauses over 2 s, as most people type; pauses for thought are there."""
    actions = [action for trace in BUNDLED for action in trace.actions]
    times = [ms for ms in pauses_ms(actions) if ms]
    assert times == [ms for ms in pauses_ms(actions) if ms]
    fluent = [ms for ms in times if ms < 2000]
    assert 220 < sum(fluent) / len(fluent) < 260
    assert 0.03 < sum(ms >= 700 for ms in times) / len(times) < 0.12
