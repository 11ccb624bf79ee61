"""From measured speed to where suggestions come, and how long they may take."""

from __future__ import annotations

import pytest

from lsp_server.outcome import Times, TokenCounts
from lsp_server.pace import Speed, deadline_ms, is_at_line_end, is_worth_asking, pause_ms
from lsp_server.settings import Settings
from tests.marked import snapshot

AUTO = Settings()


class Clock:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def speed(*answers: tuple[int, float], clock: Clock | None = None, prompt: int = 0, prefill_ms: float = 0.0) -> Speed:
    """After answers of so many tokens in so many milliseconds."""
    found = Speed(clock or Clock())
    for tokens, ms in answers:
        found.observe(TokenCounts(prompt, 0, prompt, tokens), Times(0.0, prefill_ms, ms))
    return found


def test_a_line_takes_what_its_tokens_take() -> None:
    """Ten tokens at 20 a second, and four prompt tokens that cost no more than generated ones."""
    assert speed(*[(10, 500.0)] * 3).line_ms == pytest.approx(700)
    assert speed(*[(10, 500.0)] * 3, prompt=100, prefill_ms=1000.0).line_ms == pytest.approx(540)


def test_nothing_is_predicted_from_the_first_answers() -> None:
    """Weights still come from the disk then."""
    assert speed((10, 60_000.0), (10, 500.0)).line_ms is None
    assert speed().suffix_tokens is None


def test_the_past_is_forgotten() -> None:
    """A slow start counts for nothing after a while."""
    assert speed((10, 60_000.0), *[(10, 100.0)] * 40).line_ms == pytest.approx(140, rel=0.2)


def test_old_measurements_are_not_believed() -> None:
    """Where nothing is asked nothing is measured: after five minutes it is tried again."""
    clock = Clock()
    found = speed(*[(10, 50_000.0)] * 5, clock=clock)
    assert not is_worth_asking(snapshot("a = (█"), AUTO, found.line_ms)
    clock.s += 301
    assert is_worth_asking(snapshot("a = (█"), AUTO, found.line_ms)
    found.observe(TokenCounts(generated=10), Times(0.0, 0.0, 100.0))
    assert found.line_ms is None
    for _ in range(2):
        found.observe(TokenCounts(generated=10), Times(0.0, 0.0, 100.0))
    assert found.line_ms == pytest.approx(140)


@pytest.mark.parametrize(("rate", "tokens"), [(10, 64), (40, 64), (100, 150), (10_000, 256)])
def test_the_suffix_takes_a_second_and_a_half(rate: int, tokens: int) -> None:
    """Within bounds."""
    assert speed((0, 0.0), prompt=rate, prefill_ms=1000.0).suffix_tokens == (tokens if rate >= 32 else None)


def test_short_prompts_tell_nothing_about_reading() -> None:
    """A key evaluates two tokens; that is the price of a call."""
    assert speed((5, 50.0), prompt=2, prefill_ms=50.0).prefill_tokens_per_s is None


@pytest.mark.parametrize(
    ("marked", "at_line_end"),
    [
        ("█", True),
        ("    █\n", True),
        ("total = █\n", True),
        ("f(█)\n", True),
        ("f(a, █);\n", True),
        ("retur█\n", False),
        ("a_█\n", False),
        ("x = █y\n", False),
    ],
)
def test_ends_of_lines(marked: str, at_line_end: bool) -> None:
    """Nothing but closers follows, and no word is being written."""
    assert is_at_line_end(snapshot(marked)) is at_line_end


@pytest.mark.parametrize(
    ("line_ms", "setting", "inside", "at_end"),
    [
        (None, "auto", True, True),
        (399.0, "auto", True, True),
        (400.0, "auto", False, True),
        (1500.0, "auto", False, True),
        (1501.0, "auto", False, False),
        (9000.0, "everywhere", True, True),
        (9000.0, "lineEnds", False, True),
        (1.0, "lineEnds", False, True),
        (1.0, "key", False, False),
    ],
)
def test_where_suggestions_come(line_ms: float | None, setting: str, inside: bool, at_end: bool) -> None:
    """Fast machines everywhere, slower ones at line ends, the slowest by key; a setting wins over all."""
    settings = Settings(suggest_at=setting)
    assert is_worth_asking(snapshot("retur█"), settings, line_ms) is inside
    assert is_worth_asking(snapshot("return █"), settings, line_ms) is at_end


@pytest.mark.parametrize(
    ("line_ms", "read", "limit_ms"),
    [(None, True, 2000), (100.0, True, 500), (1000.0, True, 1300), (9000.0, True, 2000), (100.0, False, 2000)],
)
def test_deadlines(line_ms: float | None, read: bool, limit_ms: float) -> None:
    """1.3 times a line, from half a second to two; a prompt that must be read as a whole gets them all."""
    assert deadline_ms(AUTO, line_ms, prompt_is_read=read) == limit_ms
    assert deadline_ms(Settings(deadline_ms=70), line_ms, prompt_is_read=read) == 70


@pytest.mark.parametrize(("line_ms", "wait_ms"), [(None, 0), (99.0, 0), (200.0, 50), (5000.0, 150)])
def test_pauses(line_ms: float | None, wait_ms: float) -> None:
    """Fast machines need none."""
    assert pause_ms(AUTO, line_ms) == wait_ms
    assert pause_ms(Settings(pause_ms=30), line_ms) == 30
    assert pause_ms(Settings(pause_ms=0), line_ms) == 0
