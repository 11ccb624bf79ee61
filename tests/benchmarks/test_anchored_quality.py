"""The comparison of layouts: which prompts are compared, what becomes of the scores, and one real hole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import anchored_quality
from benchmarks.anchored_layouts import (
    Hole,
    anchor_line,
    anchored_view,
    deep_enough,
    document_of,
    plain_view,
    unhealed_view,
)
from benchmarks.anchored_report import Comparison, Row, Score, compare, report
from lsp_server.context.anchors import TokenBudget
from lsp_server.context.window import View
from lsp_server.model_store.locate import bundled_model

ROOT = Path(__file__).parents[2]
LINES = "".join(f"value_{number} = call({number})\n" for number in range(40))
HOLE: Hole = {
    "path": "pkg/main.py",
    "language": "python",
    "prefix": LINES + "    retu",
    "middle": "rn value",
    "suffix": "\n" + LINES,
}
ROOM = TokenBudget(prefix=100, suffix=40, middle=100)


def words(text: str) -> int:
    return len(text.split())


async def count(texts: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(map(words, texts))


@pytest.mark.parametrize(("typed_words", "line"), [(0, 40), (1, 40), (3, 39), (4, 39), (30, 30), (121, 0), (125, None)])
def test_the_anchor_is_at_the_nearest_line(typed_words: int, line: int | None) -> None:
    """Three words a line here, and one before the caret; too few above are too few."""
    assert anchor_line(document_of(HOLE), typed_words, words) == line


def test_holes_without_enough_above_are_left_out() -> None:
    """So that all lengths are asked at the same holes."""
    assert deep_enough([HOLE, {**HOLE, "prefix": "x = 1\n"}], 50, words) == [HOLE]


async def test_what_was_typed_since_the_anchor_is_the_middle() -> None:
    """The rest of the prompt is as it was when the line was begun."""
    view, stayed = await anchored_view(document_of(HOLE), 38, ROOM, count)
    assert stayed
    assert view.middle == "value_38 = call(38)\nvalue_39 = call(39)\n    retu"
    assert view.prefix.endswith("value_37 = call(37)\n")
    assert view.suffix.startswith("\nvalue_0")


async def test_an_anchor_too_far_above_is_seen() -> None:
    """What was typed since has a budget; beyond it the window is another one."""
    view, stayed = await anchored_view(document_of(HOLE), 2, TokenBudget(prefix=100, suffix=40, middle=20), count)
    assert not stayed
    assert view.middle == "    retu"


def test_the_plain_prompt_shows_the_same_text() -> None:
    """Everything before the caret is prefix; with healing, the half token is where it is in the anchored prompt."""
    anchored = View(prefix="a = 1\n", suffix="\nb\n", middle="b = 2\n    retu", first_line=0)
    assert plain_view(anchored) == View("a = 1\nb = 2\n   ", "\nb\n", " retu", 0)
    assert unhealed_view(anchored) == View("a = 1\nb = 2\n    retu", "\nb\n", "", 0)


def test_differences_count_by_tokens() -> None:
    """Their standard error is that of holes, not of tokens."""
    ours = [Score(-2.0, 2, True), Score(-6.0, 4, False)]
    assert compare(ours, ours) == Comparison(0.0, 0.0, 0.0)
    found = compare(ours, [Score(-3.0, 2, False), Score(-6.0, 4, False)])
    assert found.nats_per_token == pytest.approx(1 / 6)
    assert found.exact == 0.5
    assert found.standard_error == pytest.approx((2 * (2 / 3) ** 2) ** 0.5 / 6)


@pytest.mark.parametrize(
    ("nats", "exact", "holds"), [(-0.02, -0.01, True), (-0.021, 0.5, False), (0.5, -0.011, False), (0.1, 0.1, True)]
)
def test_the_promise(nats: float, exact: float, holds: bool) -> None:
    """At most 0.02 nats a token and one point of exact lines worse, healed or not."""
    good, found = Comparison(1.0, 0.0, 1.0), Comparison(nats, 0.0, exact)
    rows = [Row(0, -3.0, 0.1, *others, moved=0) for others in ((found, good, good), (good, good, found))]
    assert [row.holds for row in rows] == [holds, holds]
    assert ("MISSED" in report(rows, 2)) is not holds
    assert Row(0, -3.0, 0.1, good, found, good, moved=0).holds


@pytest.mark.real_model
def test_one_hole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the layout and llama.cpp; with nothing typed since the anchor, both plain prompts are the same one."""
    text = json.loads((ROOT / "examples" / "typing.json").read_text("utf-8"))["text"]
    hole = {**HOLE, "prefix": text[:1600], "middle": text[1600:].split("\n")[0], "suffix": "\n" + text[1700:1900]}
    (tmp_path / "holes.jsonl").write_text(json.dumps(hole), encoding="utf-8")
    arguments = [str(bundled_model()), "--holes", str(tmp_path / "holes.jsonl"), "--json"]
    assert anchored_quality.main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["holes"] == 1
    assert [row["typed_tokens"] for row in found["rows"]] == [0, 20, 100, 250]
    assert all(-20 < row["nats_per_token"] < 0 and row["moved"] == 0 for row in found["rows"])
    assert found["rows"][0]["against_plain"] == found["rows"][0]["against_same_text"]


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence and exit code 1."""
    assert anchored_quality.main([str(bundled_model()), "--holes", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err
