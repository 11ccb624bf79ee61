"""Somebody who types at random in real code, in several files."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from lsp_server.engine.base import GenerateRequest, Special, Text
from lsp_server.engine.generation import Job
from lsp_server.engine.host import job_of
from lsp_server.engine.llama import LlamaModel

ROOT = Path(__file__).parents[2]
NEW_TOKENS = 10


class Document:
    """A file in which somebody types at random. The prompt is laid out as while typing: a key only appends."""

    def __init__(self, name: str, text: str, first: int, line: int, chance: Random) -> None:
        self.name, self._lines, self.chance = name, text.splitlines(keepends=True), chance
        self._first, self._line, self._typed = first, line, ""

    def edit(self) -> None:
        self.chance.choices(
            (self._type, self._take_back, self._change_above, self._jump, self._accept_line), (6, 2, 1, 2, 2)
        )[0]()

    def job(self, model: LlamaModel) -> Job:
        suffix = "".join(self._lines[self._line + 1 : self._line + 4])
        prefix = "# main.py\n" + "".join(self._lines[self._first : self._line])
        prompt = (
            Special("<|fim_prefix|>"), Text(prefix), Special("<|fim_suffix|>"), Text("\n" + suffix),
            Special("<|fim_middle|>"), Text(self._typed),
        )  # fmt: skip
        return job_of(model, GenerateRequest(prompt, self.name, NEW_TOKENS, heal=True), "1:")

    def _type(self) -> None:
        line = self._lines[self._line].rstrip("\n")
        self._typed += line[len(self._typed) :][: self.chance.randint(1, 8)] or self.chance.choice("x(=. ")

    def _take_back(self) -> None:
        self._typed = self._typed[: -self.chance.randint(1, 6)]

    def _change_above(self) -> None:
        place = self.chance.randrange(self._first, self._line)
        self._lines[place] = self._lines[place].replace("e", "ee", 1) + "# changed\n"

    def _jump(self) -> None:
        self._line = max(self._first + 5, min(self._first + 20, self._line + self.chance.randint(-12, 12)))
        self._typed = ""

    def _accept_line(self) -> None:
        self._line, self._typed = min(self._first + 20, self._line + 1), ""


def code(name: str) -> str:
    """Text of a file of ours, or of the file in a typing trace."""
    text = (ROOT / name).read_text("utf-8")
    return str(json.loads(text)["text"]) if name.endswith(".json") else text


def documents(chance: Random) -> list[Document]:
    """Two carets in one file, so that two lanes begin alike; another part of it; another file."""
    trace, shopping = code("examples/typing.json"), code("examples/shopping.py")
    places = ((trace, 0, 10), (trace, 0, 17), (trace, 60, 72), (shopping, 6, 20))
    return [Document(f"document {number}", *place, chance) for number, place in enumerate(places)]
