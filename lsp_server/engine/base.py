"""What an engine is to the rest of the product: prompts of segments go in, streamed pieces and counts come out.

Nothing here knows llama.cpp, LSP or sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol

from lsp_server.outcome import TokenCounts


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the user's or ours. Tokenized with special-token parsing off: `<role>` in source code stays text."""

    text: str


@dataclass(frozen=True, slots=True)
class Special:
    """One control token, by its spelling in the vocabulary or by its id."""

    token: str | int


Segment = Text | Special
Prompt = tuple[Segment, ...]


class Priority(IntEnum):
    """Who goes first on the one thread that owns the model; a lower number interrupts a higher one."""

    COMPLETION = 0
    """Somebody waits with the hands on the keyboard."""
    CHAT = 1
    """Explain and fix."""
    WARM_UP = 2
    SPECULATION = 3


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. Temperature 0 takes the likeliest one."""

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One generation."""

    prompt: Prompt
    lane: str
    """Whose cached tokens to build on: one document or one chat. Names are private to each client."""
    max_new_tokens: int
    stop_texts: tuple[str, ...] = ()
    """Generation ends before the first of these; none of it is streamed."""
    stop_tokens: tuple[str | int, ...] = ()
    """Control tokens that end generation besides the model's own end tokens (control tokens render as nothing)."""
    deadline_ms: float | None = None
    """Wall-clock limit from the moment the engine receives the request; what is there by then is the answer."""
    priority: Priority = Priority.COMPLETION
    sampling: Sampling = field(default_factory=Sampling)
    heal: bool = False
    """Whether the prompt ends where somebody types: a token cut in two by the caret is healed (`engine/healing.py`)."""


class FinishReason(Enum):
    """Why generation ended."""

    END = "end"
    """The model's end token, or one of `stop_tokens`."""
    STOP = "stop"
    """One of `stop_texts`."""
    LENGTH = "length"
    DEADLINE = "deadline"
    UNSURE = "unsure"
    """Whoever asked closed the stream: the answer could not become sure enough to be shown any more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more text: whole characters, never half of a multi-byte one."""

    text: str
    logprob: float = 0.0
    """Sum of the log-probabilities of its tokens, in nats."""
    tokens: int = 1
    """How many tokens it took."""
    so_far: Finished | None = field(default=None, compare=False, repr=False)
    """Counts and times up to here, for a client that has heard enough: who closes the stream gets no end."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of each generation."""

    reason: FinishReason
    tokens: TokenCounts
    prefill_ms: float
    decode_ms: float


@dataclass(frozen=True, slots=True)
class EngineCounters:
    """What an engine has done since it was started, for all its clients and every kind of job."""

    evaluated_prompt_tokens: int = 0
    """Tokens of prompts that were given to the model, those of aborted calls included."""
    evaluated_answer_tokens: int = 0
    """Tokens of answers that were."""
    aborted_calls: int = 0
    process_id: int = 0
    idle: bool = True


class EngineState(Enum):
    """What a person is told about the engine."""

    STOPPED = "stopped"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the loaded model says of itself."""

    name: str
    path: str
    context_tokens: int
    """Most tokens of prompt and answer together in one lane."""
    fim_prefix: int | None
    """Token ids of the named fill-in-the-middle tokens, `None` where the vocabulary has none."""
    fim_suffix: int | None
    fim_middle: int | None
    has_chat_template: bool
    min_confidence_percent: int = 0
    """What the model's makers recommend for `lingCoder.minConfidencePercent`: the file's key of that name."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """State, with a sentence for people and what is loaded."""

    state: EngineState
    message: str = ""
    progress_percent: int | None = None
    model: ModelInfo | None = None


StatusListener = Callable[[EngineStatus], None]


class Engine(Protocol):
    """Loads a model and generates. Every method may be called from one event loop only."""

    @property
    def status(self) -> EngineStatus:
        """The newest status."""

    def on_status(self, listener: StatusListener) -> None:
        """Call `listener` at each change of status."""

    async def start(self) -> None:
        """Begin to load; returns at once. Errors arrive as status `FAILED`."""

    async def wait_ready(self, limit_ms: float) -> EngineStatus:
        """Wait until the model is loaded or has failed, at most `limit_ms`; the status then."""

    def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Stream pieces, then one `Finished`. Closing the iterator cancels.

        Raises:
            EngineError: the request cannot be answered; the message says why.
        """

    async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        """How many tokens each text has, special-token parsing off.

        Raises:
            EngineError: there is no engine to ask.
        """

    async def counters(self) -> EngineCounters:
        """What was counted since the engine was started.

        Raises:
            EngineError: there is no engine to ask.
        """

    async def close(self) -> None:
        """Let go of the engine; generations in flight end with `EngineGone`."""
