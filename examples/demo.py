"""A completion from the real server, as an editor gets it: LSP over stdin and stdout, nothing leaves the machine.

    python examples/demo.py [--engine ENGINE] [--model PATH]

Opens `shopping.py` without its marked word, asks for a suggestion there, types four characters and asks again: what is
typed along is answered without the model, anything else finds nearly all of its prompt evaluated already.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

from lsp_server.errors import CompletionError
from lsp_server.protocol.driver import Editor

FILE = Path(__file__).resolve().parent / "shopping.py"
MARK = re.compile(r"\S+ +# <- here")
"""The last word of one line."""

TYPED = "anno"
LINES_AROUND = 4


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(description="Complete a place in examples/shopping.py with the real server.")
    parser.add_argument("--engine", help="as for `ling-coder-lsp serve`")
    parser.add_argument("--model", help="as for `ling-coder-lsp serve`")
    arguments = parser.parse_args()
    options = [f"--{name}={value}" for name, value in vars(arguments).items() if value]
    try:
        asyncio.run(run(options))
    except CompletionError as error:
        print(f"It did not work: {error}", file=sys.stderr)
        return 1
    return 0


async def run(options: list[str]) -> None:
    """Everything in its order."""
    before, after = MARK.split(FILE.read_text(encoding="utf-8"))
    editor = Editor(options)
    await editor.start()
    try:
        editor.open(FILE.as_uri(), before + after, "python")
        print("The server runs, the file is open, the model is being loaded …")
        status = await editor.wait_until_loaded()
        await show(editor, before, after, "The caret is where the marked word was. Ling Coder suggests:")
        editor.replace(FILE.as_uri(), len(before), len(before), TYPED)
        await show(editor, before + TYPED, after, f"After typing `{TYPED}`:")
        print(f"\nModel: {status['model']}")
    finally:
        await editor.stop()


async def show(editor: Editor, before: str, after: str, title: str) -> None:
    """Ask for a suggestion, and print it in its place with the figures of the request."""
    items = await editor.ask(FILE.as_uri(), len(before), invoked=True)
    last = (await editor.stats())["last"]
    print(f"\n{title}\n")
    print(in_its_place(items[0], before, after) if items else f"  nothing: {last['detail']}")
    print(f"\n  {figures(last)}")


def in_its_place(item: Any, before: str, after: str) -> str:
    """The lines around the caret with the suggestion."""
    replaced = item.range.end.character - item.range.start.character
    above = "\n".join(before.split("\n")[-LINES_AROUND:])
    below = "\n".join(after[replaced:].split("\n")[:LINES_AROUND])
    return "\n".join(f"  | {line}" for line in f"{above}{marked(item.insert_text)}{below}".split("\n"))


def marked(text: str) -> str:
    """The suggestion so that it stands out: in colour on a terminal, else between angle quotes."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return "\n".join(f"\033[1;32m{line}\033[0m" for line in text.split("\n"))
    return f"«{text}»"


def figures(last: dict[str, Any]) -> str:
    """Tokens and times of one request."""
    tokens, ms = last["tokens"], last["ms"]
    return (
        f"{tokens['prompt']} prompt tokens: {tokens['reused']} reused, {tokens['evaluated']} evaluated; "
        f"{tokens['generated']} generated. {ms['total']:.0f} ms: {ms['prefill']:.0f} reading, "
        f"{ms['decode']:.0f} writing, {ms['overhead']:.0f} ours."
    )


if __name__ == "__main__":
    sys.exit(main())
