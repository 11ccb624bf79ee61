"""The flags of `python -m models.tiny.train`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from models.shapes import TINY, Shape
from models.tiny.data import work_folder

WORK_FOLDER = work_folder()

DEMO = replace(
    TINY,
    layers=5,
    embedding_length=192,
    heads=6,
    kv_heads=2,
    head_dim=32,
    experts=4,
    experts_used=2,
    shared_experts=2,
    expert_feed_forward_length=96,
    feed_forward_length=384,
    vocabulary_size=8192,
    context_length=2048,
    # The theta of the original: in heads this small, most pairs must turn slowly, or code far back cannot be found.
    rope_theta=600_000.0,
)
"""The demo model: 5.3 million parameters, 3.1 million of them in embedding and output."""


@dataclass(frozen=True)
class Options:
    """What one training run is told."""

    work: Path = WORK_FOLDER
    shards: Path = WORK_FOLDER / "shards"
    long_shards: Path | None = None
    minutes: float = 60.0
    until: str | None = None
    seed: int = 0
    workers: int = 1
    rows: int = 8
    learning_rate: float = 0.008
    middle_weight: float = 2.5
    long_from: float = 0.8
    diet_until: float = 0.1
    repeats_until: float = 0.05
    copying_heads: bool = True
    layers: int = DEMO.layers
    width: int = DEMO.embedding_length
    experts: int = DEMO.experts
    expert_width: int = DEMO.expert_feed_forward_length
    vocabulary: int = DEMO.vocabulary_size
    compile: bool = True
    fresh: bool = False
    check_every: int = 100
    steps: int = 0
    bf16: bool = True

    @property
    def shape(self) -> Shape:
        """The model's sizes: heads of 32, a third of them with keys of their own."""
        heads = self.width // DEMO.head_dim
        return replace(
            DEMO,
            layers=self.layers,
            embedding_length=self.width,
            heads=heads,
            kv_heads=heads // 3 if heads % 3 == 0 else heads // 2,
            experts=self.experts,
            expert_feed_forward_length=self.expert_width,
            vocabulary_size=self.vocabulary,
        )


HELP = {
    "work": "folder of the checkpoint, the log and the process id",
    "shards": "folder with the rows of tokens and READY.json",
    "long_shards": "folder with longer rows, for the last part",
    "minutes": "training time; while the process is stopped the time stands still",
    "until": "HH:MM by the clock: be done by then in any case",
    "workers": "processes that share each batch (CPU only)",
    "rows": "rows of each worker in a step",
    "learning_rate": "of Muon; the others follow it",
    "middle_weight": "how much a token of a middle counts; plain tokens count 1",
    "long_from": "share of the time after which the longer rows are used",
    "diet_until": "share of the time in which half the rows are repetitive code",
    "repeats_until": "share of the time in which half of each batch is random tokens that repeat",
    "copying_heads": "begin with attention heads that copy, set by hand",
    "fresh": "begin anew, even if there is a checkpoint",
    "check_every": "steps between two looks at the held-back loss and at new shards",
    "steps": "stop after so many steps (0: by time only)",
}


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Reads the flags, which are named as the fields of `Options`."""
    parser = argparse.ArgumentParser(prog="python -m models.tiny.train", description="Trains the demo model.")
    for field in fields(Options):
        flag, help_text = "--" + field.name.replace("_", "-"), f"{HELP.get(field.name, field.name)} (%(default)s)"
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default, help=help_text)
        else:
            kind: Callable[[str], Any] = _KINDS.get(field.name) or type(field.default)  # type: ignore[assignment]
            parser.add_argument(flag, type=kind, default=field.default, help=help_text)
    return Options(**vars(parser.parse_args(arguments)))


def seconds_until(clock: str, now: time.struct_time | None = None) -> float:
    """Seconds from now to the next HH:MM of the machine's clock."""
    now = now or time.localtime()
    hour, minute = (int(part) for part in clock.split(":"))
    return (hour * 3600 + minute * 60 - now.tm_hour * 3600 - now.tm_min * 60 - now.tm_sec) % 86400


def _clock(text: str) -> str:
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise argparse.ArgumentTypeError(f"a time is HH:MM, such as 22:55, not {text!r}")
    return text


_KINDS: dict[str, Callable[[str], Any]] = {"until": _clock, "long_shards": Path, "work": Path, "shards": Path}
