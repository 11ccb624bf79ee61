"""What is kept from one request to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from lsp_server.answer import Answer
from lsp_server.context.anchors import Anchors
from lsp_server.engine.base import Piece
from lsp_server.outcome import Times
from lsp_server.pace import Speed
from lsp_server.power import PowerMeter
from lsp_server.reuse import SuggestionHistory


@dataclass
class Memory:
    """Anchors, suggestions and measurements of one server."""

    anchors: Anchors = field(default_factory=Anchors)
    history: SuggestionHistory = field(default_factory=SuggestionHistory)
    speed: Speed = field(default_factory=Speed)
    meter: PowerMeter = field(default_factory=PowerMeter)
    streamed_tokens: int = 0
    """All that the engine generated for us, answers that were called off included."""
    shown_tokens: int = 0

    def anew(self, *, same_model: bool) -> Memory:
        """What outlives a change of the settings: figures, and the speed of a model that stays."""
        speed = self.speed if same_model else Speed()
        return Memory(
            speed=speed, meter=self.meter, streamed_tokens=self.streamed_tokens, shown_tokens=self.shown_tokens
        )

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self.anchors.forget(uri)
        self.history.forget(uri)

    @property
    def never_shown_tokens(self) -> int:
        """What the engine generated for nobody."""
        return max(0, self.streamed_tokens - self.shown_tokens)

    def heard(self, piece: Piece) -> None:
        """The engine has generated some more."""
        self.streamed_tokens += piece.tokens

    def learn(self, answer: Answer, uri: str | None = None) -> None:
        """Take from an answer what it tells about the engine's speed, and that a document's prompt has been read."""
        finished = answer.finished
        if finished is not None:
            self.speed.observe(finished.tokens, Times(0.0, finished.prefill_ms, finished.decode_ms))
            self.streamed_tokens += finished.tokens.generated - sum(piece.tokens for piece in answer.pieces)
        if uri is not None and (answer.pieces or not answer.out_of_time):
            self.anchors.mark_read(uri)
