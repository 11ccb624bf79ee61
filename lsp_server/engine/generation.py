"""One generation as a machine of small steps, so that the scheduler can choose anew after each of them.

A step evaluates one micro-batch of the prompt, or one token of the answer. A generation that was interrupted plans its
lane again: what is still in the cache costs nothing, what another job took is evaluated once more.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from lsp_server.engine.base import Finished, FinishReason, Piece, Priority, Sampling
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.lanes import Lane
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.engine.model import DecodeResult, Model
from lsp_server.engine.stops import StopTexts
from lsp_server.errors import EngineError, PromptTooLong
from lsp_server.outcome import TokenCounts

Emit = Callable[[Piece | Finished | EngineError], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A request whose prompt has become tokens."""

    lane: str
    tokens: tuple[int, ...]
    max_new_tokens: int
    stop_texts: tuple[str, ...] = ()
    stop_tokens: frozenset[int] = frozenset()
    priority: Priority = Priority.COMPLETION
    sampling: Sampling = field(default_factory=Sampling)
    tail: bytes = b""
    """What the answer must begin with and nobody needs to be shown: the half token before the caret."""


class Step(Enum):
    """What a step left to do."""

    MORE = "more"
    DONE = "done"


class Generation:
    """Evaluates the prompt of one job and generates its answer; `emit` gets pieces and, last, `Finished`."""

    def __init__(self, job: Job, model: Model, lanes: LaneTable, emit: Emit, micro_batch: MicroBatch) -> None:
        limit = model.info.context_tokens
        if not job.tokens:
            raise EngineError("The prompt is empty.")
        if len(job.tokens) + 1 > limit:
            raise PromptTooLong(len(job.tokens), limit - 1)
        self.job = job
        self._model, self._lanes, self._emit = model, lanes, emit
        self._micro_batch = micro_batch
        self._most_new = min(job.max_new_tokens, max(0, limit - len(job.tokens) - len(job.tail)))
        self._sequence_tokens: tuple[int, ...] = job.tokens
        """The prompt, and every generated token that must be evaluated before the next one."""
        self._left: Lane | None = None
        """The lane as this generation left it; another object in the table means that somebody else used it."""
        self._reached = 0
        """How much of the prompt was in the lane at some time, reused or evaluated."""
        self._reused = self._evaluated = self._generated = 0
        self._prefill_s = self._decode_s = 0.0
        self._stops = StopTexts(job.stop_texts)
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._logprob = 0.0
        self._unsaid = 0
        """Tokens since the last piece: some only complete a character or a stop text."""
        self._tail = job.tail
        self._healing = 0
        """Tokens that only repeat what stands before the caret; they do not count against the limit."""

    @property
    def reading(self) -> bool:
        """Whether there is more of the prompt to evaluate."""
        return self._reached < len(self.job.tokens)

    @property
    def next_stop(self) -> int:
        """How much of the prompt the cache holds when the present call is done."""
        return min(self._reached + self._micro_batch.tokens, len(self.job.tokens))

    def step(self) -> Step:
        """Do the next small thing. An aborted step has changed nothing and can be done again."""
        lane = self._enter_lane()
        start = len(lane.tokens)
        chunk = self._sequence_tokens[start : start + self._micro_batch.tokens]
        last = start + len(chunk) == len(self._sequence_tokens)
        began = time.perf_counter()
        result = self._model.decode(lane.sequence, chunk, start, logits=last)
        if result is DecodeResult.FULL:
            self._lanes.forget_others(self.job.lane)
            result = self._model.decode(lane.sequence, chunk, start, logits=last)
            if result is DecodeResult.FULL:
                raise EngineError("The key-value cache is full. Raise `cells` in engine.toml.")
        if result is DecodeResult.ABORTED:
            self._lanes.shorten(self.job.lane, self._model.filled(lane.sequence))
            self._count(began, start, len(chunk), lost=True)
            return Step.MORE
        self._left = self._lanes.extend(self.job.lane, chunk)
        self._advance_to(len(self._left.tokens))
        self._micro_batch.took(len(chunk), time.perf_counter() - began)
        self._count(began, start, len(chunk))
        if not last:
            return Step.MORE
        return self._next_token() if self._most_new > 0 else self.finish(FinishReason.LENGTH)

    def finish(self, reason: FinishReason) -> Step:
        """End with what is there."""
        rest = self._stops.rest() if reason is not FinishReason.STOP else ""
        if rest:
            self._emit(self._piece(rest))
        if self._stops.hit:
            reason = FinishReason.STOP
        self._emit(self._finished(reason))
        return Step.DONE

    def _finished(self, reason: FinishReason) -> Finished:
        """The end, if it were here."""
        counts = TokenCounts(len(self.job.tokens), self._reused, self._evaluated, self._generated)
        return Finished(reason, counts, self._prefill_s * 1000, self._decode_s * 1000)

    def _enter_lane(self) -> Lane:
        """The lane, holding a beginning of our tokens; plans only when somebody else touched it."""
        lane = self._lanes.lane(self.job.lane)
        if lane is None or lane is not self._left:
            reserve = self._most_new - self._generated
            lane = self._left = self._lanes.enter(self.job.lane, self._sequence_tokens, reserve)
        self._reused += self._advance_to(len(lane.tokens))
        return lane

    def _advance_to(self, length: int) -> int:
        """Note that the lane holds so many tokens; how many of the prompt are there for the first time."""
        before, self._reached = self._reached, max(self._reached, min(length, len(self.job.tokens)))
        return self._reached - before

    def _count(self, began: float, start: int, given: int, *, lost: bool = False) -> None:
        spent = time.perf_counter() - began
        if self._generated:
            self._decode_s += spent
        else:
            self._prefill_s += spent
        of_prompt = max(0, min(given, len(self.job.tokens) - start))
        self._lanes.counters.prompt_tokens += of_prompt
        self._lanes.counters.answer_tokens += given - of_prompt
        self._evaluated += 0 if lost else of_prompt

    def _next_token(self) -> Step:
        began = time.perf_counter()
        among = self._model.candidates(self._tail) if self._tail else ()
        if self._tail and not among:
            return self.finish(FinishReason.END)  # a vocabulary that cannot spell the rest
        token, logprob = self._model.sample(self.job.sampling, among)
        step = self._accept(token, logprob)
        self._decode_s += time.perf_counter() - began
        return self.finish(step) if isinstance(step, FinishReason) else step

    def _accept(self, token: int, logprob: float) -> Step | FinishReason:
        if self._model.is_end(token) or token in self.job.stop_tokens:
            return FinishReason.END
        self._generated += 1
        self._sequence_tokens += (token,)
        piece = self._model.piece(token)
        if len(piece) > len(self._tail):  # it says something new
            self._logprob += logprob
            self._unsaid += 1
        else:
            self._healing += bool(self._tail)
        text = self._stops.feed(self._characters.decode(self._new_bytes(piece)))
        if text:
            self._emit(self._piece(text))
        if self._stops.hit:
            return FinishReason.STOP
        return FinishReason.LENGTH if self._generated - self._healing >= self._most_new else Step.MORE

    def _new_bytes(self, piece: bytes) -> bytes:
        """The bytes of a token without those that stand before the caret already."""
        healed = min(len(piece), len(self._tail))
        self._tail = self._tail[healed:]
        return piece[healed:]

    def _piece(self, text: str) -> Piece:
        """Text with the log-probability of the tokens since the piece before."""
        piece = Piece(text, self._logprob, self._unsaid, self._finished(FinishReason.STOP))
        self._logprob, self._unsaid = 0.0, 0
        return piece
