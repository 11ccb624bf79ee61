"""`ling-coder-lsp models inspect`: what a model file says about itself."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import Any

from lsp_server.cli.models.words import gigabytes, memory_verdict
from lsp_server.model_store.fit import budget_bytes, memory_now
from lsp_server.model_store.inspection import Inspection, TensorKind, inspect_file
from lsp_server.model_store.locate import locate_model
from lsp_server.model_store.special_tokens import SpecialToken


def run(arguments: argparse.Namespace) -> int:
    """Print it; 1 where the file is incomplete.

    Raises:
        CompletionError: there is no such file, or it is no GGUF.
    """
    found = inspect_file(locate_model(arguments.model))
    budget = budget_bytes(memory_now())
    print(json.dumps(as_json(found, budget)) if arguments.json else as_text(found, budget))
    if not found.missing_bytes:
        return 0
    print(
        f"ling-coder-lsp: {found.path} is incomplete: {found.missing_bytes:,} bytes are missing. Download it again.",
        file=sys.stderr,
    )
    return 1


def as_json(found: Inspection, budget: int) -> dict[str, Any]:
    """The object that `--json` prints; `budget` is what a model may take here, in bytes."""
    derived = {
        "can_fill_in": found.can_fill_in,
        "memory_bytes": found.memory_bytes,
        "fits": found.memory_bytes <= budget,
    }
    return {**dataclasses.asdict(found), "path": str(found.path), **derived}


def as_text(found: Inspection, budget: int) -> str:
    """The same for people."""
    facts = [
        ("file", str(found.path)),
        ("size", f"{gigabytes(found.file_bytes)} ({found.file_bytes:,} bytes)"),
        ("name", found.name or "not named"),
        ("architecture", found.architecture or "not named"),
        ("licence", found.licence or "not named"),
        ("parameters", _parameters(found)),
        ("shape", ", ".join(f"{word.replace('_', ' ')} {value:,}" for word, value in found.shape.items())),
        ("context", f"{found.context_tokens:,} tokens"),
        ("memory", memory_verdict(found.memory_bytes, budget)),
        (
            "",
            f"{found.kv_bytes_per_token / 1024:g} KiB of it for each token of context, at the default number of cells",
        ),
        ("fills in", "yes" if found.can_fill_in else "names no tokens for it: used prefix-only"),
        ("chat template", "yes" if found.has_chat_template else "no"),
        ("quantization", found.quantization or "not named"),
    ]
    if found.split_files > 1:
        facts.append(("files", f"one of {found.split_files}: the others must lie beside it"))
    lines = [f"{name:<14}{value}" for name, value in facts]
    lines += [f"  {_kind(kind)}" for kind in found.kinds]
    return "\n".join([*lines, "tokens", *(f"  {_token(token)}" for token in found.tokens)])


def _parameters(found: Inspection) -> str:
    total = _billions(found.parameters)
    if found.active_parameters == found.parameters:
        return total
    return f"{total}, {_billions(found.active_parameters)} of them active for each token"


def _billions(count: int) -> str:
    return f"{count / 1e9:.2f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"


def _kind(kind: TensorKind) -> str:
    types = ", ".join(f"{name} x {count}" for name, count in kind.types.items())
    return f"{kind.name:<20}{types:<24}{gigabytes(kind.size_bytes):>9}"


def _token(token: SpecialToken) -> str:
    return f"{token.role:<16}{token.id:>7}  {token.text}"
