"""Which cached tokens stay: pure arithmetic over token lists, nothing here knows llama.cpp.

A *lane* is one sequence of the key-value cache and holds the tokens of one document or one chat. All lanes share one
pool of cells. A plan tells what to do to the cache before a prompt is evaluated, so that afterwards the lane holds
exactly a beginning of that prompt and everything after it is evaluated anew:

    forget the lanes in `evict` -> cut this lane back to `keep` tokens -> or, where another lane shares a longer
    beginning, empty this one and copy `keep` tokens from `copy_from`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lane:
    """One sequence of the cache."""

    sequence: int
    """Its number in llama.cpp."""
    tokens: tuple[int, ...] = ()
    """What its cells hold, by position."""
    last_used: int = 0
    """Counts up with every plan; the smallest is evicted first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to the cache before the rest of the prompt is evaluated."""

    sequence: int
    keep: int
    """Tokens at the beginning of the prompt that need no evaluation."""
    copy_from: int | None = None
    """Sequence to copy these tokens from; `None` when the lane's own are kept."""
    evict: tuple[str, ...] = ()


def common_prefix_length(left: Sequence[object], right: Sequence[object]) -> int:
    """How many items at the beginning of both are equal."""
    length = min(len(left), len(right))
    if left[:length] == right[:length]:
        return length
    return next(index for index in range(length) if left[index] != right[index])


def plan(  # noqa: PLR0913  # every figure that the arithmetic needs
    lanes: Mapping[str, Lane], name: str, prompt: Sequence[int], reserve: int, cells: int, sequences: int
) -> Plan:
    """How to get `prompt` into the lane `name` with the fewest tokens to evaluate.

    The last prompt token is always evaluated: its logits choose the first new token.

    Args:
        lanes: what the cache holds.
        name: the lane to use; it is made when it does not exist.
        prompt: tokens of the whole prompt; not empty.
        reserve: cells that generation may need on top.
        cells: size of the shared pool.
        sequences: most lanes at a time.
    """
    prompt = tuple(prompt)
    most = len(prompt) - 1
    own = lanes.get(name)
    kept = min(most, common_prefix_length(own.tokens, prompt)) if own else 0
    others = {other: lane for other, lane in lanes.items() if other != name}
    source, shared = _best_source(others, prompt, most)
    evict = _to_evict(others, len(prompt) + reserve, cells, sequences - 1, keep=source if shared > kept else None)
    taken = {lane.sequence for other, lane in others.items() if other not in evict}
    sequence = own.sequence if own else min(set(range(sequences)) - taken)
    if shared > kept and source is not None and source not in evict:
        return Plan(sequence, shared, others[source].sequence, evict)
    return Plan(sequence, kept, None, evict)


def _best_source(others: Mapping[str, Lane], prompt: tuple[int, ...], most: int) -> tuple[str | None, int]:
    lengths = {other: min(most, common_prefix_length(lane.tokens, prompt)) for other, lane in others.items()}
    best = max(lengths, key=lambda other: lengths[other], default=None)
    return (best, lengths[best]) if best is not None else (None, 0)


def _to_evict(
    others: Mapping[str, Lane], needed: int, cells: int, most_others: int, keep: str | None
) -> tuple[str, ...]:
    """The oldest other lanes that must go; the one to copy from goes last."""
    held = sum(len(lane.tokens) for lane in others.values())
    count, gone = len(others), []
    for other in _oldest_first(others, keep):
        if held + needed <= cells and count <= most_others:
            break
        gone.append(other)
        held -= len(others[other].tokens)
        count -= 1
    return tuple(gone)


def _oldest_first(others: Mapping[str, Lane], keep: str | None) -> Iterable[str]:
    return sorted(others, key=lambda other: (other == keep, others[other].last_used))
