"""Requests, pieces and statuses as JSON for the wire, and back."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

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


@contextlib.contextmanager
def _as_wire_error(what: str) -> Iterator[None]:
    """Whatever shape the other side's JSON has, a caller meets a `CompletionError`."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise WireError(f"A message was no {what}.") from error


def request_to_wire(request: GenerateRequest) -> dict[str, Any]:
    """Text segments become strings, control tokens one-item lists."""
    wire = dataclasses.asdict(request)
    wire["prompt"] = [part.text if isinstance(part, Text) else [part.token] for part in request.prompt]
    return wire


@_as_wire_error("request")
def request_from_wire(wire: dict[str, Any]) -> GenerateRequest:
    """The request that `request_to_wire` made JSON of."""
    return GenerateRequest(
        prompt=tuple(Text(part) if isinstance(part, str) else Special(part[0]) for part in wire["prompt"]),
        lane=wire["lane"],
        max_new_tokens=wire["max_new_tokens"],
        stop_texts=tuple(wire["stop_texts"]),
        stop_tokens=tuple(wire["stop_tokens"]),
        deadline_ms=wire["deadline_ms"],
        priority=Priority(wire["priority"]),
        sampling=Sampling(**wire["sampling"]),
        heal=wire["heal"],
    )


def piece_to_wire(piece: Piece) -> list[Any]:
    """A short list: this is sent for every token."""
    so_far = piece.so_far
    counts = [*dataclasses.astuple(so_far.tokens), so_far.prefill_ms, so_far.decode_ms] if so_far else None
    return [piece.text, piece.logprob, piece.tokens, counts]


@_as_wire_error("piece of an answer")
def piece_from_wire(wire: list[Any]) -> Piece:
    """The piece that `piece_to_wire` made JSON of."""
    text, logprob, tokens, counts = wire
    if not isinstance(text, str) or not isinstance(logprob, (int, float)) or not isinstance(tokens, int):
        raise TypeError("A piece is a text and two numbers.")
    if counts is None:
        return Piece(text, logprob, tokens)
    *of_tokens, prefill_ms, decode_ms = counts
    return Piece(text, logprob, tokens, Finished(FinishReason.STOP, TokenCounts(*of_tokens), prefill_ms, decode_ms))


def finished_to_wire(finished: Finished) -> dict[str, Any]:
    """The end of a generation."""
    return {**dataclasses.asdict(finished), "reason": finished.reason.value}


@_as_wire_error("end of an answer")
def finished_from_wire(wire: dict[str, Any]) -> Finished:
    """The end that `finished_to_wire` made JSON of."""
    return Finished(FinishReason(wire["reason"]), TokenCounts(**wire["tokens"]), wire["prefill_ms"], wire["decode_ms"])


def status_to_wire(status: EngineStatus) -> dict[str, Any]:
    """State and model."""
    return {**dataclasses.asdict(status), "state": status.state.value}


@_as_wire_error("status")
def status_from_wire(wire: dict[str, Any]) -> EngineStatus:
    """The status that `status_to_wire` made JSON of."""
    model = ModelInfo(**wire["model"]) if wire["model"] else None
    return EngineStatus(EngineState(wire["state"]), wire["message"], wire["progress_percent"], model)
