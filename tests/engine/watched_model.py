"""The bundled model with a cache that is too small, which notes what it chose and what became of its calls."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import llama_cpp
import numpy as np

from lsp_server.engine.base import Sampling
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.llama import LlamaModel
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.engine.model import DecodeResult
from lsp_server.model_store.locate import bundled_model

CLOSE_NATS = 0.05
MICRO_BATCH = 32
SMALL = EngineSettings(cells=512, lane_tokens=400, lanes=3, micro_batch_tokens=MICRO_BATCH)


@dataclass(frozen=True)
class Choice:
    """A token that was chosen."""

    sequence: int
    token: int
    lead: float
    """By how many nats it was better than the second best one."""


class WatchedModel(LlamaModel):
    """The real model, which notes what became of its calls and how sure each choice was."""

    def __init__(self) -> None:
        super().__init__(bundled_model(), SMALL, lambda _share: None)
        self.choices: list[Choice] = []
        self.deeds: Counter[str] = Counter()
        self.sequences: list[int] = []
        """Of each call of `decode`."""
        self.on_decode: Callable[[], None] = _nothing

    def reset(self) -> None:
        self.choices.clear()
        self.deeds.clear()
        self.sequences.clear()
        self.on_decode = _nothing
        self.clear_abort()

    def sample(self, sampling: Sampling, among: Sequence[int] = ()) -> tuple[int, float]:
        token, logprob = super().sample(sampling, among)
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
        best = np.sort(logits[list(among)] if among else logits)[-2:]
        lead = float(best[-1] - best[0]) if len(best) > 1 else math.inf
        self.choices.append(Choice(self.sequences[-1], token, lead))
        return token, logprob

    def is_end(self, token: int) -> bool:
        """Never: answers have their full length, whatever the bundled model has to say."""
        return False

    def cut(self, sequence: int, length: int) -> None:
        self.deeds["shortened"] += 0 < length < self.filled(sequence)
        super().cut(sequence, length)

    def copy(self, source: int, target: int, length: int) -> None:
        self.deeds["copied"] += 1
        super().copy(source, target, length)

    def decode(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> DecodeResult:
        self.sequences.append(sequence)
        self.on_decode()
        result = super().decode(sequence, tokens, position, logits=logits)
        self.deeds[result.value] += 1
        return result


def _nothing() -> None:
    pass


class WatchedLanes(LaneTable):
    """Notes which lanes had to go for others."""

    def __init__(self, model: WatchedModel) -> None:
        super().__init__(model, SMALL.cells, SMALL.lanes)
        self._deeds = model.deeds

    def forget(self, name: str) -> None:
        self._deeds["evicted"] += 1
        super().forget(name)


class Running:
    """One job that is advanced step by step, whoever else takes steps in between."""

    def __init__(self, job: Job, model: WatchedModel, lanes: LaneTable) -> None:
        self.job, self.choices, self._model = job, list[Choice](), model
        self._generation = Generation(job, model, lanes, lambda _event: None, MicroBatch(MICRO_BATCH))
        self.ended = False

    def step(self) -> None:
        before = len(self._model.choices)
        self.ended = self._generation.step() is Step.DONE
        self.choices += self._model.choices[before:]

    def steps(self, count: int) -> None:
        for _ in range(count):
            if not self.ended:
                self.step()

    def aborted_step(self) -> None:
        self._model.request_abort()
        self.step()
        self._model.clear_abort()

    def run(self) -> Running:
        while not self.ended:
            self.step()
        return self


def check_equal(ours: Sequence[Choice], alone: Sequence[Choice]) -> bool:
    """Whether all tokens are the same. Fails at a difference that is not a close one."""
    for mine, wanted in zip(ours, alone, strict=False):
        if mine.token != wanted.token:
            assert wanted.lead < CLOSE_NATS, f"{mine} where {wanted} was chosen"
            return False
    assert len(ours) == len(alone)
    return True


class Judge:
    """Compares answers with those of a model that evaluates every prompt from nothing."""

    def __init__(self, alone: WatchedModel) -> None:
        self._alone = alone
        self.verdicts: Counter[bool] = Counter()
        """How many answers were equal to the last token, and how many up to a close choice."""

    def check(self, job: Job, choices: Sequence[Choice]) -> None:
        lanes = WatchedLanes(self._alone)
        expected = Running(job, self._alone, lanes).run().choices
        lanes.forget(job.lane)
        self.verdicts[check_equal(choices, expected)] += 1
