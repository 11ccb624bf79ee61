"""Single-line holes in held-back packages, for the evaluation (cf. SantaCoder, arXiv 2301.03988, section 4.3)."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

from models.tiny.data import LANGUAGES, family

HOLES = 1200
PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 6000, 1500
FEWEST_CHARACTERS = 3
"""A line of one closing bracket is no question."""

Row = dict[str, Any]


def evaluation_holes(rows: list[Row], count: int, seed: int) -> list[Row]:
    """Equally many holes for each language, and within a language for each package, as far as there are files."""
    chance = Random(seed)
    holes = []
    for language in LANGUAGES:
        by_package: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if family(row["language"]) == language:
                by_package[row["package"]].append(row)
        for number in range(count // len(LANGUAGES) if by_package else 0):
            package = sorted(by_package)[number % len(by_package)]
            if hole := _hole(chance.choice(by_package[package]), chance):
                holes.append(hole)
    return holes


def _hole(row: Row, chance: Random) -> Row | None:
    """A line, cut at its indentation or anywhere; the middle goes to the end of the line."""
    lines = row["text"].split("\n")
    full = [number for number, line in enumerate(lines) if len(line.strip()) >= FEWEST_CHARACTERS]
    if not full:
        return None
    number = chance.choice(full)
    line = lines[number].rstrip()
    indentation = len(line) - len(line.lstrip())
    at = indentation if chance.random() < 0.5 else chance.randint(indentation, len(line) - 1)
    before = "\n".join([*lines[:number], line[:at]])
    after = "\n" + "\n".join(lines[number + 1 :])
    return {
        "path": row["path"], "package": row["package"], "language": row["language"],
        "prefix": _whole_lines(before), "middle": line[at:], "suffix": after[:SUFFIX_CHARACTERS],
    }  # fmt: skip


def _whole_lines(before: str) -> str:
    """The last characters, from the beginning of a line on."""
    if len(before) <= PREFIX_CHARACTERS:
        return before
    cut = before[-PREFIX_CHARACTERS:]
    return cut.partition("\n")[2] if "\n" in cut else cut
