"""Training the demo model: it learns, can be stopped and resumed, and its parts compute what their names say."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.shapes import TINY

torch = pytest.importorskip("torch")

from models.tiny import train  # noqa: E402
from models.tiny.checkpoint import TrainingError, read_checkpoint  # noqa: E402
from models.tiny.copying_heads import can_copy, set_copying_heads  # noqa: E402
from models.tiny.loss import weighted_cross_entropy  # noqa: E402
from models.tiny.model import Bailing, Block, attend, rotate, rotations, route  # noqa: E402
from models.tiny.optimizer import Muon, learning_rate_share, orthogonalize  # noqa: E402
from models.tiny.progress import Clock  # noqa: E402
from models.tiny.shards import Shards  # noqa: E402
from models.tiny.train_options import DEMO, parse_options, seconds_until  # noqa: E402

SMALL = replace(
    TINY, layers=2, embedding_length=64, heads=2, kv_heads=1, experts=4, expert_feed_forward_length=32,
    vocabulary_size=300,
)  # fmt: skip
ROW_TOKENS = 65


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Rows in which each token follows from the one before it."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for name, rows in (("train-000", 40), ("diet", 8), ("heldback", 8)):
        starts = np.random.default_rng(len(name)).integers(0, 200, (rows, 1))
        tokens = ((starts + 7 * np.arange(ROW_TOKENS)) % 200).astype(np.uint16)
        np.save(folder / f"{name}.npy", tokens)
        np.save(folder / f"{name}.middle.npy", np.tile(np.arange(ROW_TOKENS) > 40, (rows, 1)).astype(np.uint8))
    ready = {"vocabulary": 300, "row_tokens": ROW_TOKENS, "shards": ["train-000.npy"], "train_tokens": 40 * ROW_TOKENS}
    (folder / "READY.json").write_text(json.dumps(ready))
    return folder


def run(work: Path, shards: Path, steps: int, *more: str) -> dict[str, object]:
    sizes = ("--width", "64", "--layers", "1", "--expert-width", "32", "--vocabulary", "300", "--rows", "4")
    arguments = ("--work", str(work), "--shards", str(shards), "--steps", str(steps), "--check-every", "5")
    assert train.main([*arguments, *sizes, "--no-compile", "--no-bf16", *more]) == 0
    return read_checkpoint(work / "checkpoint.pt")


def log_of(work: Path, key: str) -> list[float]:
    lines = (json.loads(line) for line in (work / "log.jsonl").read_text().splitlines())
    return [line[key] for line in lines if key in line]


@pytest.mark.slow
def test_a_few_steps_lower_the_held_back_loss(tmp_path: Path, shards: Path) -> None:
    run(tmp_path / "work", shards, 40, "--repeats-until", "0", "--learning-rate", "0.02")
    losses = log_of(tmp_path / "work", "held_back")
    assert losses[0] == pytest.approx(math.log(300), abs=1.0)
    assert losses[-1] < losses[0] - 1.0


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_parameters(tmp_path: Path, shards: Path) -> None:
    """The learning rate falls by the clock, so neither run may come to its fall."""
    whole = run(tmp_path / "whole", shards, 14)
    run(tmp_path / "parts", shards, 7)
    parts = run(tmp_path / "parts", shards, 14)
    assert parts["step"] == whole["step"] == 14
    for name, value in whole["model"].items():  # type: ignore[attr-defined]
        assert torch.equal(value, parts["model"][name]), name  # type: ignore[index]


@pytest.mark.slow
def test_a_checkpoint_of_another_shape_is_refused(
    tmp_path: Path, shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "work", shards, 1)
    arguments = ["--work", str(tmp_path / "work"), "--shards", str(shards), "--no-compile", "--vocabulary", "400"]
    assert train.main(arguments) == 1
    assert "--fresh" in capsys.readouterr().err


def test_without_rows_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--work", str(tmp_path), "--shards", str(tmp_path), "--no-compile"]) == 1
    assert "models.tiny.examples" in capsys.readouterr().err


def test_an_unreadable_checkpoint_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(TrainingError, match="no readable checkpoint"):
        read_checkpoint(tmp_path / "checkpoint.pt")


def test_each_row_is_read_once_in_a_round(shards: Path) -> None:
    """Two processes get different rows of the same order."""
    reader = Shards(shards, seed=0, middle_weight=3.0)
    other = Shards(shards, seed=0, middle_weight=3.0)
    rows = np.load(shards / "train-000.npy")
    seen = []
    for each in (reader, other):
        each.use(["train-000.npy"])
    for _ in range(5):
        seen += [*reader.next(4, 0, 2).tokens.tolist(), *other.next(4, 1, 2).tokens.tolist()]
    assert sorted(seen) == sorted(rows[:, :-1].tolist())
    assert reader.next(4).weights.unique().tolist() == [1.0, 3.0]


def test_experts_are_a_loop_over_tokens() -> None:
    """The wide layer yields what choosing experts token by token does."""
    torch.manual_seed(0)
    block = Block(SMALL)
    states = torch.randn(1, 20, 64)
    mixed, _ = block._experts(states)
    for token, result in zip(states[0], mixed[0], strict=True):
        shares = torch.softmax(block.router @ token, 0)
        best = shares.topk(SMALL.experts_used).indices
        expected = block._shared(token)
        for expert in best:
            inner = torch.nn.functional.silu(block.gate[expert] @ token) * (block.up[expert] @ token)
            expected = expected + shares[expert] / shares[best].sum() * (block.down[expert] @ inner)
        assert torch.allclose(result, expected, atol=1e-5)


def test_heads_set_by_hand_copy() -> None:
    """An untrained model cannot say what comes next in random tokens; with the heads it can where they repeat."""
    torch.manual_seed(0)
    model = Bailing(DEMO)
    stretch = torch.randint(0, 8000, (4, 40))
    tokens = torch.cat([stretch, stretch], dim=1)

    def loss_of_repetition() -> float:
        with torch.no_grad():
            scores = model.logits(tokens[:, :-1])[:, 42:]
        return float(torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, 43:].flatten()))

    untrained = loss_of_repetition()
    set_copying_heads(model)
    assert can_copy(DEMO)
    assert not can_copy(SMALL)
    assert loss_of_repetition() < untrained - 1.5


def test_of_repeated_rows_only_the_repetition_counts(shards: Path) -> None:
    reader = Shards(shards, seed=0, middle_weight=1.0)
    reader.use(["train-000.npy"])
    batch = reader.next(4)
    repeated = reader.with_repeats(batch, 200, step=3)
    assert torch.equal(repeated.tokens[:2], batch.tokens[:2])
    for tokens, targets, weights in zip(*(part[2:] for part in repeated), strict=True):
        stretch = int((weights == 0).sum())
        whole = torch.cat([tokens[:1], targets])
        assert torch.equal(whole[stretch:], whole[: len(whole) - stretch])


def test_balance_is_1_when_all_experts_are_used_alike() -> None:
    even = torch.eye(4).repeat(5, 1)
    assert route(even, 1)[1] == pytest.approx(1.0)
    assert route(torch.tensor([[9.0, 0.0, 0.0, 0.0]]).repeat(5, 1), 1)[1] > 3.5


def test_rotation_turns_neighbouring_pairs() -> None:
    """Pair i of position p turns by p * theta ** (-2i / size), as complex numbers do."""
    heads, theta = torch.randn(1, 1, 9, 8), 10_000.0
    turned = rotate(heads, rotations(9, 8, theta, torch.device("cpu")))
    angles = torch.outer(torch.arange(9.0), theta ** (-torch.arange(0, 8, 2) / 8))
    pairs = torch.view_as_complex(heads.unflatten(-1, (4, 2)).contiguous())
    expected = torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)
    assert torch.allclose(turned, expected, atol=1e-5)


def test_attention_in_blocks_is_causal_attention() -> None:
    query, key, value = torch.randn(3, 2, 2, 300, 8).unbind()
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    assert torch.allclose(attend(query, key, value), expected, atol=1e-5)


def test_loss_and_gradients_are_those_of_cross_entropy() -> None:
    states, matrix = torch.randn(700, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    targets, weights = torch.randint(50, (700,)), torch.rand(700)
    ours = weighted_cross_entropy(states, matrix, targets, weights)
    ours_by = torch.autograd.grad(ours, (states, matrix))
    plain = torch.nn.functional.cross_entropy(states @ matrix.T, targets, reduction="none")
    expected = (plain * weights).sum() / weights.sum()
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)
    for got, wanted in zip(ours_by, torch.autograd.grad(expected, (states, matrix)), strict=True):
        assert torch.allclose(got, wanted, atol=1e-5)


@pytest.mark.parametrize("size", [(3, 40, 24), (24, 40), (16, 16)])
def test_orthogonalized_singular_values_are_near_1(size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalize(torch.randn(size)))
    assert values.max() < 1.3
    assert values.mean() > 0.7


def test_muon_goes_downhill() -> None:
    matrix = torch.nn.Parameter(torch.randn(8, 6))
    optimizer = Muon([matrix], 0.05, torch.float32)
    first = matrix.square().sum().item()
    for _ in range(30):
        optimizer.zero_grad()
        matrix.square().sum().backward()
        optimizer.step()
    assert matrix.square().sum().item() < first / 2


def test_learning_rate_is_a_trapezoid() -> None:
    assert learning_rate_share(0, 0.0) < 0.05
    assert learning_rate_share(1000, 0.5) == 1.0
    assert 0 < learning_rate_share(1000, 0.9) < 0.5
    assert learning_rate_share(1000, 1.0) == 0.0


def test_time_stands_still_while_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(minutes=1.0, until=None)
    for seconds in (1.0, 1.0, 500.0, 1.0):
        now[0] += seconds
        clock.lap()
    assert clock.spent_s == pytest.approx(4.0, abs=0.5)
    assert 0 < clock.progress() < 0.1


def test_the_hour_may_be_tomorrows() -> None:
    late = time.struct_time((2026, 1, 1, 23, 30, 0, 3, 1, 0))
    assert seconds_until("22:30", late) == 23 * 3600
    assert seconds_until("23:31", late) == 60
    with pytest.raises(SystemExit):
        parse_options(["--until", "25:00"])


def test_all_parameters_reach_an_optimizer() -> None:
    model = Bailing(SMALL)
    names = {name for name, _ in model.matrices()}
    assert {"blocks.0.gate", "blocks.1.shared_down"} <= names
    assert not names & {"embedding", "output", "blocks.0.router", "output_norm"}
