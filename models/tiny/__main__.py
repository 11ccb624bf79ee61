"""The command `python -m models.tiny --output FILE [--seed N] [--no-fim]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from models.gguf_file import ModelWriteError
from models.tiny import write_tiny


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        size = write_tiny(options.output, seed=options.seed, fim=options.fim)
    except ModelWriteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {size / 1e6:.2f} MB", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.tiny", description="Writes a tiny model with random weights, for tests and demo."
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N")
    parser.add_argument(
        "--no-fim", dest="fim", action="store_false", help="reserved tokens in place of the fill-in-the-middle markers"
    )
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number of 0 or more, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
