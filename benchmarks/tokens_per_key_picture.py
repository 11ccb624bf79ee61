"""A picture as SVG text, without a library: dots over the keys on a logarithmic scale, legible on light and dark."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 44, 46
GREY = "#808890"
"""On white and on GitHub's dark ground it has a contrast of more than 3.5."""


class Line(NamedTuple):
    """One kind of dots."""

    name: str
    values: Sequence[int]
    colour: str


def picture(lines: Sequence[Line], title: str) -> str:
    """The whole picture; the same numbers give the same text."""
    keys = max(len(line.values) for line in lines)
    most = 10 ** math.ceil(math.log10(max(max(line.values) for line in lines) + 1))
    parts = [_text(LEFT, 20, title, 15, bold=True), *_grid(most, keys)]
    for line in lines:
        parts += _dots(line, most, keys)
    style = "font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" style="{style}" role="img">'
    return "\n".join([opening, f"<title>{escape(title)}</title>", *parts, "</svg>", ""])


def _across(key: float, keys: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * key / keys, 1)


def _up(value: float, most: int) -> float:
    share = math.log10(max(1.0, value)) / math.log10(most)
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def _grid(most: int, keys: int) -> list[str]:
    """Lines and numbers at 1, 10, 100, ..., and the keys below."""
    parts = []
    for power in range(round(math.log10(most)) + 1):
        height = _up(10**power, most)
        line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}"'
        parts.append(f'{line} stroke="{GREY}" stroke-opacity="0.35"/>')
        parts.append(_text(LEFT - 8, height + 4, f"{10**power:,}", 12, anchor="end"))
    marked = range(0, keys + 1, 100 if keys > 300 else 25)
    parts += [_text(_across(key, keys), HEIGHT - BOTTOM + 20, str(key), 12, anchor="middle") for key in marked]
    return [*parts, _text(_across(keys / 2, keys), HEIGHT - 8, "keys", 13, anchor="middle")]


def _dots(line: Line, most: int, keys: int) -> list[str]:
    """A dot a key, a line at the mean, and what it is."""
    dots = "".join(f"M{_across(key, keys)} {_up(value, most)}h0" for key, value in enumerate(line.values, 1))
    mean = statistics.fmean(line.values)
    height = _up(mean, most)
    return [
        f'<path d="{dots}" stroke="{line.colour}" stroke-width="4" stroke-linecap="round"/>',
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}" stroke="{line.colour}" stroke-width="1.5"'
        ' stroke-dasharray="6 4"/>',
        _text(WIDTH - RIGHT + 8, height - 3, line.name, 13, colour=line.colour, bold=True),
        _text(WIDTH - RIGHT + 8, height + 14, f"{mean:.1f} tokens a key", 13, colour=line.colour),
    ]


def _text(  # noqa: PLR0913  # what a text has in SVG, by name
    x: float, y: float, text: str, size: int, *, anchor: str = "start", colour: str = GREY, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'
    )
