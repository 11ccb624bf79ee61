"""What people must see, as texts: every file in `cases/` is a situation (`lsp_server/scenario.py` tells the form).

`baseline.json` names those that are not right yet. The list only gets shorter: one that is right must be taken off it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.completion import CompletionRequest, complete
from lsp_server.documents.languages import language_of
from lsp_server.documents.open_tree import LateSyntax
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.syntax import parse
from lsp_server.documents.text_lines import split_lines
from lsp_server.engine.scripted import Rule, ScriptedEngine
from lsp_server.memory import Memory
from lsp_server.outcome import Outcome
from lsp_server.scenario import CARET, Scenario, read
from lsp_server.settings import DEFAULTS, read_settings

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").rglob("*.txt"))
NOT_RIGHT_YET: set[str] = set(json.loads((HERE / "baseline.json").read_text(encoding="utf-8"))["not right yet"])
LANGUAGES = {"python", "typescript", "javascript", "go", "rust", "c", "cpp", "java"}


def name_of(path: Path) -> str:
    return path.relative_to(HERE / "cases").with_suffix("").as_posix()


def scenario_of(path: Path) -> Scenario:
    return read(path.read_text(encoding="utf-8"))


def snapshot_of(scenario: Scenario) -> DocumentSnapshot:
    path = scenario.option("path")
    language = scenario.option("language") or language_of(Path(path).name)
    document = scenario.document
    if scenario.option("line-ends") == "crlf":
        document = document.replace("\n", "\r\n")
    before, _, after = document.partition(CARET)
    lines, lines_before = tuple(split_lines(before + after)), split_lines(before)
    late = LateSyntax.of(parse(language, path, lines))
    return DocumentSnapshot(
        "file:///" + path, path, language, 1, lines, len(lines_before) - 1, len(lines_before[-1]), late_syntax=late
    )


async def outcome_of(scenario: Scenario, snapshot: DocumentSnapshot) -> Outcome:
    settings, problems = read_settings(scenario.settings, DEFAULTS)
    assert problems == []
    engine = ScriptedEngine((Rule(text=scenario.model_says, logprob=float(scenario.option("confidence"))),))
    await engine.wait_ready(1000)
    request = CompletionRequest(snapshot, settings, invoked=scenario.option("invoked") == "yes")
    return await complete(request, engine, Memory())


def accepted(snapshot: DocumentSnapshot, outcome: Outcome) -> str:
    """The document with the suggestion in it and the caret after it."""
    text = "".join(snapshot.lines)
    assert outcome.suggestion is not None
    return text[: outcome.suggestion.start] + outcome.suggestion.text + CARET + text[outcome.suggestion.end :]


async def what_happens(scenario: Scenario) -> str:
    """What the user gets, in the words of a scenario."""
    snapshot = snapshot_of(scenario)
    outcome = await outcome_of(scenario, snapshot)
    if outcome.suggestion is None:
        return f"=== silent {outcome.label}"
    return f"=== shown\n{accepted(snapshot, outcome)}"


def what_is_wanted(scenario: Scenario) -> str:
    """What the user should get; line ends as the file has them."""
    if scenario.shown is None:
        return f"=== silent {scenario.silent}"
    ends = "\r\n" if scenario.option("line-ends") == "crlf" else "\n"
    return "=== shown\n" + scenario.shown.replace("\n", ends)


@pytest.mark.parametrize("path", CASES, ids=name_of)
async def test_scenario(path: Path) -> None:
    """What is shown is what the scenario says; one that is not right yet is known by name."""
    scenario = scenario_of(path)
    happens, wanted = await what_happens(scenario), what_is_wanted(scenario)
    if name_of(path) in NOT_RIGHT_YET:
        assert happens != wanted, "this is right: take it off baseline.json"
    else:
        assert happens == wanted, scenario.title


def test_the_baseline_names_scenarios() -> None:
    """And nothing else."""
    assert {name_of(path) for path in CASES} >= NOT_RIGHT_YET


def test_there_are_enough_of_each_kind() -> None:
    """Languages, silence, and answers that a model really gave."""
    scenarios = [scenario_of(path) for path in CASES]
    languages = {snapshot_of(scenario).language_id for scenario in scenarios}
    assert len(scenarios) >= 200
    assert sum(scenario.shown is None for scenario in scenarios) >= 80
    assert sum(bool(scenario.option("recorded")) for scenario in scenarios) >= 50
    assert languages >= LANGUAGES
