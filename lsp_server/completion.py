"""One completion request from the snapshot to its outcome: the steps in their order, nothing else."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from lsp_server.context.window import CHARACTERS_PER_TOKEN, Window, take_window
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import Engine, EngineState, Finished, FinishReason, GenerateRequest, ModelInfo, Piece
from lsp_server.errors import CompletionError, EngineBusy, EngineGone
from lsp_server.outcome import Outcome, Skip, Suggestion, Times, TokenCounts, Verdict
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.within_the_line_limit import single_line
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.settings import Settings

_HUNG_ENGINE_MS = 250
"""How long after its deadline an engine may stay silent before the request ends without it."""

_LINE_SHARE = 1 / 16
"""Share of the budget kept for the caret's line, so that typing in it does not change which window fits."""


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
    except EngineBusy as error:
        return _ended(request, Skip.LOADING, str(error))
    except CompletionError as error:
        return _ended(request, Skip.ENGINE_FAILED, str(error))


def _refusal(request: CompletionRequest) -> Skip | None:
    """Why this document gets no suggestion, before anything is computed."""
    if not request.settings.enabled and not request.invoked:
        return Skip.OFF
    if request.snapshot.is_larger_than(request.settings.max_file_bytes):
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
    ends_s = _deadline_s(request)
    template = choose_template(request.settings.fim_template, model)
    snapshot, settings = request.snapshot, request.settings
    max_new_tokens = min(settings.max_new_tokens, model.context_tokens // 2)
    budget_tokens = max(1, min(settings.max_prompt_tokens, model.context_tokens - max_new_tokens - 8))
    head = _short_header(render.header(snapshot.path, snapshot.language_id, template), budget_tokens)
    try:
        window = await asyncio.wait_for(_fitting_window(request, engine, head, budget_tokens), _left_s(ends_s))
    except asyncio.TimeoutError:
        return _ended(request, Skip.DEADLINE)
    blank = Candidate("", snapshot, settings.max_lines)
    asked = GenerateRequest(
        prompt=render.render(template, head, window.prefix, window.suffix),
        lane=snapshot.uri,
        max_new_tokens=max_new_tokens,
        stop_texts=render.stop_texts(template, window.suffix, single_line=single_line(blank)),
        stop_tokens=render.stop_tokens(template),
        deadline_ms=_left_s(ends_s) * 1000,
    )
    answer = await _streamed(asked, engine, _left_s(ends_s))
    return _judged(request, blank.with_text(answer.text), answer)


def _deadline_s(request: CompletionRequest) -> float:
    """When the answer is due. An invoked request may have waited for the model: its time counts from now."""
    if request.invoked:
        return time.perf_counter() + request.settings.invoked_deadline_ms / 1000
    return request.received_s + request.settings.deadline_ms / 1000


def _left_s(ends_s: float) -> float:
    return max(0.0, ends_s - time.perf_counter())


def _short_header(head: str, budget_tokens: int) -> str:
    """The header, unless a very long path would take the room of the code."""
    return head if len(head.encode("utf-8", "replace")) <= budget_tokens // 2 else ""


async def _fitting_window(request: CompletionRequest, engine: Engine, head: str, budget_tokens: int) -> Window:
    """The largest window, of a fixed ladder of sizes, whose tokens fit."""
    *rates, smallest = CHARACTERS_PER_TOKEN
    for rate in rates:
        window = take_window(request.snapshot, budget_tokens, rate)
        if len((head + window.prefix + window.suffix).encode("utf-8", "replace")) <= budget_tokens:
            return window  # a token has at least one byte
        if await _tokens_when_full(window, engine, head, int(budget_tokens * _LINE_SHARE)) <= budget_tokens:
            return window
    return take_window(request.snapshot, budget_tokens, smallest)


async def _tokens_when_full(window: Window, engine: Engine, head: str, line_tokens: int) -> float:
    """Tokens that the window will have when typing has filled it: the same for every key, so that the choice stays.

    What is counted are pieces that change rarely, which the engine need not tokenize again at each key.
    """
    above, newline, before_caret = (head + window.prefix).rpartition("\n")
    after_caret, line_end, below = window.suffix.partition("\n")
    counts = await engine.count_tokens((above + newline, before_caret + after_caret, line_end + below))
    growth = max(1.0, window.room_characters / max(1, len(above)))
    return counts[0] * growth + max(counts[1], line_tokens) + counts[2]


async def _streamed(asked: GenerateRequest, engine: Engine, left_s: float) -> _Answer:
    """All that the engine streams until its deadline, and a little longer for one that hangs."""
    answer = _Answer()

    async def collect() -> None:
        async with aclosing(engine.generate(asked)) as events:
            async for event in events:
                if isinstance(event, Piece):
                    answer.text += event.text
                else:
                    answer.finished = event

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(collect(), left_s + _HUNG_ENGINE_MS / 1000)
    return answer


def _judged(request: CompletionRequest, candidate: Candidate, answer: _Answer) -> Outcome:
    """Post-processing, and the outcome with its figures."""
    snapshot, finished = request.snapshot, answer.finished
    if not answer.text.strip():
        out_of_time = finished is None or finished.reason is FinishReason.DEADLINE
        return _ended(request, Skip.DEADLINE if out_of_time else Skip.EMPTY, answer=answer)
    candidate, verdicts = pipeline.run(candidate)
    if not candidate.text.strip():
        return _ended(request, Skip.NOTHING_LEFT, f"emptied by {verdicts[-1].rule}", answer, verdicts)
    start = snapshot.caret_offset
    suggestion = Suggestion(candidate.text, start, start + candidate.replaced_characters)
    return _outcome(request, answer, suggestion=suggestion, rules=verdicts)


def _ended(
    request: CompletionRequest,
    skip: Skip,
    detail: str = "",
    answer: _Answer | None = None,
    rules: tuple[Verdict, ...] = (),
) -> Outcome:
    return _outcome(request, answer or _Answer(), skip=skip, detail=detail, rules=rules)


def _outcome(  # noqa: PLR0913  # the parts of an outcome, by name
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
