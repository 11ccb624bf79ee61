"""Chooses what the model learns from: `python -m models.tiny.filter`.

Reads the code that `gather` left, drops what is built, tested, copied or twice there, and parts the packages (not the
files) into `train` and `held-back`. Writes `texts.jsonl`, one file to a line, and the counts in `texts.json`.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from models.tiny.data import (
    ENDINGS,
    LANGUAGES,
    RecipeError,
    begin,
    family,
    folder_name,
    fraction,
    read_json,
    say,
    step_parser,
    write_json,
    write_rows,
)  # fmt: skip
from models.tiny.licences import copyleft_header
from models.tiny.names import mentions_benchmark, refused_path
from models.tiny.near_duplicates import Seen
from models.tiny.paths import objection_to_path, objection_to_text, sources_only

HELD_BACK = 0.06
"""Share of the packages of each language that the model never sees; at least two packages each."""
FEWEST_HELD_BACK = 2
LARGEST_HELD_BACK_SHARE = 0.08
"""A package with more of its language's text than this is not held back: too much would be missing."""
BYTES_PER_LANGUAGE = {
    "python": 42_000_000, "javascript": 13_000_000, "typescript": 13_000_000, "go": 13_000_000, "rust": 13_000_000,
    "c": 11_000_000,
}  # fmt: skip
BYTES_PER_PACKAGE = 7_000_000
"""Most that one package gives, so that no project's habits rule a language."""

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = step_parser("filter", "Chooses what the demo model learns from.")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice of packages and files")
    options = parser.parse_args(arguments)
    try:
        begin(options.work)
        if (options.work / "texts.json").exists():
            say(f"{options.work / 'texts.jsonl'} is there already; remove texts.json beside it to choose anew")
            return 0
        dropped: Counter[str] = Counter()
        chosen = within_budget(candidates(options.work, dropped), options.seed)
        rows = hold_back(list(distinct(chosen, dropped)), options.seed)
        write_rows(options.work / "texts.jsonl", rows)
    except RecipeError as error:
        say(f"error: {error}")
        return 1
    write_json(options.work / "texts.json", counts(rows, dropped))
    for line in described(rows, dropped):
        say(line)
    return 0


def candidates(work: Path, dropped: Counter[str]) -> Iterator[Row]:
    """The files of all packages in the order of the manifest that nothing speaks against."""
    for entry in read_json(work / "manifest.json", []):
        folder = work / "sources" / entry["ecosystem"] / folder_name(entry["name"])
        paths = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
        for path in sources_only(paths) if entry["ecosystem"] == "npm" else paths:
            reason = objection_to_path(path) or ("refused name" if refused_path(path) else "")
            text = "" if reason else _text_of(folder / path)
            reason = reason or objection_to_text(text) or ("licence" if copyleft_header(text) else "")
            reason = reason or ("refused name" if mentions_benchmark(text) else "")
            if reason:
                dropped[reason] += 1
                continue
            package = f"{entry['ecosystem']}/{entry['name']}"
            language = ENDINGS[path.rpartition(".")[2].lower()]
            yield {"path": path, "package": package, "language": language, "licence": entry["licence"], "text": text}


def distinct(rows: Iterable[Row], dropped: Counter[str]) -> Iterator[Row]:
    """Leaves out what is the same, or nearly the same, as a file before."""
    exact: set[int] = set()
    near: dict[str, Seen] = defaultdict(Seen)
    for number, row in enumerate(rows):
        mark = hash(row["text"])  # two texts of one run of the program
        if mark in exact:
            dropped["the same as another"] += 1
            continue
        exact.add(mark)
        if near[family(row["language"])].twin_of(str(number), row["text"]):
            dropped["nearly the same as another"] += 1
            continue
        yield row


def within_budget(rows: Iterable[Row], seed: int) -> list[Row]:
    """Files drawn by chance until a language or a package has its fill, back in their order."""
    numbered = sorted(enumerate(rows), key=lambda item: fraction(seed, item[1]["package"], item[1]["path"]))
    per_language: Counter[str] = Counter()
    per_package: Counter[str] = Counter()
    kept = []
    for number, row in numbered:
        size, language = len(row["text"].encode()), family(row["language"])
        if per_package[row["package"]] + size > BYTES_PER_PACKAGE:
            continue
        if per_language[language] + size > BYTES_PER_LANGUAGE[language]:
            continue
        per_package[row["package"]] += size
        per_language[language] += size
        kept.append((number, row))
    return [row for _, row in sorted(kept, key=lambda item: item[0])]


def hold_back(rows: list[Row], seed: int) -> list[Row]:
    """Gives each row its part. A package is held back whole, in all its languages."""
    held = {package for language in LANGUAGES for package in _held_back_of(rows, language, seed)}
    return [{**row, "split": "held-back" if row["package"] in held else "train"} for row in rows]


def _held_back_of(rows: list[Row], language: str, seed: int) -> list[str]:
    sizes: Counter[str] = Counter()
    for row in rows:
        if family(row["language"]) == language:
            sizes[row["package"]] += len(row["text"])
    most = LARGEST_HELD_BACK_SHARE * sum(sizes.values())
    real = [package for package, size in sizes.items() if 50_000 <= size <= most]
    wanted = max(FEWEST_HELD_BACK, round(HELD_BACK * len(sizes)))
    return sorted(real, key=lambda package: fraction(seed, "held-back", package))[:wanted]


def counts(rows: list[Row], dropped: Counter[str]) -> Row:
    """Files and bytes by language, licence and part, for the model card."""
    by_language: dict[str, Counter[str]] = defaultdict(Counter)
    by_licence: Counter[str] = Counter()
    for row in rows:
        size = len(row["text"].encode())
        by_language[family(row["language"])].update({f"{row['split']} files": 1, f"{row['split']} bytes": size})
        by_licence[row["licence"]] += size
    held = sorted({row["package"] for row in rows if row["split"] == "held-back"})
    return {"languages": by_language, "licence bytes": by_licence, "held back": held, "dropped": dropped}


def described(rows: list[Row], dropped: Counter[str]) -> list[str]:
    """The counts in words."""
    told = counts(rows, dropped)
    lines = [
        f"{language}: {count['train bytes'] / 1e6:.1f} MB in {count['train files']} files to learn from,"
        f" {count['held-back bytes'] / 1e6:.1f} MB in {count['held-back files']} files held back"
        for language, count in told["languages"].items()
    ]
    return [*lines, "held back: " + ", ".join(told["held back"]), f"dropped: {dict(dropped)}"]


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").replace("\r\n", "\n").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
