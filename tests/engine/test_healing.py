"""Token healing: a token that the caret cuts in two is written again from its beginning, and never shown twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.base import Piece
from lsp_server.engine.generation import Generation, Job, Step
from lsp_server.engine.healing import TokenTable, tail_of
from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.micro_batch import MicroBatch
from tests.engine.fake_model import Collected, FakeModel


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("    return x", " x"),
        ("a\n    ", "    "),
        ("foo.ba", ".ba"),
        ("def f(a, ", " "),
        ("foo(", "("),
        ("self._va", "va"),
        ("x = 12", ""),
        ("import os\n", ""),
        ("", ""),
        ("a" * 100, ""),
        ("héllo wör", " wör"),
    ],
)
def test_the_tail_begins_at_a_border_of_the_pre_tokenizer(text: str, tail: str) -> None:
    """Words with the blank before them, indentation, punctuation; not line ends and digits, which are whole tokens."""
    assert tail_of(text) == tail


@given(st.text(max_size=300))
def test_the_tail_is_the_end_of_the_text(text: str) -> None:
    """Whatever the text, and short."""
    tail = tail_of(text)
    assert text.endswith(tail)
    assert len(tail) <= 32


@given(st.lists(st.binary(max_size=4), max_size=60), st.binary(min_size=1, max_size=4))
def test_candidates_are_those_that_fit(pieces: list[bytes], rest: bytes) -> None:
    """The same as looking at every token."""
    fitting = [token for token, data in enumerate(pieces) if data and (data.startswith(rest) or rest.startswith(data))]
    assert sorted(TokenTable((data, token) for token, data in enumerate(pieces)).candidates(rest)) == fitting


@pytest.mark.parametrize("tail", [b"r", b"re", b"ret", b"  ", b"fo", b"\xe8\xaa"])
def test_the_answer_continues_the_tail(tail: bytes) -> None:
    """The tokens of the answer begin with the tail; what is streamed is what comes after it."""
    model, collected = FakeModel(), Collected()
    lanes = LaneTable(model, cells=512, sequences=2)
    generation = Generation(
        Job("a", (300, 301, 302), 12, tail=tail), model, lanes, collected.events.append, MicroBatch(64)
    )
    while generation.step() is Step.MORE:
        pass
    lane = lanes.lane("a")
    assert lane is not None
    written = b"".join(model.piece(token) for token in lane.tokens[3:])
    streamed = collected.text
    assert written.startswith(tail)
    assert streamed.startswith(written[len(tail) :].decode("utf-8", "replace")[:-1])


def test_a_token_that_heals_and_says_more_counts_for_the_confidence() -> None:
    """`ret` becomes `return`: how sure the model was of it is known."""
    model, collected = FakeModel(pieces=(b"return", b"x"), next_token=lambda _tokens: 0), Collected()
    generation = Generation(
        Job("a", (1, 2), 1, tail=b"ret"), model, LaneTable(model, 64, 2), collected.events.append, MicroBatch(64)
    )
    while generation.step() is Step.MORE:
        pass
    first = collected.events[0]
    assert isinstance(first, Piece)
    assert (first.text, first.tokens) == ("urn", 1)
    assert first.logprob < 0


def test_healing_does_not_use_up_the_answer() -> None:
    """With one token allowed, the one after the healed ones is said."""
    model, collected = (
        FakeModel(pieces=(b"re", b"t", b"x"), next_token=lambda tokens: (0, 1, 2)[len(tokens) - 2]),
        Collected(),
    )
    generation = Generation(
        Job("a", (1, 2), 1, tail=b"ret"), model, LaneTable(model, 64, 2), collected.events.append, MicroBatch(64)
    )
    while generation.step() is Step.MORE:
        pass
    assert collected.text == "x"
