"""The exported file: llama.cpp computes with it what PyTorch computed, and it is named honestly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gguf import GGUFReader

from lsp_server.engine.gguf_texts import MIN_CONFIDENCE_KEY
from models.shapes import TINY

torch = pytest.importorskip("torch")

from models.tiny.copy_baseline import copied_line  # noqa: E402
from models.tiny.evaluate import Answer  # noqa: E402
from models.tiny.evaluation_report import summarize, threshold_for  # noqa: E402
from models.tiny.export import NAME, check_logits, export, greatest_difference  # noqa: E402
from models.tiny.model import Bailing  # noqa: E402
from models.vocabulary import build_vocabulary  # noqa: E402

SHAPE = replace(TINY, embedding_length=192, heads=6, kv_heads=2, experts=4, expert_feed_forward_length=96)


@pytest.fixture(scope="module")
def model() -> Bailing:
    torch.manual_seed(0)
    model = Bailing(SHAPE)
    with torch.no_grad():
        model.output.mul_(10.0)  # random weights have logits too alike to show a mistake
        model.output_norm.uniform_(0.5, 1.5)
    return model


@pytest.mark.real_model
@pytest.mark.slow
def test_llama_cpp_and_pytorch_agree(model: Bailing) -> None:
    assert check_logits(model, build_vocabulary(SHAPE.vocabulary_size)) < 1e-2


@pytest.mark.real_model
def test_a_wrong_rotation_would_be_noticed(model: Bailing, tmp_path: Path) -> None:
    """The comparison has teeth: another theta is far outside of what is let through."""
    export(model, build_vocabulary(SHAPE.vocabulary_size), tmp_path / "model.gguf", "F32")
    other = Bailing(replace(SHAPE, rope_theta=100.0))
    other.load_state_dict(model.state_dict())
    assert greatest_difference(other, tmp_path / "model.gguf", list(range(64))) > 0.1


def test_the_file_says_what_it_is(model: Bailing, tmp_path: Path) -> None:
    size = export(model, build_vocabulary(SHAPE.vocabulary_size), tmp_path / "model.gguf", "Q8_0", 80)
    reader = GGUFReader(tmp_path / "model.gguf")
    fields = {name: field.contents() for name, field in reader.fields.items() if name.startswith("general.")}
    assert fields["general.name"] == NAME
    assert "andom" not in str(fields)
    confidence = reader.get_field(MIN_CONFIDENCE_KEY)
    assert confidence is not None
    assert confidence.contents() == 80
    assert size < 3_000_000


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("total += count\nother\ntotal += ", "", "count"),
        ("value = one()\nvalue = two()\nvalue = ", "", "two()"),
        ("if (", "\nif (done) {\n", ""),
        ("    return ", "\n    return done\n", "done"),
        ("abc", "", ""),
    ],
)
def test_copying_takes_the_rest_of_the_line_that_began_alike(before: str, after: str, expected: str) -> None:
    assert copied_line(before, after) == expected


def answer(wanted: str, written: str, confidence: float) -> Answer:
    return Answer("python", wanted, written, "", confidence, 2.0, 1, 100, "")


def test_threshold_is_the_lowest_with_the_wanted_precision() -> None:
    sure = [answer("x", "x", -0.1)] * 12
    unsure = [answer("x", "y", -1.0)] * 18
    wild = [answer("x", "y", -3.0)] * 30
    found = threshold_for([*sure, *unsure, *wild], 0.4)
    assert found is not None
    assert found["threshold"] == -1.0
    assert found["precision"] == pytest.approx(0.4)
    assert threshold_for([*unsure, *wild], 0.4) is None


def test_summary_counts_by_language() -> None:
    summary = summarize([answer("x", "x ", -0.1), answer("x", "", -0.1)])
    assert summary["all"]["exact"] == 0.5
    assert summary["languages"]["python"]["holes"] == 2
    assert summary["by_confidence"][1]["shown"] == 1, "an empty line is not shown"
