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

from lsp_server import bench
from lsp_server.bench.realtime import Pause, Session, report_in_real_time
from lsp_server.bench.typist import pauses_ms
from lsp_server.cli import main
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
