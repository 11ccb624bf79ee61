"""Draws the loss of a training run: `python -m models.tiny.curve --output loss.svg`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.tiny.train_options import WORK_FOLDER

SMOOTHED = 0.9


class Line(NamedTuple):
    """One line of a picture."""

    name: str
    across: Sequence[float]
    up: Sequence[float]


def draw(lines: Iterable[Line], path: Path, labels: tuple[str, str]) -> None:
    """Writes a picture whose bytes are the same for the same numbers."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "ling-coder-lsp"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for line in lines:
        axes.plot(line.across, line.up, label=line.name, marker="o" if len(line.up) < 30 else None, markersize=3)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def lines_of(log: Path) -> list[Line]:
    """The losses over the tokens seen, in millions."""
    with log.open(encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    return [
        _line("learned from (smoothed)", "loss", entries, SMOOTHED),
        _line("held back", "held_back", entries),
        _line("held back, middles", "middle", entries),
    ]


def _line(name: str, key: str, entries: list[dict[str, Any]], smoothed: float = 0.0) -> Line:
    chosen = [entry for entry in entries if key in entry]
    values: list[float] = []
    for entry in chosen:
        values.append(smoothed * values[-1] + (1 - smoothed) * entry[key] if values else entry[key])
    return Line(name, [entry["tokens"] / 1e6 for entry in chosen], values)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.tiny.curve", description="Draws the loss of a training.")
    parser.add_argument("--log", type=Path, default=WORK_FOLDER / "log.jsonl", metavar="FILE")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        draw(lines_of(options.log), options.output, ("million tokens seen", "loss, nats per token"))
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
