"""An engine that answers from a table: for tests, and for trying the editor side without weights.

The table is a JSON file, `[{"match": REGEX, "text": str, "logprob": float, "token_ms": float, "fail": "crash" | "hang" |
"garbage" | null}, ...]`. The first rule whose regex is found in the rendered prompt answers; a rule without `match` always
does. In everything else it behaves like an engine: it streams small pieces, can be cancelled, counts tokens, reuses what
the same lane has seen, obeys stops and deadlines. One "token" is a run of up to four characters of one word.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.engine.base import (
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


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    text: str = ""
    match: str | None = None
    logprob: float = -0.1
    token_ms: float = 0.0
    fail: str | None = None


def read_rules(path: Path) -> tuple[Rule, ...]:
    """The table in a file.

    Raises:
        ModelFileError: it is not there, or not such a table.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        rules = tuple(Rule(**entry) for entry in entries)
        for rule in rules:
            re.compile(rule.match or "")
    except (OSError, ValueError, TypeError, re.error) as error:
        raise ModelFileError(f"The script {path} cannot be used: {error}. It must be a JSON list of rules.") from error
    return rules


def render(prompt: Prompt) -> str:
    """The prompt as text, control tokens by their names."""
    return "".join(part.text if isinstance(part, Text) else _name(part.token) for part in prompt)


def _name(token: str | int) -> str:
    return token if isinstance(token, str) else _SPECIALS.get(token, f"<|{token}|>")


@dataclass
class ScriptedEngine:
    """Implements `Engine` from a table of rules."""

    rules: tuple[Rule, ...]
    name: str = "scripted"
    load_ms: float = 0.0
    _seen: dict[str, list[str]] = field(default_factory=dict)
    _listeners: list[StatusListener] = field(default_factory=list)
    _status: EngineStatus = EngineStatus(EngineState.STOPPED)

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
            asyncio.get_running_loop().call_later(self.load_ms / 1000, self._loaded)

    def _loaded(self) -> None:
        model = ModelInfo(self.name, "", 16384, 1, 2, 3, has_chat_template=True)
        self._set(EngineStatus(EngineState.READY, "Ready", model=model))

    def _set(self, status: EngineStatus) -> None:
        self._status = status
        for listener in self._listeners:
            listener(status)

    async def wait_ready(self, limit_ms: float) -> EngineStatus:
        """Wait until the script is ready."""
        await self.start()
        ends = time.monotonic() + limit_ms / 1000
        while self._status.state is EngineState.LOADING and time.monotonic() < ends:
            await asyncio.sleep(0.001)
        return self._status

    async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        """How many runs of up to four characters each text has."""
        return tuple(len(_TOKEN.findall(text)) for text in texts)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Stream the text of the first rule that matches."""
        started = time.monotonic()
        rendered = render(request.prompt)
        rule = next((rule for rule in self.rules if rule.match is None or re.search(rule.match, rendered)), Rule())
        tokens = _TOKEN.findall(rendered)
        reused = min(common_prefix_length(self._seen.get(request.lane, []), tokens), max(0, len(tokens) - 1))
        self._seen[request.lane] = tokens
        if rule.fail == "hang":
            await asyncio.Event().wait()
        stops, reason, generated = StopTexts(request.stop_texts), FinishReason.END, 0
        for token in _TOKEN.findall(_GARBAGE * 8 if rule.fail == "garbage" else rule.text):
            if generated >= request.max_new_tokens:
                reason = FinishReason.LENGTH
                break
            await asyncio.sleep(rule.token_ms / 1000)
            if request.deadline_ms is not None and (time.monotonic() - started) * 1000 > request.deadline_ms:
                reason = FinishReason.DEADLINE
                break
            if rule.fail == "crash" and generated:
                raise EngineGone("The scripted engine crashed, as its rule says.")
            generated += 1
            if text := stops.feed(token):
                yield Piece(text, rule.logprob)
            if stops.hit:
                reason = FinishReason.STOP
                break
        else:
            if rule.fail == "crash":
                raise EngineGone("The scripted engine crashed, as its rule says.")
        if rest := stops.rest():
            yield Piece(rest)
        counts = TokenCounts(len(tokens), reused, len(tokens) - reused, generated)
        yield Finished(reason, counts, 0.0, generated * rule.token_ms)

    async def close(self) -> None:
        """Nothing to let go of."""
        self._set(EngineStatus(EngineState.STOPPED))
