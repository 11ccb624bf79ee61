"""Why (not) this suggestion: what requests leave behind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lsp_server.engine.scripted import Rule
from lsp_server.outcome import Outcome
from lsp_server.settings import Settings
from lsp_server.trace import KEPT_TRACES, Notes, TraceLog
from tests.marked import snapshot
from tests.test_ahead import Desk

SECRET = "s3cr3t"


async def traced(desk: Desk, marked: str, *, invoked: bool = False) -> dict[str, Any]:
    """What one request leaves."""
    await desk.ask(marked, invoked=invoked)
    return desk.session.traces.last(1)[0].as_json()


async def test_a_suggestion_from_the_engine() -> None:
    """Every step has left its mark."""
    desk = Desk(Rule(text="1", logprob=-0.5))
    found = await traced(desk, "a = 0\nx = █\nb = 2\n", invoked=True)
    assert (found["outcome"], found["gate"], found["answeredBy"], found["invoked"]) == (
        "shown",
        "passed",
        "engine",
        True,
    )
    assert (found["path"], found["language"], found["line"], found["column"]) == ("a.py", "python", 2, 5)
    assert found["template"] == "model"
    assert found["confidence"] == -0.5
    assert found["tokens"]["generated"] == 1
    assert found["sources"] == [
        {
            "kind": "window",
            "path": "a.py",
            "lines": (1, 3),
            "tokens": found["tokens"]["prompt"],
            "why": "around the caret",
        }
    ]
    assert {"total", "prefill", "decode", "overhead", "layout", "engine", "postprocess"} <= set(found["ms"])
    assert {verdict["verdict"] for verdict in found["rules"]} <= {"kept", "changed"}


async def test_who_answered() -> None:
    """The engine, a suggestion that was shown before, or one that was computed ahead."""
    desk = Desk(Rule(match=r"x = one$", text="\ntwo = 2"), Rule(match="x = $", text="one"))
    said = [(await traced(desk, f"x = {typed}█"))["answeredBy"] for typed in ("", "o")]
    await desk.engine.rest()
    said.append((await traced(desk, "x = one█"))["answeredBy"])
    said.append((await traced(desk, "x = one█"))["answeredBy"])
    assert said == ["engine", "earlier suggestion", "computed ahead", "earlier suggestion"]


async def test_silence() -> None:
    """The reason is there, and nothing was asked."""
    desk = Desk(Rule(text="1"), settings=Settings(enabled=False))
    found = await traced(desk, "x = █")
    assert (found["outcome"], found["answeredBy"], found["sources"]) == ("off", "", [])


async def test_no_code_unless_it_is_asked_for() -> None:
    """Neither the user's nor the model's."""
    desk = Desk(Rule(text=f'"{SECRET}"'))
    await desk.ask(f"{SECRET} = █")
    trace = desk.session.traces.last(1)[0]
    assert SECRET not in json.dumps(trace.as_json())
    with_code = trace.as_json(with_code=True)
    assert (with_code["raw"], with_code["text"]) == (f'"{SECRET}"', f'"{SECRET}"')


def test_the_last_hundred() -> None:
    """The newest last; numbers go on."""
    log = TraceLog()
    for _ in range(KEPT_TRACES + 20):
        log.add(snapshot("█"), Notes(), Outcome(), invoked=False)
    assert [trace.number for trace in log.last()] == list(range(21, KEPT_TRACES + 21))
    assert [trace.number for trace in log.last(2)] == [KEPT_TRACES + 19, KEPT_TRACES + 20]
    assert log.last(0) == []


@pytest.mark.parametrize("pause_ms", [0, 30])
async def test_a_pause_is_no_overhead(pause_ms: int) -> None:
    """It is made on purpose, and told."""
    desk = Desk(Rule(text="1"), settings=Settings(pause_ms=pause_ms))
    outcome = await desk.ask("x = █")
    times = outcome.times
    assert (times.paused_ms >= pause_ms * 0.9) is True
    assert times.overhead_ms == replace(times, total_ms=times.total_ms - times.paused_ms, paused_ms=0.0).overhead_ms
