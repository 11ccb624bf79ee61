"""What an engine says to one request, as far as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from lsp_server.engine.base import Engine, Finished, FinishReason, GenerateRequest, Piece
from lsp_server.outcome import TokenCounts

_HUNG_ENGINE_MS = 250
"""How long after its deadline an engine may stay silent before the request ends without it."""


@dataclass(slots=True)
class Answer:
    """What has been streamed so far: it outlives the stream's being called off."""

    pieces: list[Piece] = field(default_factory=list)
    finished: Finished | None = None

    @property
    def text(self) -> str:
        """All pieces together."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def out_of_time(self) -> bool:
        """Whether the clock ended it."""
        return self.finished is None or self.finished.reason is FinishReason.DEADLINE

    @property
    def cut_off(self) -> bool:
        """Whether the model was not done: the clock, the limit of tokens or want of hope ended it."""
        return self.finished is None or self.finished.reason not in (FinishReason.END, FinishReason.STOP)

    @property
    def is_given_up(self) -> bool:
        """Whether it ended because it was too unsure."""
        return self.finished is not None and self.finished.reason is FinishReason.UNSURE

    @property
    def whole_lines(self) -> str:
        """The text without the line that the model did not get to finish, unless there is no other."""
        whole, _, _ = self.text.rpartition("\n")
        return whole if self.cut_off and whole.strip() else self.text

    def confidence(self, shown_characters: int) -> float | None:
        """Mean log-probability of the tokens of the first characters, in nats."""
        logprob, tokens, length = 0.0, 0, 0
        for piece in self.pieces:
            if length >= shown_characters and tokens:
                break
            logprob, tokens, length = logprob + piece.logprob, tokens + piece.tokens, length + len(piece.text)
        return logprob / tokens if tokens else None


async def stream(
    engine: Engine,
    asked: GenerateRequest,
    left_s: float | None,
    heard: Callable[[Piece], None] = lambda piece: None,
    ends: Callable[[Piece], FinishReason | None] = lambda piece: None,
) -> Answer:
    """All that the engine streams until its deadline, and a little longer for one that hangs.

    Args:
        engine: who is asked.
        asked: what is asked.
        left_s: seconds to wait; `None` for work that nobody waits for.
        heard: gets each piece when it comes, also those of an answer that is called off.
        ends: gets each piece; when it gives a reason, the engine's stream is closed, and the answer ends for it.
    """
    answer = Answer()

    async def collect() -> None:
        async with aclosing(engine.generate(asked)) as events:
            async for event in events:
                if isinstance(event, Piece):
                    answer.pieces.append(event)
                    heard(event)
                    if reason := ends(event):
                        so_far = event.so_far or Finished(reason, TokenCounts(), 0.0, 0.0)
                        answer.finished = replace(so_far, reason=reason)
                        return
                else:
                    answer.finished = event

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(collect(), None if left_s is None else left_s + _HUNG_ENGINE_MS / 1000)
    return answer
