"""An engine that answers from a table: for tests, and for trying the editor side without weights.

The table is a JSON file, `[{"match": REGEX, "text": str, "logprob": float, "token_ms": float, "fail": "crash" |
"hang" | "garbage" | null, "load_ms": float}, ...]`. The first rule whose regex is found in the rendered prompt
answers; a rule without `match` always does. In everything else it behaves like an engine: it streams small pieces, can
be cancelled, counts tokens, reuses what the same lane has seen, obeys stops and deadlines. One "token" is a run of up
to four characters of one word.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lsp_server.engine.base import (
    EngineCounters,
    EngineState,
    EngineStatus,
    Finished,
    FinishReason,
    GenerateRequest,
    ModelInfo,
    Piece,
    Prompt,
    StatusListener,
    Text,
)
from lsp_server.engine.lanes import common_prefix_length
from lsp_server.engine.stops import StopTexts
from lsp_server.errors import EngineGone, ModelFileError
from lsp_server.outcome import TokenCounts

_TOKEN = re.compile(r"<\|?\w+\|?>|\w{1,4}|\s+|.", re.DOTALL)
_SPECIALS = {1: "<|fim_prefix|>", 2: "<|fim_suffix|>", 3: "<|fim_middle|>"}
_GARBAGE = "\x00\ufffd\x1b[31m<role>\r\n\u202e"
_FAILURES = ("crash", "hang", "garbage")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    text: str = ""
    match: str | None = None
    logprob: float = -0.1
    token_ms: float = 0.0
    fail: str | None = None
    load_ms: float = 0.0
    """How long the engine loads; the largest of all rules counts."""


def read_rules(path: Path) -> tuple[Rule, ...]:
    """The table in a file.

    Raises:
        ModelFileError: it is not there, or not such a table.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise ValueError("it must be a JSON list of rules")
        return tuple(_rule(number, entry) for number, entry in enumerate(entries, start=1))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(f"The script {path} cannot be used: {error}.") from error


def _rule(number: int, entry: object) -> Rule:
    """One entry, checked.

    Raises:
        ValueError: it is no rule; the message says why.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"rule {number} must be an object")
    for name, value in entry.items():
        if (expected := _problem_of(name, value)) is not None:
            raise ValueError(f"`{name}` of rule {number} {expected}")
    return Rule(**entry)


def _problem_of(name: str, value: object) -> str | None:
    """What is wrong with one value of a rule."""
    if name == "text":
        return None if isinstance(value, str) else "must be a text"
    if name == "match":
        return _problem_of_regex(value)
    if name in ("logprob", "token_ms", "load_ms"):
        return _problem_of_number(name, value)
    if name == "fail":
        return None if value is None or value in _FAILURES else f"must be one of {', '.join(_FAILURES)}, or null"
    return "is unknown; known: match, text, logprob, token_ms, fail, load_ms"


def _problem_of_number(name: str, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "must be a number"
    return "must be 0 or more" if name != "logprob" and not 0 <= value < math.inf else None


def _problem_of_regex(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return "must be a regular expression"
    try:
        re.compile(value)
    except re.error as error:
        return f"is no regular expression: {error}"
    return None


def render(prompt: Prompt) -> str:
    """The prompt as text, control tokens by their names."""
    return "".join(part.text if isinstance(part, Text) else _name(part.token) for part in prompt)


def _name(token: str | int) -> str:
    return token if isinstance(token, str) else _SPECIALS.get(token, f"<|{token}|>")


class ScriptedEngine:
    """Implements `Engine` from a table of rules."""

    def __init__(self, rules: tuple[Rule, ...], name: str = "scripted", load_ms: float = 0.0) -> None:
        self.rules = rules
        self.name = name
        self.load_ms = load_ms
        self._seen: dict[str, list[str]] = {}
        """Tokens of the newest prompt in each lane."""
        self._counters = EngineCounters(process_id=os.getpid())
        self._listeners: list[StatusListener] = []
        self._status = EngineStatus(EngineState.STOPPED)
        self._loading: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        """Set while nothing is being loaded."""
        self._closed = asyncio.Event()
        """Set by `close`; generations hold the one that was there when they began."""

    @property
    def status(self) -> EngineStatus:
        """The newest status."""
        return self._status

    def on_status(self, listener: StatusListener) -> None:
        """Call `listener` at each change of status."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Be ready at once, or after `load_ms`."""
        if self._status.state is EngineState.STOPPED:
            self._set(EngineStatus(EngineState.LOADING, "Loading the script", 0))
            self._loading = asyncio.get_running_loop().call_later(self.load_ms / 1000, self._loaded)

    def _loaded(self) -> None:
        model = ModelInfo(self.name, "", 16384, 1, 2, 3, has_chat_template=True)
        self._set(EngineStatus(EngineState.READY, "Ready", model=model))

    def _set(self, status: EngineStatus) -> None:
        self._status = status
        self._settled.clear() if status.state is EngineState.LOADING else self._settled.set()
        for listener in self._listeners:
            listener(status)

    async def wait_ready(self, limit_ms: float) -> EngineStatus:
        """Wait until the script is ready."""
        await self.start()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._settled.wait(), limit_ms / 1000)
        return self._status

    async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        """How many runs of up to four characters each text has."""
        return tuple(len(_TOKEN.findall(text)) for text in texts)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Stream the text of the first rule that matches."""
        rendered = render(request.prompt)
        rule = next((rule for rule in self.rules if rule.match is None or re.search(rule.match, rendered)), Rule())
        tokens = _TOKEN.findall(rendered)
        reused = min(common_prefix_length(self._seen.get(request.lane, []), tokens), max(0, len(tokens) - 1))
        self._seen[request.lane] = tokens
        answer = _Answer(rule, request, self._closed)

        def finished(reason: FinishReason) -> Finished:
            counts = TokenCounts(len(tokens), reused, len(tokens) - reused, answer.generated)
            return Finished(reason, counts, 0.0, answer.generated * rule.token_ms)

        try:
            while (piece := await answer.next_piece()) is not None:
                yield replace(piece, so_far=finished(FinishReason.STOP))
        finally:
            self._counters = EngineCounters(
                self._counters.evaluated_prompt_tokens + len(tokens) - reused,
                self._counters.evaluated_answer_tokens + answer.generated,
                process_id=os.getpid(),
            )
        yield finished(answer.reason)

    async def counters(self) -> EngineCounters:
        """What was counted since the start."""
        return self._counters

    async def close(self) -> None:
        """End what is in flight; the engine can be started again."""
        if self._loading is not None:
            self._loading.cancel()
        self._closed.set()
        self._closed = asyncio.Event()
        self._set(EngineStatus(EngineState.STOPPED))


class _Answer:
    """One rule, spoken token by token; `reason` and `generated` are right when there are no more pieces."""

    def __init__(self, rule: Rule, request: GenerateRequest, closed: asyncio.Event) -> None:
        self._rule = rule
        self._most_tokens = request.max_new_tokens
        self._closed = closed
        self._ends_s = None if request.deadline_ms is None else time.monotonic() + request.deadline_ms / 1000
        self._stops = StopTexts(request.stop_texts)
        self._ending = frozenset(map(_name, request.stop_tokens))
        self._script = _TOKEN.finditer(_GARBAGE * 8 if rule.fail == "garbage" else rule.text)
        self._ended = False
        self.generated = 0
        self.reason = FinishReason.END

    async def next_piece(self) -> Piece | None:
        """The next text that can be streamed; `None` at the end."""
        text, before = "", self.generated
        while not text and not self._ended:
            token = await self._next_token()
            text = self._stops.rest() if token is None else self._stops.feed(token)
            self._ended = token is None or self._stops.hit
        if self._stops.hit:
            self.reason = FinishReason.STOP
        tokens = self.generated - before
        return Piece(text, self._rule.logprob * tokens, tokens) if text else None

    async def _next_token(self) -> str | None:
        if self._rule.fail == "hang":
            await self._closed.wait()
            raise EngineGone("The scripted engine was closed.")
        if self._rule.fail == "crash" and (self.generated or not self._rule.text):
            raise EngineGone("The scripted engine crashed, as its rule says.")
        found = next(self._script, None)
        if found is not None and self.generated >= self._most_tokens:
            self.reason, found = FinishReason.LENGTH, None
        elif found is not None and not await self._is_in_time():
            self.reason, found = FinishReason.DEADLINE, None
        if found is None or found[0] in self._ending:
            return None
        self.generated += 1
        return found[0]

    async def _is_in_time(self) -> bool:
        """Wait as long as one token takes, at most until the deadline."""
        wait_s = self._rule.token_ms / 1000
        if self._ends_s is not None:
            wait_s = min(wait_s, max(0.0, self._ends_s - time.monotonic()))
        await asyncio.sleep(wait_s)
        if self._closed.is_set():
            raise EngineGone("The scripted engine was closed.")
        return self._ends_s is None or time.monotonic() < self._ends_s
