"""How often the demo model writes the rest of a line as its author did: `python -m models.tiny.evaluate MODEL`.

Each hole is asked as the server asks: text before the caret's line as prefix, what stands in the line before the caret
as the beginning of the middle, a token that the caret cuts in two made anew from its first half. Greedy, one line.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsp_server.engine.healing import TokenTable, tail_of
from lsp_server.prompt.fim_templates import FimTemplate
from lsp_server.prompt.render import header
from models.tiny.copy_baseline import copied_line
from models.tiny.evaluation_report import write_report
from models.tiny.llama_reader import LlamaReader
from models.tiny.train_options import WORK_FOLDER
from models.vocabulary import FIM_TOKENS

SUFFIX_SHARE = 0.15
"""Of the prompt's budget, as in the server's window."""
MOST_NEW_TOKENS = 48
LAYOUT = FimTemplate("model", *FIM_TOKENS)

Hole = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came of one hole."""

    language: str
    wanted: str
    model: str
    copied: str
    line_logprob: float
    """Mean log-probability of the tokens written, in nats: the confidence."""
    loss: float
    """Of all tokens of the caret's line as its author wrote it, summed, in nats."""
    line_tokens: int
    prompt_tokens: int
    before: str
    """The last characters before the caret."""

    @property
    def exact(self) -> bool:
        """Whether the model wrote just what the author wrote."""
        return self.model.rstrip() == self.wanted.rstrip()

    @property
    def copy_exact(self) -> bool:
        """The same of copying."""
        return self.copied.rstrip() == self.wanted.rstrip()


class Asker:
    """Asks one model."""

    def __init__(self, reader: LlamaReader, prompt_tokens: int) -> None:
        self._reader, self._budget = reader, prompt_tokens
        self._table = TokenTable((reader.piece(token), token) for token in range(reader.vocabulary_size))
        self._markers = [reader.tokenize(marker, control=True)[0] for marker in FIM_TOKENS]
        self._ending = np.array([reader.is_end(token) for token in range(reader.vocabulary_size)])

    def ask(self, hole: Hole) -> Answer:
        """The model's line and the copied one."""
        above, newline, typed = hole["prefix"].rpartition("\n")
        prefix, suffix = self._visible(hole, above + newline, typed)
        before, after, middle = self._markers
        prompt = [before, *prefix, after, *suffix, middle]
        self._reader.cut(0)
        first = self._reader.read(prompt)
        whole_line = self._reader.tokenize(typed + hole["middle"])
        loss = self._loss(whole_line, first)
        self._reader.cut(len(prompt))
        text, logprob = self._write_line(first, typed)
        copied = copied_line(self._text(prefix) + typed, self._text(suffix))
        return Answer(
            hole["language"].removesuffix("react"), hole["middle"], text, copied, logprob,
            loss, len(whole_line), len(prompt), hole["prefix"][-80:],
        )  # fmt: skip

    def _visible(self, hole: Hole, above: str, typed: str) -> tuple[list[int], list[int]]:
        """Whole lines around the caret, as many as fit: first after it, then before it."""
        suffix = _lines_within(hole["suffix"].splitlines(keepends=True), int(self._budget * SUFFIX_SHARE), self._reader)
        head = header(hole["path"], hole["language"], LAYOUT)
        used = len(suffix) + len(self._reader.tokenize(head + typed)) + len(self._markers)
        lines = above.splitlines(keepends=True)
        kept = len(lines)
        while kept > 0:
            used += len(self._reader.tokenize(lines[kept - 1]))
            if used > self._budget:
                break
            kept -= 1
        return self._reader.tokenize(head + "".join(lines[kept:])), suffix

    def _loss(self, line: list[int], first: NDArray[np.float32]) -> float:
        """Nats of the line's tokens, each known those before it."""
        following = self._reader.read(line, every=True)
        seen = np.concatenate([first, following[:-1]])
        return -float(seen[np.arange(len(line)), line].sum())

    def _write_line(self, first: NDArray[np.float32], typed: str) -> tuple[str, float]:
        """The greedy rest of the line, and the mean log-probability of its tokens."""
        tail = tail_of(typed)
        begun = self._reader.tokenize(typed.removesuffix(tail))
        scores = self._reader.read(begun)[0] if begun else first[0]
        owed, written, logprobs = tail.encode("utf-8", "replace"), b"", []
        for _ in range(MOST_NEW_TOKENS):
            token = self._best(scores, owed)
            piece = self._reader.piece(token)
            if self._ending[token] or token in self._markers or piece.startswith(b"\n"):
                break
            logprobs.append(float(scores[token]))
            written, owed = written + piece[len(owed) :], owed[len(piece) :]
            if b"\n" in written:
                break
            scores = self._reader.read([token])[0]
        return written.split(b"\n")[0].decode("utf-8", "replace"), float(np.mean(logprobs or [0.0]))

    def _best(self, scores: NDArray[np.float32], owed: bytes) -> int:
        """The likeliest token, of those that agree with the bytes still owed."""
        if not owed:
            return int(scores.argmax())
        candidates = self._table.candidates(owed)
        return candidates[int(scores[candidates].argmax())]

    def _text(self, tokens: list[int]) -> str:
        return b"".join(map(self._reader.piece, tokens)).decode("utf-8", "replace")


def _lines_within(lines: list[str], tokens: int, reader: LlamaReader) -> list[int]:
    """The first lines that take no more tokens than this, but at least the first."""
    found: list[int] = []
    for line in lines:
        more = reader.tokenize(line)
        if found and len(found) + len(more) > tokens:
            break
        found += more
    return found


def read_holes(path: Path, count: int) -> list[Hole]:
    """Holes spread evenly over the file, and so over the languages."""
    with path.open(encoding="utf-8") as file:
        holes = [json.loads(line) for line in file]
    return [holes[int(place)] for place in np.linspace(0, len(holes) - 1, min(count, len(holes)))]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        holes = read_holes(options.holes, options.count)
        reader = LlamaReader(options.model, options.threads)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    asker = Asker(reader, options.prompt_tokens)
    answers = []
    for number, hole in enumerate(holes, start=1):
        answers.append(asker.ask(hole))
        if number % 50 == 0:
            print(f"{number} of {len(holes)} holes", file=sys.stderr, flush=True)
    reader.close()
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "answers.json").write_text(json.dumps([asdict(answer) for answer in answers], indent=1))
    print(write_report(answers, options.output))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.tiny.evaluate", description="Asks the model for lines.")
    parser.add_argument("model", type=Path, metavar="MODEL", help="a GGUF")
    parser.add_argument("--holes", type=Path, default=WORK_FOLDER / "heldback_holes.jsonl", metavar="FILE")
    parser.add_argument("--count", type=int, default=1200, metavar="N", help="ask so many of the holes (%(default)s)")
    parser.add_argument("--prompt-tokens", type=int, default=1200, metavar="N", help="as the server (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--output", type=Path, default=WORK_FOLDER / "evaluation", metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
