"""Every way in which a completion request can end. A bare `None` could not be counted, tested or explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Skip(Enum):
    """Why nothing is shown. The name travels in `--json` and in the statistics, the value is for people."""

    OFF = "completions are switched off"
    LOADING = "model is loading"
    CANCELLED = "the editor called the request off"
    SUPERSEDED = "a newer request took its place"
    STALE = "the document changed meanwhile"
    CLOSED = "the document is not open"
    TOO_LARGE = "the file is too large"
    BINARY = "the file holds NUL bytes and is taken for a binary one"
    LANGUAGE_OFF = "completions are switched off for this language"
    PATH_OFF = "completions are switched off for this file"
    GENERATED = "the file says that a tool writes it"
    MINIFIED = "the file has the long lines of minified code"
    SEVERAL_CARETS = "there are several carets"
    SELECTION = "something is selected"
    DISMISSED = "a suggestion was dismissed here a moment ago"
    DELETING = "code is being deleted"
    LONG_LINE = "the line is too long"
    MERGE_CONFLICT = "a merge conflict is near"
    IN_A_WORD = "the caret is in the middle of a word"
    MID_LINE = "there is code to the right of the caret"
    IN_COMMENT = "the caret is in a comment"
    IN_STRING = "the caret is in a string"
    SLOW = "a line takes too long here to be suggested unasked; ask by key, or set `lingCoder.suggestAt`"
    LOW_BATTERY = "the battery is low; ask by key"
    DEADLINE = "nothing was ready when the time was up"
    EMPTY = "the model had nothing to add"
    UNSURE = "the model was not sure enough"
    NOTHING_LEFT = "every candidate was filtered out"
    ENGINE_GONE = "the engine's process ended; the next request starts it again"
    ENGINE_FAILED = "the engine could not answer"

    @property
    def label(self) -> str:
        """The stable name, as in `"outcome": "engine-gone"`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one request, counted where llama.cpp is called."""

    prompt: int = 0
    reused: int = 0
    """Prompt tokens whose keys and values were in the cache."""
    evaluated: int = 0
    """Prompt tokens that had to be evaluated."""
    generated: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """Where the time of one request went, in milliseconds. `overhead` is all that llama.cpp did not spend."""

    total_ms: float = 0.0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    """Generation, sampling included."""
    paused_ms: float = 0.0
    """Waited for the next key on purpose."""

    @property
    def overhead_ms(self) -> float:
        """Our own share: IPC, queue, tokenizing, parsing, filters."""
        return max(0.0, self.total_ms - self.prefill_ms - self.decode_ms - self.paused_ms)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one post-processing rule did: `kept`, `changed` or `emptied`."""

    rule: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text to put in place of `start:end` of the document, offsets in characters. `start == end` inserts."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request ended: a suggestion, or a named skip."""

    suggestion: Suggestion | None = None
    skip: Skip | None = None
    detail: str = ""
    """The sentence that belongs to this skip where there is more to say than its value."""
    raw: str = ""
    """The model's answer before post-processing. Code: it never goes into a log."""
    rules: tuple[Verdict, ...] = ()
    confidence: float | None = None
    """Mean log-probability of the tokens of what would be shown, in nats; `None` where nothing was generated."""
    whole: bool = True
    """Whether the model ended its answer by itself, and not the clock or the limit of tokens."""
    tokens: TokenCounts = field(default_factory=TokenCounts)
    times: Times = field(default_factory=Times)

    @property
    def label(self) -> str:
        """`shown`, or the name of the skip."""
        return self.skip.label if self.skip else "shown"

    @property
    def sentence(self) -> str:
        """For people: the detail where there is one, else what the skip means."""
        return self.detail or (self.skip.value if self.skip else "")
