"""Sizes, and how far a download is."""

from __future__ import annotations

import io
import time

import pytest

from lsp_server.cli.models import words
from lsp_server.cli.models.progress_bar import ProgressBar, line


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0.0 MB"), (5_914_272, "5.9 MB"), (49_999_999, "50.0 MB"), (50_000_000, "0.05 GB"), (986_000_000, "0.99 GB"),
     (9_300_000_000, "9.30 GB"), (9_960_000_000, "10.0 GB"), (11_173_146_336, "11.2 GB")],
)  # fmt: skip
def test_sizes(size_bytes: int, text: str) -> None:
    """Three digits are enough."""
    assert words.gigabytes(size_bytes) == text
    assert words.gigabytes(size_bytes, estimate=True) == f"~{text}"


@pytest.mark.parametrize(
    ("arrived", "speed", "text"),
    [
        (0, 0, "[                        ]  0.0%  0.00 of 8.00 GB"),
        (2 * 10**9, 10**8, "[######                  ] 25.0%  2.00 of 8.00 GB  100.0 MB/s  60 s"),
        (4 * 10**9, 10**7, "[############            ] 50.0%  4.00 of 8.00 GB  10.0 MB/s  7 min"),
        (4 * 10**9, 10**5, "[############            ] 50.0%  4.00 of 8.00 GB  0.1 MB/s  11 h 7 min"),
        (8 * 10**9, 10**7, "[########################] 100.0%  8.00 of 8.00 GB  10.0 MB/s  0 s"),
    ],
)
def test_progress(arrived: int, speed: float, text: str) -> None:
    """How far, how fast, how long."""
    assert line(arrived, 8 * 10**9, speed) == text


def test_a_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on a terminal, drawn again a few times a second; sentences stay. Nothing is drawn into a file."""
    clock_s = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock_s[0])
    terminal, file = io.StringIO(), io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    for stream in (terminal, file):
        bar = ProgressBar(stream)
        for clock_s[0], arrived in ((1, 0), (1.1, 10), (2, 10**8), (3, 2 * 10**8)):
            bar.show(arrived, 10**9)
        bar.say("The connection broke.")
        bar.clear()
    drawn = terminal.getvalue().split("\r\033[K")[1:]
    assert [text.partition("]")[2].split()[0] for text in drawn[:3]] == ["0.0%", "10.0%", "20.0%"]
    assert drawn[2].endswith("100.0 MB/s  8 s")
    assert drawn[3:] == ["The connection broke.\n", ""]
    assert file.getvalue() == "The connection broke.\n"
