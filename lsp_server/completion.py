"""One completion request from the snapshot to its outcome: the steps in their order, nothing else."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from lsp_server.context.anchors import Anchors, TokenBudget
from lsp_server.context.window import unix
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import Engine, EngineState, Finished, FinishReason, GenerateRequest, ModelInfo, Piece
from lsp_server.errors import CompletionError, EngineBusy, EngineGone, PromptTooLong
from lsp_server.outcome import Outcome, Skip, Suggestion, Times, TokenCounts, Verdict
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.within_the_line_limit import single_line
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.reuse import Record, SuggestionHistory
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

    pieces: list[Piece] = field(default_factory=list)
    finished: Finished | None = None

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def confidence(self, shown_characters: int) -> float | None:
        """Mean log-probability of the tokens of the first characters, in nats."""
        logprob, tokens, length = 0.0, 0, 0
        for piece in self.pieces:
            if length >= shown_characters and tokens:
                break
            logprob, tokens, length = logprob + piece.logprob, tokens + piece.tokens, length + len(piece.text)
        return logprob / tokens if tokens else None


@dataclass
class Memory:
    """What is kept from one request of a document to the next."""

    anchors: Anchors = field(default_factory=Anchors)
    history: SuggestionHistory = field(default_factory=SuggestionHistory)

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self.anchors.forget(uri)
        self.history.forget(uri)


async def complete(request: CompletionRequest, engine: Engine, memory: Memory) -> Outcome:
    """The suggestion for a snapshot, or why there is none. Raises only `CancelledError`."""
    skip = _refusal(request)
    if skip is not None:
        return _ended(request, skip)
    again = _shown_before(request, memory.history)
    if again is not None:
        return again
    outcome = await _from_the_engine(request, engine, memory.anchors)
    if outcome.suggestion is not None:
        text, confidence = outcome.suggestion.text, outcome.confidence or 0.0
        record = Record.of(request.snapshot, text, outcome.tokens.prompt, confidence, whole=outcome.whole)
        memory.history.add(request.snapshot.uri, record)
    return outcome


def _shown_before(request: CompletionRequest, history: SuggestionHistory) -> Outcome | None:
    """The rest of an earlier suggestion that the user types along, or goes back to."""
    found = history.find(request.snapshot)
    if found is None:
        return None
    record, rest = found
    if request.invoked and not record.whole:
        return None  # whoever asks by key has more time than the answer had
    reused = Finished(FinishReason.END, TokenCounts(record.prompt_tokens, record.prompt_tokens), 0.0, 0.0)
    outcome = _judged(request, _Answer([Piece(rest, record.confidence)], reused), least_percent=0)
    return outcome if outcome.suggestion is not None else None


async def _from_the_engine(request: CompletionRequest, engine: Engine, anchors: Anchors) -> Outcome:
    try:
        model = await _loaded_model(request, engine)
        return model if isinstance(model, Outcome) else await _generated(request, engine, model, anchors)
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


async def _generated(request: CompletionRequest, engine: Engine, model: ModelInfo, anchors: Anchors) -> Outcome:
    ends_s = _deadline_s(request)
    try:
        answer = await _answered(request, engine, model, anchors, ends_s)
    except PromptTooLong:
        # What was typed since the anchor has far more tokens a character than the text around it.
        anchors.forget(request.snapshot.uri)
        answer = await _answered(request, engine, model, anchors, ends_s)
    if answer is None:
        return _ended(request, Skip.DEADLINE)
    return _judged(request, answer, _least_percent(request, model))


async def _answered(
    request: CompletionRequest, engine: Engine, model: ModelInfo, anchors: Anchors, ends_s: float
) -> _Answer | None:
    """What the engine says until the deadline; `None` when the prompt was not even laid out by then."""
    try:
        asked = await asyncio.wait_for(_laid_out(request, engine, model, anchors), _left_s(ends_s))
    except asyncio.TimeoutError:
        return None
    return await _streamed(replace(asked, deadline_ms=_left_s(ends_s) * 1000), engine, _left_s(ends_s))


def _least_percent(request: CompletionRequest, model: ModelInfo) -> int:
    """The confidence that a suggestion needs to be shown unasked; whoever asks by key sees it in any case."""
    if request.invoked:
        return 0
    setting = request.settings.min_confidence_percent
    return setting if setting >= 0 else model.min_confidence_percent


async def _laid_out(request: CompletionRequest, engine: Engine, model: ModelInfo, anchors: Anchors) -> GenerateRequest:
    """What the engine is asked: the prompt in the model's layout, and where its answer ends."""
    snapshot, settings = request.snapshot, request.settings
    template = choose_template(settings.fim_template, model)
    max_new_tokens = min(settings.max_new_tokens, model.context_tokens // 2)
    room_tokens = max(8, model.context_tokens - max_new_tokens - 8)
    prompt_tokens = min(settings.max_prompt_tokens, room_tokens)
    head = _short_header(render.header(snapshot.path, snapshot.language_id, template), prompt_tokens)
    head_tokens = len(head.encode("utf-8", "replace"))  # at most: a token has at least one byte
    budget = TokenBudget.within(prompt_tokens - head_tokens, room_tokens - head_tokens)
    view = await anchors.view(snapshot, budget, engine.count_tokens)
    return GenerateRequest(
        prompt=render.render(template, head, view),
        lane=snapshot.uri,
        max_new_tokens=max_new_tokens,
        stop_texts=render.stop_texts(template, view.suffix, single_line=single_line(_candidate(request, ""))),
        stop_tokens=render.stop_tokens(template),
        heal=True,
    )


def _candidate(request: CompletionRequest, text: str) -> Candidate:
    return Candidate(text, request.snapshot, request.settings.max_lines)


def _deadline_s(request: CompletionRequest) -> float:
    """When the answer is due. An invoked request may have waited for the model: its time counts from now."""
    if request.invoked:
        return time.perf_counter() + request.settings.invoked_deadline_ms / 1000
    return request.received_s + request.settings.deadline_ms / 1000


def _left_s(ends_s: float) -> float:
    return max(0.0, ends_s - time.perf_counter())


def _short_header(head: str, prompt_tokens: int) -> str:
    """The header, unless a very long path would take the room of the code."""
    return head if len(head.encode("utf-8", "replace")) <= prompt_tokens // 2 else ""


async def _streamed(asked: GenerateRequest, engine: Engine, left_s: float) -> _Answer:
    """All that the engine streams until its deadline, and a little longer for one that hangs."""
    answer = _Answer()

    async def collect() -> None:
        async with aclosing(engine.generate(asked)) as events:
            async for event in events:
                if isinstance(event, Piece):
                    answer.pieces.append(event)
                else:
                    answer.finished = event

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(collect(), left_s + _HUNG_ENGINE_MS / 1000)
    return answer


def _judged(request: CompletionRequest, answer: _Answer, least_percent: int) -> Outcome:
    """Post-processing, and the outcome with its figures."""
    snapshot, finished = request.snapshot, answer.finished
    if not answer.text.strip():
        out_of_time = finished is None or finished.reason is FinishReason.DEADLINE
        return _ended(request, Skip.DEADLINE if out_of_time else Skip.EMPTY, answer=answer)
    candidate, verdicts = pipeline.run(_candidate(request, _whole_lines(answer)))
    if not candidate.text.strip():
        return _ended(request, Skip.NOTHING_LEFT, f"emptied by {verdicts[-1].rule}", answer, verdicts)
    confidence = answer.confidence(len(unix(candidate.text)))
    percent = 100 * math.exp(confidence) if confidence is not None else 100.0
    if percent < least_percent:
        detail = f"{Skip.UNSURE.value}: {percent:.0f} % of {least_percent} %"
        return replace(_ended(request, Skip.UNSURE, detail, answer, verdicts), confidence=confidence)
    start = snapshot.caret_offset
    suggestion = Suggestion(candidate.text, start, start + candidate.replaced_characters)
    whole = finished is not None and finished.reason in (FinishReason.END, FinishReason.STOP)
    shown = _outcome(request, answer, suggestion=suggestion, rules=verdicts)
    return replace(shown, confidence=confidence, whole=whole)


def _whole_lines(answer: _Answer) -> str:
    """The answer without the line that the model did not get to finish, unless there is no other."""
    cut_off = answer.finished is None or answer.finished.reason in (FinishReason.DEADLINE, FinishReason.LENGTH)
    whole, _, _ = answer.text.rpartition("\n")
    return whole if cut_off and whole.strip() else answer.text


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
