"""Whether an answer can still become sure enough to be shown: tokens that nobody will see are not worth generating."""

from __future__ import annotations

import math

from lsp_server.engine.base import Piece


class Hope:
    """Fed with the pieces of one answer.

    What is shown has a mean log-probability of its sum by its number of tokens, which is at most `most_tokens`; and a
    sum only falls. So an answer is given up only when no beginning of it that includes this piece can be shown.
    """

    def __init__(self, needed_percent: int, most_tokens: int) -> None:
        self._least_logprob = most_tokens * math.log(needed_percent / 100) if needed_percent > 0 else -math.inf
        self._logprob = 0.0

    def is_lost(self, piece: Piece) -> bool:
        """Take the next piece; whether everything that goes on from here stays below what is needed."""
        self._logprob += piece.logprob
        return self._logprob < self._least_logprob
