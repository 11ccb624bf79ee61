"""A model without weights: its cache is as strict as llama.cpp's, and a stale or missing cell changes its answers."""

from __future__ import annotations

import codecs
import threading
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lsp_server.engine.base import Finished, FinishReason, ModelInfo, Piece, Sampling
from lsp_server.engine.healing import TokenTable
from lsp_server.engine.model import DecodeResult
from lsp_server.errors import EngineError
from lsp_server.outcome import TokenCounts

LIMIT_S = 10.0
"""No wait in a test is longer; it is reached only when something is broken."""

PIECES = (
    b"if ", b"x", b" = ", b"foo", b"(", b")", b"\n", b"    ", b"ret", b"urn", b";", b"}\n",
    "ä".encode(), "ä".encode()[:1], "ä".encode()[1:], "語".encode()[:2], "語".encode()[2:], "🙂".encode()[:3], b"",
)  # fmt: skip
"""What tokens render as: some are parts of a character, one is nothing, as control tokens are."""

NextToken = Callable[[tuple[int, ...]], int]


def hashed(tokens: tuple[int, ...]) -> int:
    """A next token that depends on every token before it."""
    return zlib.crc32(array("q", tokens).tobytes()) % len(PIECES)


def scripted(prompt_tokens: int, answer: Sequence[int]) -> NextToken:
    """The given answer after a prompt of this length."""
    return lambda tokens: answer[len(tokens) - prompt_tokens]


class Cell:
    """One cell of the pool. Sequences share it after a copy, so only its identity counts."""

    def __init__(self, token: int) -> None:
        self.token = token


@dataclass(frozen=True)
class Call:
    """One call of `decode`."""

    sequence: int
    tokens: tuple[int, ...]
    position: int
    logits: bool
    result: DecodeResult


class FakeModel:
    """Implements `Model`. A test may hold `decode` at a gate, from any thread."""

    def __init__(
        self,
        *,
        cells: int = 4096,
        sequences: int = 8,
        context_tokens: int = 512,
        micro_batch_tokens: int = 64,
        next_token: NextToken = hashed,
        pieces: Sequence[bytes] = PIECES,
        end_tokens: Iterable[int] = (),
    ) -> None:
        self.info = ModelInfo("fake", "", context_tokens, None, None, None, has_chat_template=False)
        self.evaluated_tokens = 0
        self.aborted_calls = 0
        self.calls: list[Call] = []
        self.most_cells = 0
        """The most cells that were in use at a time."""
        self.leftover_of_aborted = 0
        """How many tokens an aborted call leaves in the cache."""
        self.on_decode: Callable[[], None] | None = None
        """Called at the beginning of each `decode`."""
        self._cells, self._sequences, self.most_batch_tokens = cells, sequences, micro_batch_tokens
        self._next_token, self._pieces, self._end_tokens = next_token, pieces, frozenset(end_tokens)
        self._cache: dict[int, list[Cell]] = {}
        self._sampled: tuple[int, ...] | None = None
        """The tokens whose logits are there."""
        self._gate = threading.Condition()
        self._abort = self._waits = False
        self._permits: int | None = None
        """How many calls may pass the gate; `None` while it is open."""

    # For tests

    def tokens(self, sequence: int) -> tuple[int, ...]:
        """What the cells of a sequence hold."""
        return tuple(cell.token for cell in self._cache.get(sequence, []))

    def contents(self) -> dict[int, tuple[int, ...]]:
        """What each sequence holds that is not empty."""
        return {sequence: self.tokens(sequence) for sequence, cells in self._cache.items() if cells}

    def used_cells(self) -> int:
        """Shared cells count once."""
        return len({id(cell) for cells in self._cache.values() for cell in cells})

    def done_calls(self) -> list[Call]:
        """Those that left something in the cache."""
        return [call for call in self.calls if call.result is DecodeResult.DONE]

    def hold(self) -> None:
        """Close the gate: from now on each `decode` waits there until it may pass or is aborted."""
        with self._gate:
            self._permits = 0

    def let_pass(self, calls: int = 1) -> None:
        """Let some calls through the closed gate."""
        with self._gate:
            assert self._permits is not None
            self._permits += calls
            self._gate.notify_all()

    def release(self) -> None:
        """Open the gate."""
        with self._gate:
            self._permits = None
            self._gate.notify_all()

    def wait_until_held(self) -> None:
        """Return when a call waits at the gate and has no reason to go on."""
        with self._gate:
            assert self._gate.wait_for(lambda: self._waits and not self._may_go(), LIMIT_S), "no call came to the gate"

    # As the real one

    def tokenize(self, text: str) -> list[int]:
        """One token a byte."""
        return list(text.encode("utf-8", "replace"))

    def special(self, token: str | int) -> int:
        """Control tokens have numbers beyond the bytes."""
        return token if isinstance(token, int) else 256 + zlib.crc32(token.encode()) % 1000

    def begin(self) -> tuple[int, ...]:
        """Prompts of this model begin with nothing."""
        return ()

    def is_end(self, token: int) -> bool:
        """As the test said."""
        return token in self._end_tokens

    def piece(self, token: int) -> bytes:
        """As the test said."""
        return self._pieces[token]

    def cut(self, sequence: int, length: int) -> None:
        """Keep the first cells of a sequence."""
        self._check(sequence)
        del self._cache.setdefault(sequence, [])[length:]

    def copy(self, source: int, target: int, length: int) -> None:
        """Share the first cells of `source` with `target`, which must be empty."""
        self._check(source)
        self._check(target)
        assert not self._cache.get(target), "copied over cells that are in use"
        assert length <= self.filled(source), "copied more than there is"
        self._cache[target] = self._cache[source][:length]

    def filled(self, sequence: int) -> int:
        """How many cells the sequence has."""
        return len(self._cache.get(sequence, []))

    def request_abort(self) -> None:
        """End the running call, or the next one."""
        with self._gate:
            self._abort = True
            self._gate.notify_all()

    def clear_abort(self) -> None:
        """Let the next call run."""
        with self._gate:
            self._abort = False

    def decode(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> DecodeResult:
        """Put tokens into the cache; refuse what llama.cpp refuses."""
        self._check(sequence)
        assert 0 < len(tokens) <= self.most_batch_tokens
        if position != self.filled(sequence):
            raise EngineError(f"A gap: position {position} after {self.filled(sequence)} cells.")
        if self.on_decode is not None:
            self.on_decode()
        self.evaluated_tokens += len(tokens)
        result = self._result(len(tokens))
        kept = len(tokens) if result is DecodeResult.DONE else 0
        if result is DecodeResult.ABORTED:
            self.aborted_calls += 1
            kept = min(self.leftover_of_aborted, len(tokens))
        self._cache.setdefault(sequence, []).extend(Cell(token) for token in tokens[:kept])
        self.most_cells = max(self.most_cells, self.used_cells())
        self._sampled = self.tokens(sequence) if logits and result is DecodeResult.DONE else None
        self.calls.append(Call(sequence, tuple(tokens), position, logits, result))
        return result

    def candidates(self, rest: bytes) -> list[int]:
        """Tokens that begin with `rest`, and tokens that `rest` begins with."""
        return TokenTable((piece, token) for token, piece in enumerate(self._pieces)).candidates(rest)

    def sample(self, sampling: Sampling, among: Sequence[int] = ()) -> tuple[int, float]:
        """The next token; its log-probability is a binary fraction, so that sums are exact."""
        assert self._sampled is not None, "there are no logits to sample from"
        token = self._next_token(self._sampled)
        if among and token not in among:
            token = among[token % len(among)]
        return token, logprob_of(token)

    def close(self) -> None:
        """Nothing to free."""

    def _check(self, sequence: int) -> None:
        assert 0 <= sequence < self._sequences, f"there is no sequence {sequence}"

    def _result(self, count: int) -> DecodeResult:
        if self.used_cells() + count > self._cells:
            return DecodeResult.FULL
        with self._gate:
            self._waits = True
            self._gate.notify_all()
            assert self._gate.wait_for(self._may_go, LIMIT_S), "nobody opened the gate"
            self._waits = False
            if self._abort:
                return DecodeResult.ABORTED
            if self._permits is not None:
                self._permits -= 1
            return DecodeResult.DONE

    def _may_go(self) -> bool:
        return self._abort or self._permits is None or self._permits > 0


def logprob_of(token: int) -> float:
    """What `FakeModel.sample` says of a token."""
    return -(token + 1) / 64


def undisturbed(tokens: tuple[int, ...], most_new: int) -> str:
    """The text that follows, from the definition: no cache, no batches, no lanes."""
    data, sequence = b"", tokens
    for _ in range(most_new):
        sequence += (hashed(sequence),)
        data += PIECES[sequence[-1]]
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data)


@dataclass
class Collected:
    """What a generation emitted."""

    events: list[Piece | Finished | EngineError] = field(default_factory=list)

    @property
    def pieces(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Piece)]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def finished(self) -> Finished:
        last = self.events[-1]
        assert isinstance(last, Finished)
        assert sum(not isinstance(event, Piece) for event in self.events) == 1
        return last

    @property
    def reason(self) -> FinishReason:
        return self.finished.reason

    @property
    def counts(self) -> TokenCounts:
        return self.finished.tokens
