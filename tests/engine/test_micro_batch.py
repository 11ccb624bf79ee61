"""Calls that cannot be aborted are no longer than 50 ms; those that can have one size."""

from __future__ import annotations

import pytest

from lsp_server.engine.engine_settings import EngineSettings, batch_limit
from lsp_server.engine.micro_batch import LONGEST_CALL_S, MicroBatch


def after_calls(tokens_per_s: float, calls: int, *, most_tokens: int | None = 512) -> list[int]:
    """The sizes of calls on a machine that reads so many tokens a second."""
    batch, sizes = MicroBatch(64, most_tokens), []
    for _ in range(calls):
        sizes.append(batch.tokens)
        batch.took(batch.tokens, batch.tokens / tokens_per_s)
    return sizes


@pytest.mark.parametrize("tokens_per_s", [10.0, 100_000.0])
def test_where_a_call_can_be_aborted_its_size_stays(tokens_per_s: float) -> None:
    """However long it takes."""
    assert after_calls(tokens_per_s, 5, most_tokens=None) == [64] * 5


def test_a_fast_gpu_gets_large_calls() -> None:
    """Up to a usual batch."""
    assert after_calls(100_000.0, 6) == [64, 128, 256, 512, 512, 512]


@pytest.mark.parametrize("tokens_per_s", [400.0, 1000.0, 3000.0, 9000.0])
def test_calls_settle_below_fifty_milliseconds(tokens_per_s: float) -> None:
    """On slow ones, too."""
    sizes = after_calls(tokens_per_s, 30)
    assert all(size / tokens_per_s <= LONGEST_CALL_S for size in sizes[-10:])
    assert len(set(sizes[-10:])) == 1


def test_short_calls_at_the_end_of_a_prompt_say_little() -> None:
    """The size grows only after full calls."""
    batch = MicroBatch(64, 512)
    batch.took(3, 0.001)
    assert batch.tokens == 64


def test_the_largest_call() -> None:
    """A usual batch where calls cannot be aborted; what the settings say where they can."""
    settings = EngineSettings(micro_batch_tokens=64)
    assert (batch_limit(settings, can_abort=True), batch_limit(settings, can_abort=False)) == (64, 512)
