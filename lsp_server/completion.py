"""One completion request from the snapshot to its outcome: the steps in their order, nothing else."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lsp_server.answer import Answer, stream
from lsp_server.context.gate import rules as gate
from lsp_server.context.window import unix
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import Engine, EngineState, Finished, FinishReason, ModelInfo, Piece
from lsp_server.errors import CompletionError, EngineBusy, EngineGone, PromptTooLong
from lsp_server.hope import Hope
from lsp_server.laying_out import Layout
from lsp_server.memory import Memory
from lsp_server.outcome import Outcome, Skip, Suggestion, Times, TokenCounts, Verdict
from lsp_server.pace import deadline_ms, is_worth_asking, pause_ms
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate, Rule
from lsp_server.postprocess.stream import StreamedAnswer
from lsp_server.power import Power
from lsp_server.reuse import Record
from lsp_server.settings import Settings
from lsp_server.trace import AHEAD, EARLIER, ENGINE, Notes, Source


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What one request is about."""

    snapshot: DocumentSnapshot
    settings: Settings
    invoked: bool = False
    """Asked for by key or on the command line, not by a pause in typing."""
    received_s: float = field(default_factory=time.perf_counter)
    """`time.perf_counter()` when the request came in; `ms.total` counts from here."""
    notes: Notes = field(default_factory=Notes, compare=False)
    """What the steps write down for the trace."""


async def complete(request: CompletionRequest, engine: Engine, memory: Memory) -> Outcome:
    """The suggestion for a snapshot, or why there is none. Raises only `CancelledError`."""
    with request.notes.stage("gate"):
        refused = gate.refusal(request.snapshot, request.settings, invoked=request.invoked)
    if refused is not None:
        request.notes.gate = refused.skip.label
        return _ended(request, refused.skip, refused.detail)
    again = _shown_before(request, memory)
    if again is not None:
        return again
    request.notes.line_ms = memory.speed.line_ms
    skip = _not_unasked(request, memory)
    if skip is not None:
        request.notes.gate = skip.label
        return _ended(request, skip)
    outcome = await _from_the_engine(request, engine, memory)
    if outcome.suggestion is not None:
        memory.shown_tokens += outcome.tokens.generated
        memory.history.add(request.snapshot.uri, Record.of(request.snapshot, outcome))
    return outcome


def _shown_before(request: CompletionRequest, memory: Memory) -> Outcome | None:
    """The rest of an earlier suggestion that the user types along, or goes back to."""
    found = memory.history.find(request.snapshot)
    if found is None:
        return None
    record, rest = found
    if request.invoked and not record.whole:
        return None  # whoever asks by key has more time than the answer had
    reused = Finished(FinishReason.END, TokenCounts(record.prompt_tokens, record.prompt_tokens), 0.0, 0.0)
    outcome = judged(request, Answer([Piece(rest, record.confidence)], reused), 0, pipeline.AT_THE_PLACE)
    if outcome.suggestion is None:
        return None
    ahead_tokens = memory.history.shown(request.snapshot.uri, record)
    memory.shown_tokens += ahead_tokens
    request.notes.answered_by = AHEAD if ahead_tokens else EARLIER
    return outcome


def _not_unasked(request: CompletionRequest, memory: Memory) -> Skip | None:
    """Why the engine is not troubled with a request that nobody made by key."""
    if request.invoked:
        return None
    if request.settings.save_battery and memory.meter.power is Power.LOW:
        return Skip.LOW_BATTERY
    if not is_worth_asking(request.snapshot, request.settings, memory.speed.line_ms):
        return Skip.SLOW
    return None


async def _from_the_engine(request: CompletionRequest, engine: Engine, memory: Memory) -> Outcome:
    try:
        model = await _loaded_model(request, engine)
        return model if isinstance(model, Outcome) else await _generated(request, engine, model, memory)
    except EngineGone as error:
        return _ended(request, Skip.ENGINE_GONE, str(error))
    except EngineBusy as error:
        return _ended(request, Skip.LOADING, str(error))
    except CompletionError as error:
        return _ended(request, Skip.ENGINE_FAILED, str(error))


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


async def _generated(request: CompletionRequest, engine: Engine, model: ModelInfo, memory: Memory) -> Outcome:
    # An invoked request may have waited for the model: its time counts from here.
    began_s = time.perf_counter() if request.invoked else request.received_s
    if not request.invoked and (wait_ms := pause_ms(request.settings, memory.speed.line_ms)):
        with request.notes.stage("paused"):
            await asyncio.sleep(wait_ms / 1000)  # the next key calls this off
    try:
        answer = await _answered(request, engine, model, memory, began_s)
    except PromptTooLong:
        # What was typed since the anchor has far more tokens a character than the text around it.
        memory.anchors.forget(request.snapshot.uri)
        answer = await _answered(request, engine, model, memory, began_s)
    if answer is None:
        return _ended(request, Skip.DEADLINE)
    return judged(request, answer, least_percent(request, model))


async def _answered(
    request: CompletionRequest, engine: Engine, model: ModelInfo, memory: Memory, began_s: float
) -> Answer | None:
    """What the engine says until the deadline; `None` when the prompt was not even laid out by then."""
    anchors, speed, uri = memory.anchors, memory.speed, request.snapshot.uri
    layout = Layout(request.snapshot, request.settings, model)
    request.notes.template, request.notes.answered_by = layout.template_name, ENGINE
    try:
        laying_out = layout.ask(engine, anchors, speed.suffix_tokens)
        with request.notes.stage("layout"):
            asked = await asyncio.wait_for(laying_out, _left_s(request, memory, began_s, prompt_is_read=False))
    except asyncio.TimeoutError:
        return None
    left_s = _left_s(request, memory, began_s, prompt_is_read=anchors.is_read(uri))
    with request.notes.stage("engine"):
        ends = ends_early(request, model)
        answer = await stream(engine, replace(asked, deadline_ms=left_s * 1000), left_s, memory.heard, ends)
    tokens = answer.finished.tokens.prompt if answer.finished else None
    request.notes.sources = [Source("window", request.snapshot.path, layout.lines, tokens, "around the caret")]
    memory.learn(answer, uri)
    return answer


def _left_s(request: CompletionRequest, memory: Memory, began_s: float, *, prompt_is_read: bool) -> float:
    """Seconds until the answer is due."""
    settings = request.settings
    limit_ms: float = settings.invoked_deadline_ms
    if not request.invoked:
        limit_ms = deadline_ms(settings, memory.speed.line_ms, prompt_is_read=prompt_is_read)
    return max(0.0, began_s + limit_ms / 1000 - time.perf_counter())


def least_percent(request: CompletionRequest, model: ModelInfo) -> int:
    """The confidence that a suggestion needs to be shown unasked; whoever asks by key sees it in any case."""
    if request.invoked:
        return 0
    setting = request.settings.min_confidence_percent
    return setting if setting >= 0 else model.min_confidence_percent


def _candidate(request: CompletionRequest, text: str) -> Candidate:
    return Candidate(text, request.snapshot, request.settings.max_lines)


def ends_early(request: CompletionRequest, model: ModelInfo) -> Callable[[Piece], FinishReason | None]:
    """Fed with the pieces of an answer, says when there is nothing more to generate for it."""
    streamed = StreamedAnswer(_candidate(request, ""))
    hope = Hope(least_percent(request, model), request.settings.max_new_tokens)

    def reason(piece: Piece) -> FinishReason | None:
        if streamed.feed(piece.text):
            return FinishReason.STOP
        return FinishReason.UNSURE if hope.is_lost(piece) else None

    return reason


def judged(
    request: CompletionRequest, answer: Answer, needed_percent: int, rules: tuple[Rule, ...] = pipeline.AT_THE_END
) -> Outcome:
    """Post-processing, and the outcome with its figures."""
    snapshot = request.snapshot
    if not answer.text.strip():
        return _ended(request, Skip.DEADLINE if answer.out_of_time else Skip.EMPTY, answer=answer)
    with request.notes.stage("postprocess"):
        candidate, verdicts = pipeline.run(_candidate(request, answer.whole_lines), rules)
    if not candidate.text.strip():
        skip, detail = Skip.NOTHING_LEFT, f"emptied by {verdicts[-1].rule}"
        if answer.is_given_up:  # what a rule says of half a line is not the reason
            skip, detail = Skip.UNSURE, ""
        return _ended(request, skip, detail, answer, verdicts)
    confidence = answer.confidence(len(unix(candidate.text)))
    percent = 100 * math.exp(confidence) if confidence is not None else 100.0
    if percent < needed_percent:
        detail = f"{Skip.UNSURE.value}: {percent:.0f} % of {needed_percent} %"
        return replace(_ended(request, Skip.UNSURE, detail, answer, verdicts), confidence=confidence)
    start = snapshot.caret_offset
    suggestion = Suggestion(candidate.text, start, start + candidate.replaced_characters)
    shown = _outcome(request, answer, suggestion=suggestion, rules=verdicts)
    return replace(shown, confidence=confidence, whole=not answer.cut_off)


def _ended(
    request: CompletionRequest,
    skip: Skip,
    detail: str = "",
    answer: Answer | None = None,
    rules: tuple[Verdict, ...] = (),
) -> Outcome:
    return _outcome(request, answer or Answer(), skip=skip, detail=detail, rules=rules)


def _outcome(  # noqa: PLR0913  # the parts of an outcome, by name
    request: CompletionRequest,
    answer: Answer,
    *,
    suggestion: Suggestion | None = None,
    skip: Skip | None = None,
    detail: str = "",
    rules: tuple[Verdict, ...] = (),
) -> Outcome:
    total_ms = (time.perf_counter() - request.received_s) * 1000
    paused_ms = request.notes.stages_ms.get("paused", 0.0)
    finished = answer.finished
    return Outcome(
        suggestion=suggestion,
        skip=skip,
        detail=detail,
        raw=answer.text,
        rules=rules,
        tokens=finished.tokens if finished else TokenCounts(),
        times=Times(
            total_ms,
            finished.prefill_ms if finished else 0.0,
            finished.decode_ms if finished else 0.0,
            paused_ms,
        ),
    )
