"""The evaluation's figures: tables for the model card, a picture, and a few completions to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.tiny.evaluate import Answer

WANTED_PRECISION = 0.4
"""Share of exact lines among those shown, at which a demonstration is worth looking at."""
FEWEST_SHOWN = 10
"""Of so few lines a share means nothing."""
THRESHOLDS = (-0.05, -0.1, -0.15, -0.2, -0.3, -0.4, -0.5, -0.7, -1.0, -1.5, -2.0)
SAMPLES = 10


def write_report(answers: Sequence[Answer], folder: Path) -> str:
    """Writes `summary.json`, `tables.md`, `samples.txt` and `confidence.svg`; returns the tables."""
    summary = summarize(answers)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    tables = f"{_language_table(summary)}\n\n{_threshold_table(summary)}\n"
    (folder / "tables.md").write_text(tables, encoding="utf-8")
    (folder / "samples.txt").write_text(_samples(answers), encoding="utf-8")
    _picture(summary["by_confidence"], folder / "confidence.svg")
    return tables


def summarize(answers: Sequence[Answer]) -> dict[str, Any]:
    """All figures."""
    languages = sorted({answer.language for answer in answers})
    rows = {name: _figures([answer for answer in answers if answer.language == name]) for name in languages}
    by_confidence = [_shown_at(answers, threshold) for threshold in THRESHOLDS]
    return {
        "languages": rows,
        "all": _figures(answers),
        "by_confidence": by_confidence,
        "threshold": threshold_for(answers, WANTED_PRECISION),
    }


def _figures(answers: Sequence[Answer]) -> dict[str, float]:
    count = len(answers)
    return {
        "holes": count,
        "exact": round(sum(answer.exact for answer in answers) / count, 4),
        "copy_exact": round(sum(answer.copy_exact for answer in answers) / count, 4),
        "loss_per_token": round(sum(a.loss for a in answers) / sum(a.line_tokens for a in answers), 3),
        "prompt_tokens": round(sum(answer.prompt_tokens for answer in answers) / count),
    }


def _shown_at(answers: Sequence[Answer], threshold: float) -> dict[str, float]:
    """What happens if only lines of at least this confidence are shown. Empty lines never are."""
    shown = [answer for answer in answers if answer.model.strip() and answer.line_logprob >= threshold]
    exact = sum(answer.exact for answer in shown)
    copied = sum(answer.copy_exact for answer in shown)
    return {
        "threshold": threshold,
        "shown": len(shown),
        "share_shown": round(len(shown) / len(answers), 4),
        "precision": round(exact / len(shown), 4) if shown else 0.0,
        "copy_precision": round(copied / len(shown), 4) if shown else 0.0,
    }


def threshold_for(answers: Sequence[Answer], precision: float) -> dict[str, float] | None:
    """The lowest confidence from which on so large a share is exact; `None` if there is none."""
    shown = sorted((a for a in answers if a.model.strip()), key=lambda answer: -answer.line_logprob)
    best = None
    exact = 0
    for number, answer in enumerate(shown, start=1):
        exact += answer.exact
        if number >= FEWEST_SHOWN and exact >= precision * number:
            best = answer.line_logprob
    return None if best is None else _shown_at(answers, best)


def _language_table(summary: dict[str, Any]) -> str:
    lines = ["| language | holes | exact | by copying | nats per token |", "|---|---:|---:|---:|---:|"]
    for name, row in [*summary["languages"].items(), ("all", summary["all"])]:
        lines.append(
            f"| {name} | {row['holes']} | {row['exact']:.1%} | {row['copy_exact']:.1%} | {row['loss_per_token']:.2f} |"
        )
    return "\n".join(lines)


def _threshold_table(summary: dict[str, Any]) -> str:
    lines = [
        "| shown from a mean log-probability of | lines shown | share of holes | exact | by copying, same holes |",
        "|---:|---:|---:|---:|---:|",
    ]
    chosen = [summary["threshold"]] if summary["threshold"] else []
    for row in sorted([*summary["by_confidence"], *chosen], key=lambda row: -row["threshold"]):
        mark = "**" if row in chosen else ""
        lines.append(
            f"| {mark}{row['threshold']:.3g}{mark} | {row['shown']} | {row['share_shown']:.1%}"
            f" | {row['precision']:.1%} | {row['copy_precision']:.1%} |"
        )
    return "\n".join(lines)


def _samples(answers: Sequence[Answer]) -> str:
    """Some completions, evenly from the most confident one to the least."""
    written = (answer for answer in answers if answer.model.strip())
    ranked = sorted(written, key=lambda answer: -answer.line_logprob)
    picked = [ranked[place * (len(ranked) - 1) // (SAMPLES - 1)] for place in range(min(SAMPLES, len(ranked)))]
    return "\n".join(
        f"{answer.language}, confidence {answer.line_logprob:.2f}, {'exact' if answer.exact else 'not exact'}\n"
        f"  before  {answer.before.rpartition(chr(10))[2]!r}\n  wanted  {answer.wanted!r}\n  written {answer.model!r}\n"
        for answer in picked
    )


def _picture(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Precision against the share of holes at which something is shown."""
    from models.tiny.curve import Line, draw

    shares = [row["share_shown"] for row in rows if row["shown"]]
    model = [row["precision"] for row in rows if row["shown"]]
    copied = [row["copy_precision"] for row in rows if row["shown"]]
    lines = [Line("model", shares, model), Line("copying, same holes", shares, copied)]
    draw(lines, path, ("share of holes with a suggestion", "share of suggestions that are exact"))
