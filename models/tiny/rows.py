"""Fills rows of tokens with examples.

An example of filling in (arXiv 2207.14255, prefix-suffix-middle) is laid out as the server asks::

    [context] <|fim_prefix|> # path, prefix <|fim_suffix|> suffix <|fim_middle|> middle <|endoftext|>

The rest of a row is plain code, which ends with `<|endoftext|>` only where the file ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from lsp_server.prompt.fim_templates import FimTemplate
from lsp_server.prompt.render import header
from models.tiny.holes import choose_hole
from models.tiny.tokenizer import Encoder
from models.vocabulary import FIM_TOKENS

LAYOUT = FimTemplate("model", *FIM_TOKENS)
"""What the server makes of the names of our tokens."""

PLAIN_SHARE = 0.3
"""How often the rest of a row becomes plain code at once. With what is left over, about half the tokens are plain."""
CONTEXT_SHARE = 0.12
CONTEXT_CHARACTERS = (150, 450)
FEWEST_TOKENS = 110
"""Less room than this is filled with plain code."""
SLACK = 16
"""Tokens: the parts of a text, encoded one by one, take a few more than the whole."""
SUFFIX_TOKENS = {(0, 0): 0.12, (8, 64): 0.18, (64, 200): 0.7}
"""Ranges, and how often each is drawn."""

Row = dict[str, Any]


@dataclass
class Piece:
    """Tokens, and for each whether it belongs to a middle or ends one."""

    ids: list[int] = field(default_factory=list)
    middle: list[int] = field(default_factory=list)

    def add(self, ids: list[int], *, middle: bool = False) -> None:
        """Appends tokens."""
        self.ids += ids
        self.middle += [int(middle)] * len(ids)


class File:
    """A text with its tokens, read from front to back in whole lines."""

    def __init__(self, row: Row, encode: Encoder) -> None:
        self.path, self.language, self.text = row["path"], row["language"], row["text"]
        self.package = row["package"]
        self.head = header(self.path, self.language, LAYOUT)
        self._starts = encode.offsets(self.text)
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def starts_within(self, begin: int, end: int) -> list[int]:
        """Where the tokens between these characters begin, counted from the first of them."""
        first, last = bisect_left(self._starts, begin), bisect_right(self._starts, end - 1)
        return [start - begin for start in self._starts[first:last]]

    def ahead(self, tokens: int) -> str:
        """The whole lines that take about so many tokens; a longer line comes alone."""
        last = bisect_left(self._starts, self.at) + tokens
        if last >= len(self._starts):
            return str(self.text[self.at :])
        end = self.text.rfind("\n", self.at, self._starts[last]) + 1
        if end <= self.at:
            end = self.text.find("\n", self.at) + 1 or len(self.text)
        return str(self.text[self.at : end])


class RowMaker:
    """Makes rows of exactly `length` tokens out of files; the same seed gives the same rows."""

    def __init__(self, encode: Encoder, length: int, seed: int, neighbours: Callable[[str, str], list[Row]]) -> None:
        self._encode, self._length, self._chance = encode, length, Random(seed)
        self._neighbours = neighbours
        names = encode.control()
        self._end = names["<|endoftext|>"]
        self._prefix, self._suffix, self._middle = (names[f"<|fim_{part}|>"] for part in ("prefix", "suffix", "middle"))
        self._row = Piece()

    def rows(self, texts: Iterator[Row]) -> Iterator[Piece]:
        """Rows of all files in turn; what does not fill the last row is left out."""
        for text in texts:
            file = File(text, self._encode)
            while not file.done:
                self._one_more(file)
                if len(self._row.ids) >= self._length:
                    yield Piece(self._row.ids[: self._length], self._row.middle[: self._length])
                    self._row = Piece()

    def _one_more(self, file: File) -> None:
        room = self._length - len(self._row.ids)
        if room < FEWEST_TOKENS or self._chance.random() < PLAIN_SHARE or not self._fill_in(file, room):
            self._plain(file, room)

    def _plain(self, file: File, room: int) -> None:
        """Code up to the end of the row; the line that is cut there comes again in a later row."""
        text = file.ahead(room)
        ids = self._encode(file.head + text)
        file.at += len(text)
        self._row.add([*ids, self._end] if file.done else ids)
        if not file.done and len(self._row.ids) < self._length:
            rest = file.text[file.at : file.at + 2000]
            self._row.add(self._encode(rest)[: self._length - len(self._row.ids)])

    def _fill_in(self, file: File, room: int) -> bool:
        """One hole. Returns False, and leaves all as it was, where the parts do not fit."""
        example = Piece()
        if self._chance.random() < CONTEXT_SHARE and room > 3 * FEWEST_TOKENS:
            example.add(self._context(file)[: room - 2 * FEWEST_TOKENS])
        room -= len(example.ids)
        tokens = room if self._chance.random() < 0.5 else self._chance.randint(FEWEST_TOKENS, room)
        text = file.ahead(tokens - SLACK - len(self._encode(file.head)))
        begin, end = self._hole(file, text)
        prefix = self._encode(file.head + text[:begin])
        middle, suffix = self._encode(text[begin:end]), self._encode(text[end:] if text[end:].strip() else "")
        spare = room - len(prefix) - len(middle) - 4
        if spare < 0:
            return False
        example.add([self._prefix, *prefix, self._suffix, *suffix[:spare], self._middle])
        example.add([*middle, self._end], middle=True)
        self._row.add(example.ids)
        self._row.middle[-len(example.ids) :] = example.middle
        file.at += len(text)
        return True

    def _hole(self, file: File, text: str) -> tuple[int, int]:
        """A hole so far from the end of the text that a suffix of the drawn length is left."""
        low, high = self._chance.choices(list(SUFFIX_TOKENS), weights=list(SUFFIX_TOKENS.values()))[0]
        after = self._chance.randint(low, high)
        starts = file.starts_within(file.at, file.at + len(text))
        around = starts[max(len(starts) // 4, len(starts) - after)] if after and len(starts) > after // 4 else len(text)
        around = min(around, max(0, len(text) - 2))
        begin, end = choose_hole(text, file.language, around, self._chance)
        return min(begin, len(text)), min(end, len(text))

    def _context(self, file: File) -> list[int]:
        """Pieces of one or two other files of the package, each under its path."""
        ids: list[int] = []
        others = self._neighbours(file.package, file.path)
        for other in self._chance.sample(others, min(len(others), self._chance.choice((1, 1, 2)))):
            begin = other["text"].find("\n", self._chance.randrange(len(other["text"]))) + 1
            size = self._chance.randint(*CONTEXT_CHARACTERS)
            chunk = other["text"][begin : begin + size].rpartition("\n")[0]
            if chunk.strip():
                ids += self._encode(header(other["path"], other["language"], LAYOUT) + chunk + "\n")
        return ids
