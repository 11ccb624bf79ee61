"""What is put on the wire is what is taken off it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine import codec
from lsp_server.engine.base import (
    EngineState,
    EngineStatus,
    Finished,
    FinishReason,
    GenerateRequest,
    ModelInfo,
    Piece,
    Priority,
    Sampling,
    Special,
    Text,
)
from lsp_server.errors import WireError
from lsp_server.outcome import TokenCounts

texts = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates and NUL, too
numbers = st.floats(allow_nan=False)
counts = st.integers(0, 2**40)
token_ids = st.integers(0, 2**31 - 1)
specials = st.one_of(texts, token_ids)

requests = st.builds(
    GenerateRequest,
    prompt=st.lists(st.one_of(st.builds(Text, texts), st.builds(Special, specials))).map(tuple),
    lane=texts,
    max_new_tokens=counts,
    stop_texts=st.lists(texts).map(tuple),
    stop_tokens=st.lists(specials).map(tuple),
    deadline_ms=st.none() | numbers,
    priority=st.sampled_from(Priority),
    sampling=st.builds(Sampling, numbers, counts, numbers, counts),
)
finishes = st.builds(
    Finished, st.sampled_from(FinishReason), st.builds(TokenCounts, counts, counts, counts, counts), numbers, numbers
)
models = st.builds(ModelInfo, texts, texts, counts, *([st.none() | token_ids] * 3), has_chat_template=st.booleans())
statuses = st.builds(
    EngineStatus, st.sampled_from(EngineState), texts, st.none() | st.integers(0, 100), st.none() | models
)


def over_the_wire(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(requests)
def test_requests_arrive_whole(request: GenerateRequest) -> None:
    """Text that looks like a control token stays text; ids stay numbers."""
    arrived = codec.request_from_wire(over_the_wire(codec.request_to_wire(request)))
    assert arrived == request
    assert isinstance(arrived.priority, Priority)
    assert [type(part) for part in arrived.prompt] == [type(part) for part in request.prompt]


so_far = st.builds(
    Finished, st.just(FinishReason.STOP), st.builds(TokenCounts, counts, counts, counts, counts), numbers, numbers
)


@given(st.builds(Piece, texts, numbers, st.integers(0, 99), st.none() | so_far))
def test_pieces_arrive_whole(piece: Piece) -> None:
    """Text, log-probability and number of tokens, and what the answer has cost up to here."""
    arrived = codec.piece_from_wire(over_the_wire(codec.piece_to_wire(piece)))
    assert (arrived, arrived.so_far) == (piece, piece.so_far)


@given(finishes)
def test_ends_arrive_whole(finished: Finished) -> None:
    """With counts and times."""
    assert codec.finished_from_wire(over_the_wire(codec.finished_to_wire(finished))) == finished


@given(statuses)
def test_statuses_arrive_whole(status: EngineStatus) -> None:
    """With and without a model."""
    assert codec.status_from_wire(over_the_wire(codec.status_to_wire(status))) == status


GARBAGE: list[Any] = [None, 5, "text", [], [1], {}, {"state": "ready"}, {"state": "no such state", "model": None}]


@pytest.mark.parametrize(
    "read", [codec.request_from_wire, codec.piece_from_wire, codec.finished_from_wire, codec.status_from_wire]
)
@pytest.mark.parametrize("wire", GARBAGE, ids=repr)
def test_garbage_is_a_wire_error(read: Any, wire: Any) -> None:
    """No foreign exception travels on from here."""
    with pytest.raises(WireError):
        read(wire)
