"""How far a training run is: its clock, and its log."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from models.tiny.train_options import seconds_until

LONGEST_LAP = 8.0
"""A step that takes so many times the usual time was stopped meanwhile, and counts as a usual one."""


class Clock:
    """Counts training time: laps of work, without the time in which the process was stopped."""

    def __init__(self, minutes: float, until: str | None) -> None:
        self.budget_s = minutes * 60
        self.spent_s = 0.0
        self._begun_s = time.monotonic()
        self._end_s = time.monotonic() + (seconds_until(until) if until else float("inf"))
        self._lap_s, self._usual_s = time.monotonic(), 0.0
        self._saved_s = time.monotonic()

    def lap(self) -> float:
        """Counts the time since the last lap, and returns it in seconds."""
        now = time.monotonic()
        took, self._lap_s = now - self._lap_s, now
        counted = took if not self._usual_s or took < LONGEST_LAP * self._usual_s else self._usual_s
        self._usual_s = 0.9 * self._usual_s + 0.1 * counted if self._usual_s else counted
        self.spent_s += counted
        return took

    def progress(self) -> float:
        """Share of the time that is gone: 1 when the budget is spent, or the hour has come."""
        left = min(self.budget_s - self.spent_s, self._end_s - time.monotonic())
        return 1.0 if left <= 0 else self.spent_s / (self.spent_s + left)

    def since_saved(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self._saved_s

    def saved(self) -> None:
        """A checkpoint was written just now."""
        self._saved_s = time.monotonic()


class Run(Protocol):
    """What the log says about a run."""

    step: int
    tokens: int
    progress: float
    clock: Clock


class Log:
    """Lines of JSON: `loss` of the batches learned from, `held_back` and `middle` of those that are not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def step(self, run: Run, losses: Tensor, seconds: float) -> None:
        """A step's loss and the experts' balance."""
        self._write(run, loss=round(float(losses[0]), 4), balance=round(float(losses[1]), 3), step_s=round(seconds, 3))

    def check(self, run: Run, held_back: float, middle: float) -> None:
        """The held-back loss; said aloud too."""
        self._write(run, held_back=round(held_back, 4), middle=round(middle, 4))
        print(
            f"step {run.step}, {run.tokens / 1e6:.2f} M tokens, {run.progress:.0%} of the time:"
            f" held-back loss {held_back:.3f}, in middles {middle:.3f} nats per token",
            file=sys.stderr,
            flush=True,
        )

    def _write(self, run: Run, **values: Any) -> None:
        line = {"step": run.step, "tokens": run.tokens, "seconds": round(run.clock.spent_s, 1)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "progress": round(run.progress, 4), **values}) + "\n")
