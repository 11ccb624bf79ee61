"""Answers that cannot be shown any more are not generated to their end, and no others."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.answer import Answer
from lsp_server.completion import CompletionRequest, complete
from lsp_server.engine.base import Piece
from lsp_server.engine.scripted import Rule, ScriptedEngine
from lsp_server.hope import Hope
from lsp_server.memory import Memory
from lsp_server.outcome import Skip
from lsp_server.settings import Settings
from tests.marked import snapshot

MOST_TOKENS = 12


@given(st.lists(st.floats(-5.0, 0.0), min_size=1, max_size=MOST_TOKENS), st.integers(0, 100))
def test_nothing_that_could_be_shown_is_lost(logprobs: list[float], needed_percent: int) -> None:
    """Where hope is lost, no end of the answer that includes this token is sure enough."""
    pieces = [Piece("x", logprob) for logprob in logprobs]
    hope = Hope(needed_percent, MOST_TOKENS)
    lost_at = next((at for at, piece in enumerate(pieces) if hope.is_lost(piece)), None)
    for length in range(1, len(pieces) + 1):
        confidence = Answer(pieces[:length]).confidence(length)
        assert confidence is not None
        if lost_at is not None and length > lost_at:
            assert 100 * math.exp(confidence) <= needed_percent


async def test_an_unsure_answer_is_short() -> None:
    """Where 79 % are needed and each token costs five nats, few are generated; by key all of them."""
    engine = ScriptedEngine((Rule(text=str(list(range(100, 125))), logprob=-5.0),))
    await engine.wait_ready(1000)
    settings = Settings(min_confidence_percent=79, max_new_tokens=200)
    for invoked, skip in ((False, Skip.UNSURE), (True, None)):
        outcome = await complete(CompletionRequest(snapshot("x = █"), settings, invoked), engine, Memory())
        assert (outcome.skip, outcome.tokens.generated > 20) == (skip, invoked)
