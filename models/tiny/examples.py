"""Makes the rows of tokens that the model learns from: `python -m models.tiny.examples`.

Leaves in `shards/`: `train-NNN.npy` of shape (rows, row tokens) as uint16; beside each, `train-NNN.middle.npy` with 1
where a token belongs to a middle or ends one; the same for `diet` and `heldback`. `READY.json` names what is complete
and grows as shards are done. `heldback_holes.jsonl` has the questions for the evaluation.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.tiny.data import (
    RecipeError,
    begin,
    fraction,
    read_json,
    read_rows,
    say,
    step_parser,
    write_json,
    write_rows,
)  # fmt: skip
from models.tiny.diet import DietMaker
from models.tiny.evaluation_holes import HOLES, evaluation_holes
from models.tiny.rows import Piece, RowMaker
from models.tiny.tokenizer import VOCABULARY_SIZE, Encoder

FIRST_SHARD_BYTES = 12_000_000
"""Text in the first shard. It is small, so that a training run can start early."""
SHARD_BYTES = 20_000_000
DIET_TOKENS = 1_000_000
NEIGHBOURS = 12
"""Files of a package that context is drawn from."""

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = step_parser("examples", "Makes the rows of tokens that the demo model learns from.")
    parser.add_argument("--sequence", type=int, default=512, metavar="N", help="tokens the model sees (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    options = parser.parse_args(arguments)
    try:
        begin(options.work)
        make_shards(options.work, options.sequence + 1, options.seed, options.processes)
    except RecipeError as error:
        say(f"error: {error}")
        return 1
    return 0


def make_shards(work: Path, length: int, seed: int, processes: int) -> None:
    """Writes what is missing in `shards/`, the first training shard before all others."""
    texts = sorted(read_rows(work / "texts.jsonl"), key=lambda row: fraction(seed, "rows", row["package"], row["path"]))
    train = [row for row in texts if row["split"] == "train"]
    held = [row for row in texts if row["split"] == "held-back"]
    parts = parted(train)
    jobs = [("train-000", parts[0]), ("diet", train[:6000]), ("heldback", held)]
    jobs += [(f"train-{number:03}", part) for number, part in enumerate(parts[1:], start=1)]
    if not (work / "heldback_holes.jsonl").exists():
        count = write_rows(work / "heldback_holes.jsonl", evaluation_holes(held, HOLES, seed))
        say(f"{count} holes for the evaluation")
    write = partial(write_shard, work, length, seed)
    with ProcessPoolExecutor(processes) as pool:
        for line in pool.map(write, *zip(*jobs, strict=True)):
            say(line)
            announce(work, length)


def parted(rows: list[Row]) -> list[list[Row]]:
    """The rows in shards, in order."""
    parts: list[list[Row]] = [[]]
    size = 0
    for row in rows:
        parts[-1].append(row)
        size += len(row["text"])
        if size >= (SHARD_BYTES if len(parts) > 1 else FIRST_SHARD_BYTES):
            parts.append([])
            size = 0
    return [part for part in parts if part]


def write_shard(work: Path, length: int, seed: int, name: str, texts: list[Row]) -> str:
    """Writes one pair of arrays, unless it is there, and says so."""
    tokens_file, middle_file = work / "shards" / f"{name}.npy", work / "shards" / f"{name}.middle.npy"
    if tokens_file.exists() and middle_file.exists():
        return f"{name}: there already"
    encode = Encoder(work / "merges.txt")
    own_seed = int(fraction(seed, "shard", name) * 2**32)
    if name == "diet":
        pieces = list(DietMaker(encode, length, own_seed).rows(texts, DIET_TOKENS // length))
    else:
        pieces = list(RowMaker(encode, length, own_seed, neighbours_in(texts)).rows(iter(texts)))
    order = np.random.default_rng(own_seed).permutation(len(pieces))
    _save(middle_file, np.array([pieces[row].middle for row in order], dtype=np.uint8))
    _save(tokens_file, np.array([pieces[row].ids for row in order], dtype=np.uint16))
    return f"{name}: {len(pieces)} rows, {share_of_middles(pieces):.0%} of the tokens in middles"


def neighbours_in(texts: Iterable[Row]) -> partial[list[Row]]:
    """A function that gives some other files of a package."""
    by_package: dict[str, list[Row]] = defaultdict(list)
    for row in texts:
        by_package[row["package"]].append(row)
    return partial(_neighbours, by_package)


def announce(work: Path, length: int) -> None:
    """Writes READY.json anew with all shards that are complete."""
    shards = work / "shards"
    names = sorted(path.name for path in shards.glob("train-*.npy") if not path.name.endswith(".middle.npy"))
    rows = sum(len(np.load(shards / name, mmap_mode="r")) for name in names)
    ready = {
        "vocabulary": VOCABULARY_SIZE, "row_tokens": length, "shards": names, "train_tokens": rows * length,
        "control": Encoder(work / "merges.txt").control(),
    }  # fmt: skip
    if names and read_json(shards / "READY.json") != ready:
        write_json(shards / "READY.json", ready)


def share_of_middles(pieces: list[Piece]) -> float:
    """Of all tokens, those of middles and their ends."""
    return sum(sum(piece.middle) for piece in pieces) / max(1, sum(len(piece.ids) for piece in pieces))


def _neighbours(by_package: dict[str, list[Row]], package: str, path: str) -> list[Row]:
    rows = by_package[package]
    start = int(fraction(package, path) * len(rows))
    near = [rows[(start + step) % len(rows)] for step in range(min(NEIGHBOURS, len(rows)))]
    return [row for row in near if row["path"] != path]


def _save(path: Path, array: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_file = path.with_name(path.name + ".part")
    with partial_file.open("wb") as file:
        np.save(file, array)
    partial_file.replace(path)


if __name__ == "__main__":
    sys.exit(main())
