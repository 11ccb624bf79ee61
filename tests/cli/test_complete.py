"""`ling-coder-lsp complete`, run in this process with a scripted engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli import main
from lsp_server.scenario import read
from tests.conftest import Script

Complete = Callable[..., tuple[int, str, str]]


@pytest.fixture
def complete(tmp_path: Path, capsys: pytest.CaptureFixture[str], script: Script) -> Complete:
    """`complete("a█b", rule, "--json")` -> exit code, stdout, stderr."""

    def run(marked: str | bytes, rule: dict[str, Any], *options: str, name: str = "a.py") -> tuple[int, str, str]:
        data = marked if isinstance(marked, bytes) else marked.encode()
        before, _, after = data.partition("█".encode())
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(before + after)
        lines = before.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        place = f"{path}:{len(lines)}:{len(lines[-1]) + 1}"
        code = main(["complete", place, "--engine", script(rule), *options])
        return code, *capsys.readouterr()

    return run


def test_prints_the_suggestion(complete: Complete) -> None:
    """Nothing else is on stdout, so that it can be piped."""
    assert complete("x = █", {"text": "hello()"}) == (0, "hello()\n", "")


def test_silence_says_why(complete: Complete) -> None:
    """No suggestion is no error; the reason is on stderr."""
    assert complete("x = █", {"text": ""}) == (0, "", "ling-coder-lsp: the model had nothing to add\n")


def test_json(complete: Complete) -> None:
    """One object with the documented keys; lines and columns count from 1, in characters."""
    code, out, err = complete("# 1\nx = '😀', █\n", {"text": "hello()"}, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert (answer["outcome"], answer["text"], answer["raw"]) == ("shown", "hello()", "hello()")
    assert answer["range"] == {"start": [2, 10], "end": [2, 10]}
    assert set(answer["tokens"]) == {"prompt", "reused", "evaluated", "generated"}
    assert set(answer["ms"]) == {"total", "prefill", "decode", "overhead", "paused"}
    assert answer["rules"][0] == {"rule": "without_control_characters", "verdict": "kept"}


def test_json_of_a_skip(complete: Complete) -> None:
    """The same keys, with nothing to insert, and a sentence."""
    code, out, err = complete("x = █\n", {"text": ""}, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert (answer["outcome"], answer["detail"], answer["text"]) == ("empty", "the model had nothing to add", "")
    assert answer["range"] == {"start": [1, 5], "end": [1, 5]}


def test_an_engine_that_fails(complete: Complete) -> None:
    """The outcome has its name, and the exit code tells that something does not work."""
    code, out, err = complete("x = █", {"fail": "crash"}, "--json")
    assert (code, json.loads(out)["outcome"]) == (1, "engine-gone")
    assert err.startswith("ling-coder-lsp: ")


def test_a_loading_model_is_waited_for(complete: Complete) -> None:
    """Loading is not part of the request's time."""
    _, out, _ = complete("x = █", {"text": "hello()", "load_ms": 200}, "--json")
    answer = json.loads(out)
    assert answer["outcome"] == "shown"
    assert answer["ms"]["total"] < 200


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_stay(complete: Complete, end: str) -> None:
    """Text is inserted as the file ends its lines."""
    _, out, _ = complete(f"a{end}b = █", {"text": "first(\n    1,\n)"}, "--json")
    assert json.loads(out)["text"] == f"first({end}    1,{end})"


def test_bytes_that_are_no_text(complete: Complete) -> None:
    """They count as one character each and do no harm."""
    code, out, _ = complete(b"x = '\xff\xfe' + " + "█".encode(), {"text": "hello()"}, "--json")
    assert (code, json.loads(out)["range"]["start"]) == (0, [1, 12])


@pytest.mark.parametrize("place", ["99:1", "1:99", "99:99"])
def test_a_place_past_the_end(tmp_path: Path, script: Script, capsys: pytest.CaptureFixture[str], place: str) -> None:
    """It is the nearest one that exists."""
    (tmp_path / "a.py").write_text("x = 1")
    engine = script({"text": "0"})
    assert main(["complete", f"{tmp_path / 'a.py'}:{place}", "--engine", engine, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["range"] == {"start": [1, 6], "end": [1, 6]}


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """One sentence on stderr, nothing on stdout."""
    assert main(["complete", f"{tmp_path / name}:1:1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"ling-coder-lsp: {tmp_path / name} cannot be read: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("engine", ["scripted:/nowhere/script.json", "gpt"])
def test_an_engine_that_cannot_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str) -> None:
    """The sentence says what is wrong with it."""
    (tmp_path / "a.py").write_text("x = 1")
    assert main(["complete", f"{tmp_path / 'a.py'}:1:6", "--engine", engine]) == 1
    assert engine.removeprefix("scripted:") in capsys.readouterr().err


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a word about what was expected."""
    with pytest.raises(SystemExit, match="2"):
        main(["complete", "a.py"])
    assert "FILE:LINE:COLUMN" in capsys.readouterr().err


def test_the_path_is_that_below_the_repository(complete: Complete, tmp_path: Path) -> None:
    """The model sees it: a rule that looks for the path answers."""
    (tmp_path / ".git").mkdir()
    rule = {"match": "# src/deep/a.py\n", "text": "found"}
    assert complete("x = █", rule, name="src/deep/a.py")[1] == "found\n"
    workspace = ("--workspace", str(tmp_path / "src"))
    assert complete("x = █", {**rule, "match": "# deep/a.py\n"}, *workspace, name="src/deep/a.py")[1] == "found\n"


def test_recording_a_scenario(complete: Complete, tmp_path: Path) -> None:
    """File, answer and what is shown become a text that the tests read; a file that is there is not overwritten."""
    file = tmp_path / "case.txt"
    complete("f(█)\r\n", {"text": "a)", "logprob": -0.25}, "--record", str(file))
    scenario = read(file.read_text(encoding="utf-8"))
    assert (scenario.document, scenario.model_says, scenario.shown) == ("f(█)\n", "a)", "f(a█)\n")
    assert (scenario.option("line-ends"), scenario.option("confidence")) == ("crlf", "-0.250")
    code, _, err = complete("f(█)\n", {"text": "a)"}, "--record", str(file))
    assert (code, "cannot be written: File exists" in err) == (1, True)
