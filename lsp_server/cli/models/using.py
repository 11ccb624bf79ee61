"""`ling-coder-lsp models use`: chooses the model for wherever `lingCoder.model` is empty."""

from __future__ import annotations

import argparse
import json
import sys

from lsp_server.cli.models.words import memory_verdict
from lsp_server.model_store.changes import choose
from lsp_server.model_store.fit import budget_bytes, memory_now
from lsp_server.model_store.folders import choice_file
from lsp_server.model_store.inspection import inspect_file


def run(arguments: argparse.Namespace) -> int:
    """Write the choice down.

    Raises:
        CompletionError: the model is not here, or the choice cannot be written.
    """
    chosen, path = choose(arguments.model)
    needed, budget = inspect_file(path).memory_bytes, budget_bytes(memory_now())
    if needed > budget:
        print(f"It needs {memory_verdict(needed, budget)}.", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"model": chosen, "path": str(path), "written_to": str(choice_file())}))
    else:
        print(f"The server takes {chosen} from its next start on, where `lingCoder.model` is empty.")
    return 0
