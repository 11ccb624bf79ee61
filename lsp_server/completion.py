"""One completion request from the snapshot to its outcome: the steps in their order, nothing else."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field

from lsp_server.context.window import CHARACTERS_PER_TOKEN, Window, take_window
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import Engine, EngineState, Finished, GenerateRequest, ModelInfo, Piece
from lsp_server.errors import CompletionError, EngineGone
from lsp_server.outcome import Outcome, Skip, Suggestion, Times, TokenCounts, Verdict
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.within_the_line_limit import single_line
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.settings import Settings

_HUNG_ENGINE_MS = 250
"""How long after its deadline an engine may stay silent before the request ends without it."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What one request is about."""

    snapshot: DocumentSnapshot
    settings: Settings
    invoked: bool = False
    """Asked for by key or on the command line, not by a pause in typing."""
    received_s: float = field(default_factory=time.perf_counter)
    """`time.perf_counter()` when the request came in; `ms.total` counts from here."""


@dataclass(slots=True)
class _Answer:
    """What has been streamed so far: it outlives the stream's being called off."""

    text: str = ""
    finished: Finished | None = None


async def complete(request: CompletionRequest, engine: Engine) -> Outcome:
    """The suggestion for a snapshot, or why there is none. Raises only `CancelledError`."""
    skip = _refusal(request)
    if skip is not None:
        return _ended(request, skip)
    try:
        model = await _loaded_model(request, engine)
        return model if isinstance(model, Outcome) else await _generated(request, engine, model)
    except EngineGone as error:
        return _ended(request, Skip.ENGINE_GONE, str(error))
    except CompletionError as error:
        return _ended(request, Skip.ENGINE_FAILED, str(error))


def _refusal(request: CompletionRequest) -> Skip | None:
    """Why this document gets no suggestion, before anything is computed."""
    if not request.settings.enabled and not request.invoked:
        return Skip.OFF
    if request.snapshot.size_characters > request.settings.max_file_bytes:
        return Skip.TOO_LARGE
    if any("\0" in line for line in request.snapshot.lines):
        return Skip.BINARY
    return None


async def _loaded_model(request: CompletionRequest, engine: Engine) -> ModelInfo | Outcome:
    """The model, or the outcome when it cannot be had in time: automatic requests never wait for loading."""
    if engine.status.state in (EngineState.STOPPED, EngineState.FAILED):
        await engine.start()
    status = engine.status
    if request.invoked and status.model is None:
        status = await engine.wait_ready(request.settings.load_wait_ms)
    if status.model is not None:
        return status.model
    if status.state is EngineState.FAILED:
        return _ended(request, Skip.ENGINE_FAILED, status.message)
    return _ended(request, Skip.LOADING, status.message)


async def _generated(request: CompletionRequest, engine: Engine, model: ModelInfo) -> Outcome:
    template = choose_template(request.settings.fim_template, model)
    snapshot, settings = request.snapshot, request.settings
    head = render.header(snapshot.path, snapshot.language_id, template)
    window = await _fitting_window(request, engine, head, min(settings.max_prompt_tokens, _room(model, settings)))
    blank = Candidate("", snapshot, settings.max_lines)
    deadline_ms = settings.invoked_deadline_ms if request.invoked else settings.deadline_ms
    asked = GenerateRequest(
        prompt=render.render(template, head, window.prefix, window.suffix),
        lane=snapshot.uri,
        max_new_tokens=settings.max_new_tokens,
        stop_texts=render.stop_texts(template, window.suffix, single_line=single_line(blank)),
        stop_tokens=render.stop_tokens(template),
        deadline_ms=deadline_ms,
    )
    answer = await _streamed(asked, engine, deadline_ms)
    return _judged(request, blank.with_text(answer.text), answer)


def _room(model: ModelInfo, settings: Settings) -> int:
    return max(1, model.context_tokens - settings.max_new_tokens - 8)


async def _fitting_window(request: CompletionRequest, engine: Engine, head: str, budget_tokens: int) -> Window:
    """The largest window, of a fixed ladder of sizes, whose tokens fit."""
    for rate in CHARACTERS_PER_TOKEN:
        window = take_window(request.snapshot, budget_tokens, rate)
        texts = (head + window.prefix, window.suffix)
        if sum(len(text.encode("utf-8", "replace")) for text in texts) <= budget_tokens:
            return window  # a token has at least one byte
        if sum(await engine.count_tokens(texts)) <= budget_tokens:
            return window
    return window


async def _streamed(asked: GenerateRequest, engine: Engine, deadline_ms: float) -> _Answer:
    """All that the engine streams until its deadline, and a little longer for one that hangs."""
    answer = _Answer()

    async def collect() -> None:
        async with aclosing(engine.generate(asked)) as events:
            async for event in events:
                if isinstance(event, Piece):
                    answer.text += event.text
                else:
                    answer.finished = event

    try:
        await asyncio.wait_for(collect(), (deadline_ms + _HUNG_ENGINE_MS) / 1000)
    except asyncio.TimeoutError:
        pass
    return answer


def _judged(request: CompletionRequest, candidate: Candidate, answer: _Answer) -> Outcome:
    """Post-processing, and the outcome with its figures."""
    snapshot, finished = request.snapshot, answer.finished
    if not answer.text.strip():
        out_of_time = finished is None or finished.reason.value == "deadline"
        return _ended(request, Skip.DEADLINE if out_of_time else Skip.EMPTY, answer=answer)
    candidate, verdicts = pipeline.run(candidate)
    if not candidate.text.strip():
        return _ended(request, Skip.NOTHING_LEFT, f"emptied by {verdicts[-1].rule}", answer)
    start = snapshot.caret_offset
    suggestion = Suggestion(candidate.text, start, start + candidate.replaced_characters)
    return _outcome(request, answer, suggestion=suggestion, rules=verdicts)


def _ended(request: CompletionRequest, skip: Skip, detail: str = "", answer: _Answer | None = None) -> Outcome:
    return _outcome(request, answer or _Answer(), skip=skip, detail=detail)


def _outcome(
    request: CompletionRequest,
    answer: _Answer,
    *,
    suggestion: Suggestion | None = None,
    skip: Skip | None = None,
    detail: str = "",
    rules: tuple[Verdict, ...] = (),
) -> Outcome:
    total_ms = (time.perf_counter() - request.received_s) * 1000
    finished = answer.finished
    return Outcome(
        suggestion=suggestion,
        skip=skip,
        detail=detail,
        raw=answer.text,
        rules=rules,
        tokens=finished.tokens if finished else TokenCounts(),
        times=Times(total_ms, finished.prefill_ms, finished.decode_ms) if finished else Times(total_ms),
    )
