"""The benchmark drives the real server; its figures are those of the trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lsp_server import bench
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
KEYS = [
    "trace", "requests", "first", "evaluated_per_request", "reused_share", "latency_ms", "overhead_ms",
    "cancel_to_free_ms", "prefill_tokens_per_s", "decode_tokens_per_s", "peak_rss_mb", "private_mb",
    "never_shown_tokens",
]  # fmt: skip


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "trace.json"
    path.write_text(json.dumps({**TRACE, **changes}), encoding="utf-8")
    return path


@pytest.mark.end_to_end
def test_a_trace_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One request for each number; the first has everything to evaluate, the others little."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "y", "token_ms": 1}]), encoding="utf-8")
    assert main(["bench", "--trace", str(write(tmp_path)), "--engine", f"scripted:{script}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == KEYS
    assert (found["trace"], found["requests"]) == ("small", 3)
    assert found["first"]["evaluated"] > found["evaluated_per_request"]["p95"] >= 1
    assert found["evaluated_per_request"]["total"] >= found["first"]["evaluated"] + 2
    assert 0 < found["reused_share"] < 1
    assert found["latency_ms"]["p95"] >= found["latency_ms"]["p50"] > 0
    assert found["peak_rss_mb"] >= found["private_mb"] > 0


@pytest.mark.parametrize(
    "changes",
    [{"offset": 99}, {"requests": []}, {"requests": [13]}, {"requests": [0]}, {"more": 1}, {"requests": None}],
)
def test_what_is_no_trace_gets_a_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    """It names the file."""
    with pytest.raises(CompletionError, match=r"trace\.json is no trace"):
        bench.read_trace(write(tmp_path, **changes))


def test_a_missing_trace_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 1."""
    assert main(["bench", "--trace", str(tmp_path / "none.json")]) == 1
    assert "none.json cannot be read: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("share", "value"), [(50, 2), (95, 4), (100, 4), (1, 1)], ids=["median", "p95", "most", "least"]
)
def test_percentiles_are_values_that_occurred(share: int, value: int) -> None:
    """Nearest rank."""
    assert bench.percentile([4, 1, 3, 2], share) == value
    assert bench.percentile([], share) == 0
