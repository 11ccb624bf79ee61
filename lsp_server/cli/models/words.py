"""Sizes, questions and options that several subcommands share."""

from __future__ import annotations

import sys

from lsp_server.errors import CompletionError


def gigabytes(size_bytes: int, estimate: bool = False) -> str:
    """`11.2 GB`, `0.99 GB`, `5.9 MB`; an estimate begins with `~`."""
    if size_bytes < 50_000_000:
        text = f"{size_bytes / 1e6:.1f} MB"
    else:
        text = f"{size_bytes / 1e9:.{1 if size_bytes >= 9_950_000_000 else 2}f} GB"
    return f"~{text}" if estimate else text


def memory_verdict(needed_bytes: int, budget_bytes: int) -> str:
    """Whether a model fits, in words; nothing forbids one that does not."""
    verdict = "fits" if needed_bytes <= budget_bytes else "does NOT fit: it will be slow, or not load at all"
    return f"{gigabytes(needed_bytes)} of the {gigabytes(budget_bytes)} that a model may take here: {verdict}"


def confirmed(question: str, yes: bool) -> bool:
    """Whether the user wants it; asks on the terminal unless `--yes` was given.

    Raises:
        CompletionError: nobody can be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise CompletionError("This needs a yes, and nobody can be asked here: add `--yes`.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
