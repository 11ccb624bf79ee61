"""The rows of tokens that `python -m models.tiny.examples` made, in an order that can be resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STRETCH_LOG2 = (3.0, 7.5)
"""Stretches of 8 to 180 tokens."""


class ShardsError(Exception):
    """There is nothing to learn from, or it does not fit. The message says what to do."""


class Batch(NamedTuple):
    """Rows of tokens, what follows each, and how much each counts."""

    tokens: Tensor
    targets: Tensor
    weights: Tensor


@dataclass
class Place:
    """How far the reading has come: enough to go on at the same row after a stop."""

    shards: list[str] = field(default_factory=list)
    round: int = 0
    position: int = 0
    diet_position: int = 0


class Shards:
    """Rows of all shards that are complete so far, shuffled anew in each round."""

    def __init__(self, folder: Path, *, seed: int, middle_weight: float) -> None:
        self.folder = folder
        self.place = Place()
        self._seed, self._middle_weight = seed, middle_weight
        self._rows: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self.row_tokens: int = read_ready(folder)["row_tokens"]

    def use(self, names: list[str]) -> None:
        """Reads from these shards from now on. A change begins a new round."""
        if names != self.place.shards:
            self.place.shards = names
            self._begin_round()

    def has(self, name: str) -> bool:
        """Whether this array and its mask are complete."""
        path = self.folder / name
        return path.exists() and path.with_suffix(".middle.npy").exists()

    def resume(self, place: Place) -> None:
        """Goes on where another reading stopped."""
        self.place = place
        self._shuffle()

    def next(self, count: int, share: int = 0, shares: int = 1) -> Batch:
        """`count` rows, of which `shares` processes get as many each; `share` says which of them this one is."""
        total = count * shares
        if total > len(self._order):
            raise ShardsError(f"{self.folder} has {len(self._order)} rows, fewer than the {total} of one step")
        if self.place.position + total > len(self._order):
            self._begin_round()
        begin = self.place.position + share * count
        self.place.position += total
        return self._batch([self._row(int(row)) for row in self._order[begin : begin + count]])

    def next_diet(self, count: int, share: int = 0, shares: int = 1) -> Batch:
        """Like `next`, from the rows in which code repeats."""
        tokens, middles = self._load("diet.npy")
        begin = self.place.diet_position + share * count
        self.place.diet_position += count * shares
        picked = [at % len(tokens) for at in range(begin, begin + count)]
        return self._batch([(tokens[at], middles[at]) for at in picked])

    def with_repeats(self, batch: Batch, vocabulary: int, step: int, share: int = 0) -> Batch:
        """The batch with its second half replaced by random tokens that repeat, one stretch over and over.

        Only copying predicts them, so heads that copy form within a few hundred steps; out of code alone they took
        more than 1,000. What a stretch shows for the first time cannot be known, and does not count.
        """
        chance = np.random.default_rng((self._seed, step, share))
        tokens, targets, weights = (part.clone() for part in batch)
        length = tokens.shape[1] + 1
        for row in range(len(tokens) // 2, len(tokens)):
            stretch = min(int(2 ** chance.uniform(*STRETCH_LOG2)), length // 2)
            repeated = torch.from_numpy(np.resize(chance.integers(0, vocabulary, stretch), length))
            tokens[row], targets[row] = repeated[:-1], repeated[1:]
            weights[row] = (torch.arange(length - 1) >= stretch).float()
        return Batch(tokens, targets, weights)

    def held_back(self, count: int) -> Batch:
        """The same rows each time, from all over the packages that are not learned from."""
        tokens, middles = self._load("heldback.npy")
        picked = np.linspace(0, len(tokens) - 1, min(count, len(tokens))).astype(int)
        return self._batch([(tokens[at], middles[at]) for at in picked], plain=True)

    def _begin_round(self) -> None:
        self.place.round += 1
        self.place.position = 0
        self._shuffle()

    def _shuffle(self) -> None:
        rows = sum(len(self._load(name)[0]) for name in self.place.shards)
        self._order = np.random.default_rng((self._seed, self.place.round)).permutation(rows)

    def _row(self, number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        for name in self.place.shards:
            tokens, middles = self._load(name)
            if number < len(tokens):
                return tokens[number], middles[number]
            number -= len(tokens)
        raise IndexError(number)

    def _load(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        if name not in self._rows:
            path = self.folder / name
            tokens, middles = (np.load(part, mmap_mode="r") for part in (path, path.with_suffix(".middle.npy")))
            self._rows[name] = tokens, middles
        return self._rows[name]

    def _batch(self, rows: list[tuple[NDArray[Any], NDArray[Any]]], *, plain: bool = False) -> Batch:
        length = len(rows[0][0]) - 1
        tokens = torch.from_numpy(np.stack([row for row, _ in rows]).astype(np.int64))
        middles = torch.from_numpy(np.stack([middle for _, middle in rows]).astype(np.float32))[:, 1 : length + 1]
        weights = middles if plain else 1.0 + (self._middle_weight - 1.0) * middles
        return Batch(tokens[:, :length], tokens[:, 1 : length + 1], weights)


def read_ready(folder: Path) -> dict[str, Any]:
    """The file that says what is complete."""
    try:
        ready: dict[str, Any] = json.loads((folder / "READY.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ShardsError(f"cannot read {folder / 'READY.json'}: run `python -m models.tiny.examples` first") from error
    return ready


def training_shards(folder: Path) -> list[str]:
    """File names of the shards to learn from that are complete, in order."""
    names = [Path(name).name for name in read_ready(folder)["shards"]]
    return sorted(name for name in names if name.startswith("train"))
