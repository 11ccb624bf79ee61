"""Whether the anchored prompt costs quality.

    python -m benchmarks.anchored_quality MODEL --holes FILE [--count N] [--json]

Single lines of files that the model never saw are asked in two layouts:

- *plain*: `PRE everything-before-the-caret SUF suffix MID`, rendered anew for this caret;
- *anchored*: `PRE text-before-the-anchor SUF suffix MID typed-since`, with the anchor at the start of a line about 0,
  20, 100 or 250 tokens above the caret: what was typed since then stands after the middle token.

Both through the product's own window, template and token healing, with its default budget. What makes them comparable:

- All layouts are asked at the same holes: those that have 250 tokens above them.
- Healing takes the same half token before the caret out of every prompt, so that the same tokens are scored: that half
  and the rest of the line. As in the product, the answer is constrained to the half token's bytes, so its share is the
  probability among the tokens that agree with them. Nats are divided by the tokens that say something new.
- The window begins at another line for each anchor, so the anchored prompt shows up to as many tokens more above the
  caret as were typed. *Plain* has its own window, that of an anchor at the caret; *same text* is the plain layout of
  exactly the text that the anchored prompt shows, and tells what the layout itself does.
- *Unhealed* is the plain prompt with nothing after the middle token: the caret cuts a token in two there. The rest of
  the line has other tokens then; its nats are divided by the same number as those of the others.

The promise: not more than 0.02 nats per token worse than plain, and exact greedy lines not more than 1 point fewer.
The standard errors are of the differences at the same holes: a promise is only as good as they are small.
"""
# ruff: noqa: T201 - this speaks to a person

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from benchmarks.anchored_layouts import (
    Hole,
    anchor_line,
    anchored_view,
    budget_for,
    deep_enough,
    document_of,
    plain_view,
    unhealed_view,
)
from benchmarks.anchored_report import Row, Score, as_json, compare, exact_share, nats_per_token, report
from lsp_server.context.window import View
from lsp_server.engine.base import Finished, GenerateRequest, Piece
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.host import job_of
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.llama import LlamaModel
from lsp_server.engine.micro_batch import MicroBatch
from lsp_server.errors import CompletionError, EngineError
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.settings import DEFAULTS

TYPED_TOKENS = (0, 20, 100, 250)
_LANE = "hole"


class ScoredModel(LlamaModel):
    """The product's model, which tells all log-probabilities, too."""

    def log_probabilities(self) -> NDArray[np.float64]:
        """Of every token after the last `decode` with logits, in nats."""
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,)).astype(np.float64)
        return logits - _log_sum(logits)


def _log_sum(values: NDArray[np.float64]) -> float:
    highest = float(values.max())
    return highest + math.log(float(np.exp(values - highest).sum()))


class Asker:
    """Asks one model, as the engine's process does."""

    def __init__(self, path: Path, threads: int) -> None:
        settings = EngineSettings(threads=threads, micro_batch_tokens=256)
        self.model = ScoredModel(path, settings, lambda _share: None)
        self._micro_batch_tokens = settings.micro_batch_tokens
        self._lanes = LaneTable(self.model, settings.cells, settings.lanes)
        self._template = choose_template("auto", self.model.info)

    def tokens_of(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self.model.tokenize(text))

    async def views(self, hole: Hole) -> list[tuple[View, bool]]:
        """What the anchored prompt shows for each of `TYPED_TOKENS`, and whether its anchor stayed."""
        document = document_of(hole)
        budget = budget_for(self.model.info, DEFAULTS.max_prompt_tokens, DEFAULTS.max_new_tokens, self._head(hole))
        lines = [anchor_line(document, typed, self.tokens_of) for typed in TYPED_TOKENS]
        return [await anchored_view(document, line, budget, self._count) for line in lines if line is not None]

    async def _count(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(map(self.tokens_of, texts))

    def _head(self, hole: Hole) -> str:
        return render.header(hole["path"], hole["language"], self._template)

    def score(self, hole: Hole, view: View) -> Score:
        """The true line's log-probability, and whether the greedy line is it."""
        request = GenerateRequest(
            prompt=render.render(self._template, self._head(hole), view),
            lane=_LANE,
            max_new_tokens=DEFAULTS.max_new_tokens,
            stop_texts=render.stop_texts(self._template, view.suffix, single_line=True),
            stop_tokens=render.stop_tokens(self._template),
            heal=True,
        )
        job = job_of(self.model, request, "")
        written = self._run(job)
        nats, tokens = self._true_line(job, hole["middle"])
        return Score(nats, tokens, written.rstrip() == hole["middle"].rstrip())

    def _run(self, job: Job) -> str:
        events: list[Piece | Finished | EngineError] = []
        generation = Generation(job, self.model, self._lanes, events.append, MicroBatch(self._micro_batch_tokens))
        while generation.step() is Step.MORE:
            pass
        return "".join(event.text for event in events if isinstance(event, Piece))

    def _true_line(self, job: Job, rest: str) -> tuple[float, int]:
        self._run(replace(job, max_new_tokens=0))  # what follows the prompt is known then
        owed, nats, new_tokens = job.tail, 0.0, 0
        for token in self.model.tokenize(job.tail.decode() + rest):
            scores = self.model.log_probabilities()
            among = _log_sum(scores[self.model.candidates(owed)]) if owed else 0.0
            nats += float(scores[token]) - among
            piece = self.model.piece(token)
            new_tokens += len(piece) > len(owed)
            owed = owed[len(piece) :]
            self._read(token)
        return nats, new_tokens

    def _read(self, token: int) -> None:
        lane = self._lanes.lane(_LANE)
        assert lane is not None
        self.model.decode(lane.sequence, (token,), len(lane.tokens), logits=True)
        self._lanes.extend(_LANE, (token,))


def measure(asker: Asker, holes: Sequence[Hole]) -> list[Row]:
    """One row for each length of what was typed."""
    anchored: list[list[Score]] = [[] for _ in TYPED_TOKENS]
    same_text: list[list[Score]] = [[] for _ in TYPED_TOKENS]
    unhealed: list[Score] = []
    moved = [0] * len(TYPED_TOKENS)
    for number, hole in enumerate(holes, start=1):
        views = asyncio.run(asker.views(hole))
        unhealed.append(asker.score(hole, unhealed_view(views[0][0])))
        for place, (view, stayed) in enumerate(views):
            anchored[place].append(asker.score(hole, view))
            same_text[place].append(asker.score(hole, plain_view(view)))
            moved[place] += not stayed
        if number % 25 == 0:
            print(f"{number} of {len(holes)} holes", file=sys.stderr, flush=True)
    plain = same_text[0]
    return [
        Row(
            typed, nats_per_token(ours), exact_share(ours),
            compare(ours, plain), compare(ours, same), compare(ours, unhealed), count,
        )
        for typed, ours, same, count in zip(TYPED_TOKENS, anchored, same_text, moved, strict=True)
    ]  # fmt: skip


def read_holes(path: Path) -> list[Hole]:
    """One JSON object a line."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def evenly(holes: Sequence[Hole], count: int) -> list[Hole]:
    """So many, spread over the file, and so over the languages."""
    return [holes[int(place)] for place in np.linspace(0, len(holes) - 1, min(count, len(holes)))]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        found = read_holes(options.holes)
        asker = Asker(options.model, options.threads)
    except (OSError, ValueError, CompletionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    holes = evenly(deep_enough(found, max(TYPED_TOKENS), asker.tokens_of), options.count)
    rows = measure(asker, holes)
    print(json.dumps(as_json(rows, len(holes))) if options.json else report(rows, len(holes)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anchored_quality", description="Plain or anchored?")
    parser.add_argument("model", type=Path, metavar="MODEL", help="a GGUF with fill-in-the-middle tokens")
    parser.add_argument("--holes", type=Path, required=True, metavar="FILE", help="one JSON object a line")
    parser.add_argument("--count", type=int, default=300, metavar="N", help="ask so many of them (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
