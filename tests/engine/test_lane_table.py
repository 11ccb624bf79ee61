"""The table of lanes says what the cache really holds."""

from __future__ import annotations

import pytest

from lsp_server.engine.lane_table import LaneTable
from lsp_server.engine.model import DecodeResult
from tests.engine.fake_model import FakeModel


def put(table: LaneTable, model: FakeModel, name: str, tokens: tuple[int, ...]) -> None:
    """Evaluate what the lane does not have of `tokens`."""
    lane = table.enter(name, tokens, 0)
    start = len(lane.tokens)
    assert model.decode(lane.sequence, tokens[start:], start, logits=False) is DecodeResult.DONE
    table.extend(name, tokens[start:])


def held(table: LaneTable, name: str) -> tuple[int, ...] | None:
    """What the table says of a lane."""
    lane = table.lane(name)
    return lane.tokens if lane else None


def check(table: LaneTable, model: FakeModel, *names: str) -> None:
    """These lanes exist, hold what the table says, and no other sequence holds anything."""
    lanes = [lane for name in names if (lane := table.lane(name)) is not None]
    assert len(lanes) == len(names)
    assert {lane.sequence: lane.tokens for lane in lanes if lane.tokens} == model.contents()


@pytest.fixture
def model() -> FakeModel:
    return FakeModel(cells=20, sequences=3)


@pytest.fixture
def table(model: FakeModel) -> LaneTable:
    return LaneTable(model, 20, 3)


def test_the_same_lane_keeps_the_common_beginning(model: FakeModel, table: LaneTable) -> None:
    """What differs is cut, what is the same stays."""
    put(table, model, "a", (1, 2, 3, 4))
    assert table.enter("a", (1, 2, 7, 8), 0).tokens == (1, 2)
    check(table, model, "a")


def test_a_new_lane_copies_the_beginning_of_another(model: FakeModel, table: LaneTable) -> None:
    """Shared cells are not paid for twice."""
    put(table, model, "a", (1, 2, 3, 4))
    put(table, model, "b", (1, 2, 3, 9))
    assert model.used_cells() == 5
    check(table, model, "a", "b")


def test_a_lane_that_changes_over_to_a_longer_beginning_is_emptied_first(model: FakeModel, table: LaneTable) -> None:
    """llama.cpp copies into an empty sequence only."""
    put(table, model, "a", (1, 2, 3, 4))
    put(table, model, "b", (1, 7, 7))
    assert table.enter("b", (1, 2, 3, 4, 5), 0).tokens == (1, 2, 3, 4)
    check(table, model, "a", "b")


def test_cutting_one_lane_leaves_the_cells_of_its_copy(model: FakeModel, table: LaneTable) -> None:
    """A copy lives on when its source goes."""
    put(table, model, "a", (1, 2, 3, 4))
    put(table, model, "b", (1, 2, 3, 9))
    table.forget("a")
    check(table, model, "b")
    assert held(table, "b") == (1, 2, 3, 9)


def test_the_oldest_lanes_make_room(model: FakeModel, table: LaneTable) -> None:
    """Both kinds of room: cells, and sequences."""
    put(table, model, "a", (1,) * 8)
    put(table, model, "b", (2,) * 8)
    put(table, model, "c", (3,) * 10)
    check(table, model, "b", "c")
    put(table, model, "d", (4,))
    put(table, model, "e", (5,))
    check(table, model, "c", "d", "e")


def test_a_lane_is_another_object_after_each_change(model: FakeModel, table: LaneTable) -> None:
    """A generation sees by that whether somebody else used its lane."""
    put(table, model, "a", (1, 2, 3))
    seen = [table.lane("a")]
    table.enter("a", (1, 2, 3, 4), 0)
    seen.append(table.lane("a"))
    table.shorten("a", 1)
    seen.append(table.lane("a"))
    put(table, model, "b", (1, 5))
    assert table.lane("a") is seen[-1]
    assert len({id(lane) for lane in seen}) == 3


def test_an_aborted_call_that_left_nothing_changes_nothing(model: FakeModel, table: LaneTable) -> None:
    """The same object, so that the lane is not planned anew."""
    put(table, model, "a", (1, 2, 3))
    before = table.lane("a")
    table.shorten("a", 3)
    assert table.lane("a") is before


def test_what_an_aborted_call_left_beyond_the_table_is_cut(model: FakeModel, table: LaneTable) -> None:
    """Tokens that nobody noted are not trusted."""
    put(table, model, "a", (1, 2, 3))
    lane = table.lane("a")
    assert lane is not None
    model.leftover_of_aborted = 2
    model.request_abort()
    assert model.decode(lane.sequence, (4, 5, 6), 3, logits=False) is DecodeResult.ABORTED
    table.shorten("a", model.filled(lane.sequence))
    assert held(table, "a") == (1, 2, 3)
    check(table, model, "a")


def test_what_an_aborted_call_lost_is_noted(model: FakeModel, table: LaneTable) -> None:
    """Cells that are gone are not counted on."""
    put(table, model, "a", (1, 2, 3))
    table.shorten("a", 1)
    assert held(table, "a") == (1,)
    check(table, model, "a")


def test_forgetting_an_owner_leaves_all_others(model: FakeModel, table: LaneTable) -> None:
    """Owner 1 is not owner 11."""
    for name in ("1:a", "11:a", "1:b"):
        put(table, model, name, (1, 2))
    table.forget_owner("1:")
    check(table, model, "11:a")


def test_forgetting_all_others_keeps_one(model: FakeModel, table: LaneTable) -> None:
    """The last resort leaves the lane that is being filled."""
    for name in ("a", "b", "c"):
        put(table, model, name, (1, 2, len(name)))
    table.forget_others("b")
    check(table, model, "b")


def test_forgetting_what_is_not_there_is_nothing(model: FakeModel, table: LaneTable) -> None:
    """A lane may be gone already."""
    table.forget("nobody")
    table.forget_owner("nobody")
    check(table, model)
