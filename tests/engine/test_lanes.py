"""Plans against a simulated cache that does exactly what the module says, over random prompts that share beginnings."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lsp_server.engine.lanes import Lane, Plan, common_prefix_length, plan

CELLS, SEQUENCES, RESERVE = 20, 3, 2
BEGINNINGS = ((), (1, 2, 3, 4), (1, 2, 3, 4, 5, 6, 7), (1, 2, 9))

prompts = st.builds(
    lambda beginning, rest: (*beginning, *rest),
    st.sampled_from(BEGINNINGS),
    st.lists(st.integers(1, 9), min_size=1, max_size=CELLS - RESERVE - 7),
)


class Cache(RuleBasedStateMachine):
    """`cells` is the cache as llama.cpp would hold it; `lanes` is what we believe of it."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: dict[int, list[int]] = {}
        self.lanes: dict[str, Lane] = {}
        self.clock = 0

    @rule(name=st.sampled_from("abcde"), prompt=prompts, generated=st.lists(st.integers(1, 9), max_size=RESERVE))
    def use(self, name: str, prompt: tuple[int, ...], generated: list[int]) -> None:
        before = dict(self.lanes)
        made = plan(self.lanes, name, prompt, RESERVE, CELLS, SEQUENCES)
        self.check_choice(made, name, prompt, before)
        self.apply(made, name)
        cell = self.cells[made.sequence]
        assert cell == list(prompt[: made.keep]), "the lane holds exactly a beginning of the prompt"
        assert made.keep < len(prompt), "the last token is always evaluated"
        cell += [*prompt[made.keep :], *generated]
        self.clock += 1
        self.lanes[name] = Lane(made.sequence, tuple(cell), self.clock)

    def apply(self, made: Plan, name: str) -> None:
        for gone in made.evict:
            del self.cells[self.lanes.pop(gone).sequence]
        assert name in self.lanes or made.sequence not in self.cells, "a new lane never takes a used sequence"
        own = self.cells.setdefault(made.sequence, [])
        own[:] = own[: made.keep] if made.copy_from is None else self.cells[made.copy_from][: made.keep]

    def check_choice(self, made: Plan, name: str, prompt: tuple[int, ...], before: dict[str, Lane]) -> None:
        """The longest beginning that is there is used, and only the oldest lanes go, and no more than must."""
        survivors = {other: lane for other, lane in before.items() if other not in made.evict}
        shared = max((common_prefix_length(lane.tokens, prompt) for lane in survivors.values()), default=0)
        assert made.keep == min(shared, len(prompt) - 1)
        assert name not in made.evict
        self.check_eviction(made, name, prompt, before)

    def check_eviction(self, made: Plan, name: str, prompt: tuple[int, ...], before: dict[str, Lane]) -> None:
        others = {other: lane for other, lane in before.items() if other != name}
        source = {other for other, lane in others.items() if lane.sequence == made.copy_from}
        oldest = sorted(others.keys() - source, key=lambda other: others[other].last_used)
        free = [other for other in made.evict if other in oldest]
        assert free == oldest[: len(free)] or len(made.evict) == len(others)
        if made.evict:
            stay = [lane for other, lane in others.items() if other not in made.evict[:-1]]
            held = sum(len(lane.tokens) for lane in stay)
            assert held + len(prompt) + RESERVE > CELLS or len(stay) > SEQUENCES - 1, "one too many was evicted"

    @invariant()
    def what_we_believe_is_what_is_there(self) -> None:
        assert {lane.sequence: list(lane.tokens) for lane in self.lanes.values()} == self.cells
        assert sum(map(len, self.cells.values())) <= CELLS
        assert len(self.cells) <= SEQUENCES
        assert set(self.cells) <= set(range(SEQUENCES))


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=25)


def test_typing_evaluates_only_what_was_typed() -> None:
    """The lane's own tokens are kept."""
    lanes = {"a": Lane(0, (1, 2, 3), 1)}
    assert plan(lanes, "a", (1, 2, 3, 4), 0, 100, 2) == Plan(0, 3)


def test_the_same_prompt_again_evaluates_one_token() -> None:
    """Its logits choose the first new token."""
    lanes = {"a": Lane(0, (1, 2, 3, 7, 7), 1)}
    assert plan(lanes, "a", (1, 2, 3), 0, 100, 2) == Plan(0, 2)


def test_a_longer_beginning_elsewhere_is_copied() -> None:
    """Also over a shorter one of the lane's own, and its lane goes last."""
    lanes = {"a": Lane(0, (1, 2), 3), "b": Lane(1, (1, 2, 3, 4), 1), "c": Lane(2, (9,), 2)}
    assert plan(lanes, "a", (1, 2, 3, 4, 5), 0, 9, 3) == Plan(0, 4, copy_from=1, evict=("c",))


def test_the_oldest_goes_first() -> None:
    """Not the first that was made."""
    lanes = {"a": Lane(0, (5,), 2), "b": Lane(1, (6,), 1)}
    assert plan(lanes, "c", (1,), 0, 100, 2) == Plan(1, 0, evict=("b",))
    assert plan({**lanes, "a": replace(lanes["a"], last_used=0)}, "c", (1,), 0, 100, 2) == Plan(0, 0, evict=("a",))


def test_a_source_that_must_go_is_not_copied() -> None:
    """Where the prompt needs the whole pool, nothing is shared."""
    lanes = {"a": Lane(0, (1, 2, 3), 1)}
    assert plan(lanes, "b", (1, 2, 3, 4), 0, 5, 2) == Plan(0, 0, evict=("a",))
