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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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
from lsp_server.context.window import View
from lsp_server.engine.base import Finished, GenerateRequest, Piece
from lsp_server.engine.engine_settings import EngineSettings
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.host import job_of
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.llama import LlamaModel
from lsp_server.errors import CompletionError, EngineError
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.settings import DEFAULTS

TYPED_TOKENS = (0, 20, 100, 250)
MOST_WORSE_NATS = 0.02
MOST_WORSE_SHARE = 0.01
_LANE = "hole"


@dataclass(frozen=True, slots=True)
class Score:
    """What one prompt gave."""

    nats: float
    """Log-probability of the true rest of the line, summed."""
    tokens: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One layout against another one at the same holes."""

    nats_per_token: float
    standard_error: float
    exact: float
    """Difference of the shares of exact lines."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Differences are anchored minus the other: negative is worse."""

    typed_tokens: int
    nats_per_token: float
    exact: float
    against_plain: Comparison
    against_same_text: Comparison
    against_unhealed: Comparison
    moved: int
    """Holes at which the anchor did not stay where typing began."""

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return all(
            other.nats_per_token >= -MOST_WORSE_NATS and other.exact >= -MOST_WORSE_SHARE - 1e-9
            for other in (self.against_plain, self.against_unhealed)
        )


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
        generation = Generation(job, self.model, self._lanes, events.append, self._micro_batch_tokens)
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


def compare(ours: Sequence[Score], theirs: Sequence[Score]) -> Comparison:
    """Ours minus theirs, hole by hole; every hole counts by its tokens.

    The standard error is that of a ratio of sums (the delta method), with the token counts as given.
    """
    tokens = np.array([score.tokens for score in ours])
    gains = np.array([score.nats for score in ours]) - np.array([score.nats for score in theirs])
    mean = float(gains.sum() / tokens.sum())
    error = float(np.sqrt(np.square(gains - mean * tokens).sum()) / tokens.sum())
    return Comparison(mean, error, exact_share(ours) - exact_share(theirs))


def nats_per_token(scores: Sequence[Score]) -> float:
    """Mean log-probability of a token."""
    return sum(score.nats for score in scores) / sum(score.tokens for score in scores)


def exact_share(scores: Sequence[Score]) -> float:
    """Share of holes at which the greedy line is the true one."""
    return sum(score.exact for score in scores) / len(scores)


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


def report(rows: Sequence[Row], holes: int) -> str:
    """The table for people."""
    first = rows[0]
    plain = first.nats_per_token - first.against_plain.nats_per_token
    lines = [
        f"{holes} holes; plain: {plain:.3f} nats per token, "
        f"{first.exact - first.against_plain.exact:.1%} exact. Differences are anchored minus the other:",
        "nats per token ± standard error, and points of exact lines.",
        f"typed tokens  nats/token  exact  {'plain':>22}  {'same text':>22}  {'unhealed':>22}  anchor moved",
    ]
    for row in rows:
        others = (row.against_plain, row.against_same_text, row.against_unhealed)
        lines.append(
            f"{row.typed_tokens:12d}  {row.nats_per_token:10.3f}  {row.exact:5.1%}  "
            f"{'  '.join(map(_difference, others))}  {row.moved:12d}{'' if row.holds else '  MISSED'}"
        )
    kept = "kept" if all(row.holds for row in rows) else "missed"
    return "\n".join([*lines, f"At most {MOST_WORSE_NATS} nats per token and 1 point of exact lines worse: {kept}."])


def _difference(found: Comparison) -> str:
    return f"{found.nats_per_token:+.3f} ± {found.standard_error:.3f}  {found.exact * 100:+5.1f}"


def as_json(rows: Sequence[Row], holes: int) -> dict[str, Any]:
    """The figures for programs."""
    return {"holes": holes, "rows": [{**asdict(row), "holds": row.holds} for row in rows]}


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
