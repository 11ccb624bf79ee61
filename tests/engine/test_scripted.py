"""The scripted engine behaves like an engine."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.engine.base import (
    EngineState,
    EngineStatus,
    Finished,
    FinishReason,
    GenerateRequest,
    Piece,
    Prompt,
    Special,
    Text,
)
from lsp_server.engine.scripted import Rule, ScriptedEngine, read_rules
from lsp_server.errors import EngineGone, ModelFileError

PROMPT: Prompt = (Special(1), Text("a = "), Special(2), Text("end"), Special("<|fim_middle|>"))


def asked(prompt: Prompt = PROMPT, /, **changes: object) -> GenerateRequest:
    return replace(GenerateRequest(prompt, lane="a", max_new_tokens=100), **changes)  # type: ignore[arg-type]


async def answer(engine: ScriptedEngine, request: GenerateRequest) -> tuple[list[Piece], Finished]:
    """All pieces, and the one event that comes last."""
    *pieces, finished = [event async for event in engine.generate(request)]
    assert isinstance(finished, Finished)
    return [piece for piece in pieces if isinstance(piece, Piece)], finished


async def check(rule: Rule, **changes: object) -> tuple[str, FinishReason, int]:
    """Text, reason and number of generated tokens."""
    pieces, finished = await answer(ScriptedEngine((rule,)), asked(PROMPT, **changes))
    assert all(piece.text for piece in pieces)
    if finished.reason is not FinishReason.STOP:
        assert sum(piece.logprob for piece in pieces) == pytest.approx(rule.logprob * finished.tokens.generated)
    return "".join(piece.text for piece in pieces), finished.reason, finished.tokens.generated


@pytest.mark.parametrize(
    ("prompt", "text"),
    [("import os", "first"), ("a = ", "second"), ("nothing of this", "default")],
)
async def test_the_first_rule_that_matches_answers(prompt: str, text: str) -> None:
    """A rule without a regex always matches."""
    rules = (Rule("first", match="^import"), Rule("second", match="a|o"), Rule("default"), Rule("never", match="."))
    pieces, _ = await answer(ScriptedEngine(rules if "of" not in prompt else rules[2:]), asked((Text(prompt),)))
    assert "".join(piece.text for piece in pieces) == text


async def test_rules_see_control_tokens_by_name() -> None:
    """Ids and spellings alike."""
    rule = Rule("x", match=r"^<\|fim_prefix\|>a = <\|fim_suffix\|>end<\|fim_middle\|>$")
    assert await check(rule) == ("x", FinishReason.END, 1)


async def test_no_rule_says_nothing() -> None:
    """As a model that ends at once."""
    assert await check(Rule("x", match="not there")) == ("", FinishReason.END, 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("return total + 1", FinishReason.END, 9)),
        ({"max_new_tokens": 9}, ("return total + 1", FinishReason.END, 9)),
        ({"max_new_tokens": 3}, ("return ", FinishReason.LENGTH, 3)),
        ({"max_new_tokens": 0}, ("", FinishReason.LENGTH, 0)),
        ({"stop_texts": ("n tot",)}, ("retur", FinishReason.STOP, 4)),
        ({"stop_texts": ("return",)}, ("", FinishReason.STOP, 2)),
        ({"stop_texts": ("1 and more",)}, ("return total + 1", FinishReason.END, 9)),
    ],
)
async def test_answers_end_as_they_should(changes: dict[str, object], expected: tuple[str, FinishReason, int]) -> None:
    """At their end, at a stop text, or after as many tokens as were asked for."""
    assert await check(Rule("return total + 1"), **changes) == expected


async def test_control_tokens_end_an_answer() -> None:
    """By spelling or by id; none of it is streamed."""
    rule = Rule("ab<|fim_suffix|>cd")
    assert await check(rule, stop_tokens=("<|fim_suffix|>",)) == ("ab", FinishReason.END, 1)
    assert await check(rule, stop_tokens=(2,)) == ("ab", FinishReason.END, 1)


async def test_the_deadline_keeps_what_is_there() -> None:
    """Also in the middle of a slow token."""
    began = time.monotonic()
    assert await check(Rule("ab cd", token_ms=30_000.0), deadline_ms=20) == ("", FinishReason.DEADLINE, 0)
    text, reason, generated = await check(Rule("ab " * 100, token_ms=5.0), deadline_ms=60)
    assert time.monotonic() - began < 5
    assert reason is FinishReason.DEADLINE
    assert len(text) > 0
    assert 0 < generated < 100


async def test_garbage_is_hostile() -> None:
    """Control characters, direction marks and tags, until somebody ends it."""
    text, reason, _ = await check(Rule(fail="garbage"), max_new_tokens=40)
    assert {"\x00", "\x1b", "\u202e", "\r"} <= set(text)
    assert reason is FinishReason.LENGTH


@pytest.mark.parametrize("text", ["", "abcd", "abcd efgh"])
async def test_a_crash_comes_after_the_first_token(text: str) -> None:
    """As when the process dies in the middle."""
    events = ScriptedEngine((Rule(text, fail="crash"),)).generate(asked())
    if text:
        assert await anext(events) == Piece("abcd", -0.1)
    with pytest.raises(EngineGone, match="crashed"):
        await anext(events)


async def test_a_hang_ends_when_it_is_called_off() -> None:
    """Closing the iterator cancels, deadlines do not help; the engine answers others meanwhile."""
    engine = ScriptedEngine((Rule(match="hang", fail="hang"), Rule("fine")))
    async with aclosing(engine.generate(asked((Text("hang"),), deadline_ms=1))) as events:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(events), 0.03)
        assert (await answer(engine, asked(lane="b")))[0] == [Piece("fine", -0.1)]


async def test_closing_in_the_middle_cancels() -> None:
    """No more is streamed, and the lane can be used again."""
    engine = ScriptedEngine((Rule("one two three"),))
    events = engine.generate(asked())
    assert await anext(events) == Piece("one", -0.1)
    await events.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    assert (await answer(engine, asked()))[1].tokens.generated == 6


@pytest.mark.parametrize("rule", [Rule(fail="hang"), Rule("word " * 50, token_ms=10.0)])
async def test_closing_the_engine_ends_what_is_in_flight(rule: Rule) -> None:
    """With an error that has a name."""
    engine = ScriptedEngine((rule,))
    work = asyncio.create_task(answer(engine, asked()))
    await asyncio.sleep(0.01)
    await engine.close()
    with pytest.raises(EngineGone):
        await asyncio.wait_for(work, 2)


async def test_a_lane_reuses_what_it_has_seen() -> None:
    """The last token is always evaluated; other lanes know nothing of it."""
    engine = ScriptedEngine((Rule("x"),))

    async def counts(text: str, lane: str) -> tuple[int, int, int]:
        tokens = (await answer(engine, asked((Text(text),), lane=lane)))[1].tokens
        return tokens.prompt, tokens.reused, tokens.evaluated

    assert await counts("aaaabbbb", "a") == (2, 0, 2)
    assert await counts("aaaabbbbcccc", "a") == (3, 2, 1)
    assert await counts("aaaabbbbcccc", "a") == (3, 2, 1)
    assert await counts("aaaaXbbb", "a") == (2, 1, 1)
    assert await counts("aaaabbbb", "b") == (2, 0, 2)
    assert await counts("", "c") == (0, 0, 0)


async def test_tokens_are_counted_as_in_prompts() -> None:
    """A run of up to four letters, of space, or one other character."""
    assert await ScriptedEngine(()).count_tokens(("", "abcdefgh", "a = (b)", "\n\n")) == (0, 2, 7, 1)


async def test_it_loads_like_an_engine() -> None:
    """States come in their order; waiting ends at its limit; a closed engine can be started again."""
    engine, seen = ScriptedEngine((), name="demo", load_ms=30), list[EngineStatus]()
    engine.on_status(seen.append)
    assert (await engine.wait_ready(0)).state is EngineState.LOADING
    ready = await engine.wait_ready(5000)
    assert ready.state is EngineState.READY
    assert ready.model is not None
    assert ready.model.name == "demo"
    await engine.close()
    await engine.start()
    await engine.close()
    await asyncio.sleep(0.05)
    states = [EngineState.LOADING, EngineState.READY, EngineState.STOPPED, EngineState.LOADING, EngineState.STOPPED]
    assert [status.state for status in seen] == states


def test_a_script_is_a_list_of_rules(tmp_path: Path) -> None:
    """Every value has a default."""
    path = tmp_path / "script.json"
    entries = [{"match": "a+", "text": "b", "logprob": -1, "token_ms": 2.5, "fail": None}, {"fail": "hang"}, {}]
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert read_rules(path) == (Rule("b", "a+", -1, 2.5), Rule(fail="hang"), Rule())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "Expecting property name"),
        ('{"text": "x"}', "it must be a JSON list of rules"),
        ('["x"]', "rule 1 must be an object"),
        ('[{}, {"txt": "x"}]', "`txt` of rule 2 is unknown; known: match, text, logprob, token_ms, fail, load_ms"),
        ('[{"text": 5}]', "`text` of rule 1 must be a text"),
        ('[{"token_ms": "5"}]', "`token_ms` of rule 1 must be a number"),
        ('[{"token_ms": -5}]', "`token_ms` of rule 1 must be 0 or more"),
        ('[{"token_ms": NaN}]', "`token_ms` of rule 1 must be 0 or more"),
        ('[{"load_ms": -1}]', "`load_ms` of rule 1 must be 0 or more"),
        ('[{"match": "("}]', "`match` of rule 1 is no regular expression: missing ), unterminated subpattern"),
        ('[{"fail": "explode"}]', "`fail` of rule 1 must be one of crash, hang, garbage, or null"),
        ('[{"fail": []}]', "`fail` of rule 1 must be one of crash, hang, garbage, or null"),
        ("\udcff", "codec can't decode"),
        (None, "No such file"),
    ],
)
def test_a_bad_script_is_a_sentence(tmp_path: Path, content: str | None, says: str) -> None:
    """It names the file, the rule and what is wrong."""
    path = tmp_path / "script.json"
    if content is not None:
        path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ModelFileError) as caught:
        read_rules(path)
    assert str(caught.value).startswith(f"The script {path} cannot be used: ")
    assert says in str(caught.value)
