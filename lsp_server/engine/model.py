"""What scheduling needs of a loaded model: the narrow door that a double can stand in for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from lsp_server.engine.base import ModelInfo, Sampling


class DecodeResult(Enum):
    """How one call of llama.cpp ended."""

    DONE = "done"
    FULL = "full"
    """No cells are left."""
    ABORTED = "aborted"
    """Somebody asked for it; tokens of finished micro-batches stay."""


class Model(Protocol):
    """One model, one context; all but tokenizing and aborting belongs to one thread. `LlamaModel` says more."""

    info: ModelInfo
    evaluated_tokens: int
    aborted_calls: int
    most_batch_tokens: int
    """Most tokens of one `decode`."""

    def tokenize(self, text: str) -> list[int]:
        """Ids of a text of the user's. Safe from any thread, as is `special`."""

    def special(self, token: str | int) -> int:
        """The id of one control token. Raises `TemplateMismatch`."""

    def begin(self) -> tuple[int, ...]:
        """What every prompt begins with."""

    def is_end(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token: maybe a part of a character, and none for control tokens."""

    def cut(self, sequence: int, length: int) -> None:
        """Keep the first `length` cells of a sequence."""

    def copy(self, source: int, target: int, length: int) -> None:
        """Share the first `length` cells of one sequence with another, which must be empty."""

    def filled(self, sequence: int) -> int:
        """How many cells a sequence has: asked after an abort."""

    def request_abort(self) -> None:
        """End the running `decode`, or the next one. Safe from any thread."""

    def clear_abort(self) -> None:
        """Let the next `decode` run."""

    def decode(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> DecodeResult:
        """Evaluate tokens at the end of a sequence; with `logits` the last one can be sampled from."""

    def candidates(self, rest: bytes) -> list[int]:
        """Tokens that begin with `rest`, and tokens that `rest` begins with."""

    def sample(self, sampling: Sampling, among: Sequence[int] = ()) -> tuple[int, float]:
        """The next token after a `decode` with logits, and its log-probability."""

    def close(self) -> None:
        """Free everything, after the thread that decodes has ended."""
