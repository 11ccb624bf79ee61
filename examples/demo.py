"""A completion from the real server, as an editor gets it: LSP over stdin and stdout, nothing leaves the machine.

    python examples/demo.py [--engine ENGINE] [--model NAME_OR_PATH]

Opens `shopping.py` without its marked line, asks for a suggestion there, types three characters and asks again: the
second request finds nearly all of its prompt evaluated already.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient
from pygls.protocol import JsonRPCNotification, JsonRPCResponseMessage, default_converter

HERE = Path(__file__).resolve().parent
FILE = HERE / "shopping.py"
MARK = re.compile(r"\S.*# <- here")
"""The code of one line."""

TYPED = "tot"
PATIENCE_S = 600
LINES_AROUND = 4


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(description="Complete a place in examples/shopping.py with the real server.")
    parser.add_argument("--engine", help="as for `ling-coder-lsp serve`")
    parser.add_argument("--model", help="as for `ling-coder-lsp serve`")
    arguments = parser.parse_args()
    options = [f"--{name}={value}" for name, value in vars(arguments).items() if value]
    return asyncio.run(Demo().run(options))


class Demo:
    """An editor with one file."""

    def __init__(self) -> None:
        self.client = LanguageClient("ling-coder-demo", "1", converter_factory=plain_converter)
        self.statuses: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        listen: Any = self.client.feature
        listen("lingCoder/status")(lambda params: self.statuses.put_nowait(params))
        listen(types.WINDOW_LOG_MESSAGE)(lambda params: None)
        self.uri = FILE.as_uri()
        source = FILE.read_text(encoding="utf-8")
        self.before, self.after = MARK.split(source)
        self.version = 1

    async def run(self, options: list[str]) -> int:
        """Everything in its order; it ends early when the server does."""
        command = (sys.executable, "-m", "lsp_server", "serve", *options)
        pipe = asyncio.subprocess.PIPE
        server = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=HERE.parent)
        assert server.stdin is not None
        assert server.stdout is not None
        protocol: Any = self.client.protocol
        protocol.set_writer(server.stdin)
        reading = asyncio.ensure_future(run_async(threading.Event(), server.stdout, protocol))
        showing = asyncio.ensure_future(self.steps())
        await asyncio.wait({reading, showing}, return_when=asyncio.FIRST_COMPLETED)
        if not showing.done():
            showing.cancel()
            print("The server has gone.")
            return 1
        self.client.exit(None)
        await asyncio.gather(reading, server.wait())
        return showing.result()

    async def steps(self) -> int:
        """What is shown; the exit code."""
        await self.open()
        ready = await self.model_is_loaded()
        if ready["state"] == "ready":
            await self.show("The caret is where the marked line was. Ling Coder suggests:")
            self.type(TYPED)
            await self.show(f"After typing `{TYPED}`:")
            tell_what_the_model_is(ready["model"] or "")
        else:
            print(f"The model could not be loaded: {ready['message']}")
        await self.client.shutdown_async(None)
        return 0 if ready["state"] == "ready" else 1

    async def open(self) -> None:
        """Begin a session, and open the file in it."""
        able = types.ClientCapabilities(
            text_document=types.TextDocumentClientCapabilities(
                inline_completion=types.InlineCompletionClientCapabilities()
            )
        )
        folder = types.WorkspaceFolder(uri=HERE.parent.as_uri(), name=HERE.parent.name)
        await self.client.initialize_async(types.InitializeParams(capabilities=able, workspace_folders=[folder]))
        self.client.initialized(types.InitializedParams())
        item = types.TextDocumentItem(
            uri=self.uri, language_id="python", version=self.version, text=self.before + self.after
        )
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    async def model_is_loaded(self) -> dict[str, Any]:
        """Tell how loading goes, until it is over; the last status."""
        while True:
            status = await asyncio.wait_for(self.statuses.get(), PATIENCE_S)
            percent = status["progressPercent"]
            print(f"  {status['state']}: {status['message']}" + (f" ({percent} %)" if percent is not None else ""))
            if status["state"] in ("ready", "failed"):
                return status

    def type(self, text: str) -> None:
        """Type at the caret."""
        place = self.caret()
        change = types.TextDocumentContentChangePartial(range=types.Range(start=place, end=place), text=text)
        self.version += 1
        document = types.VersionedTextDocumentIdentifier(uri=self.uri, version=self.version)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        )
        self.before += text

    def caret(self) -> types.Position:
        """Where the caret is; the example is plain ASCII, so columns are the same in every encoding."""
        return types.Position(line=self.before.count("\n"), character=len(self.before.rpartition("\n")[2]))

    async def show(self, title: str) -> None:
        """Ask for a suggestion, and print it in its place with the figures of the request."""
        kind = types.InlineCompletionTriggerKind.Invoked
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=self.uri),
            position=self.caret(),
            context=types.InlineCompletionContext(trigger_kind=kind),
        )
        answer = await self.client.text_document_inline_completion_async(params)
        protocol: Any = self.client.protocol
        stats = await protocol.send_request_async("lingCoder/stats", None)
        items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
        print(f"\n{title}\n")
        print(self.with_suggestion(items[0]) if items else f"  nothing: {stats['last']['detail']}")
        print(f"\n  {figures(stats['last'])}")

    def with_suggestion(self, item: types.InlineCompletionItem) -> str:
        """The lines around the caret with the suggestion in its place."""
        text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
        replaced = item.range.end.character - item.range.start.character if item.range else 0
        before = "\n".join(self.before.split("\n")[-LINES_AROUND:])
        after = "\n".join(self.after[replaced:].split("\n")[:LINES_AROUND])
        return "\n".join(f"  | {line}" for line in f"{before}{marked(text)}{after}".split("\n"))


def plain_converter() -> Any:
    """Our own messages as plain objects."""
    converter: Any = default_converter()  # type: ignore[no-untyped-call]
    for kind in (JsonRPCResponseMessage, JsonRPCNotification):
        converter.register_structure_hook(kind, lambda data, cls: cls(**data))
    return converter


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


def tell_what_the_model_is(name: str) -> None:
    """Say it when the suggestions cannot mean anything."""
    print(f"\nModel: {name}")
    if "random" in name.lower():
        print("Its weights are random: it shows that everything works, and its suggestions mean nothing.")


if __name__ == "__main__":
    sys.exit(main())
