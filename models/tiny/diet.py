"""Rows in which code repeats, so that copying from what stands before is learned first.

A small model learns to copy in one sudden step (arXiv 2209.11895); text full of repetition brings the step forward.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from lsp_server.prompt.render import header
from models.tiny.rows import LAYOUT, Piece
from models.tiny.tokenizer import Encoder

CHUNK_CHARACTERS = 700
SIMILAR_LINES_RATIO = 0.22
"""Compressed size by plain size, below which a stretch of code counts as repetitive."""
_NAME = re.compile(r"[A-Za-z_]{4,}")

Row = dict[str, Any]


class DietMaker:
    """Makes rows of `length` tokens, as many as asked for; the same seed gives the same rows."""

    def __init__(self, encode: Encoder, length: int, seed: int) -> None:
        self._encode, self._length, self._chance = encode, length, Random(seed)
        names = encode.control()
        self._end = names["<|endoftext|>"]
        self._prefix, self._suffix, self._middle = (names[f"<|fim_{part}|>"] for part in ("prefix", "suffix", "middle"))

    def rows(self, texts: Iterable[Row], count: int) -> Iterator[Piece]:
        """One or two rows of each text until there are enough."""
        made = 0
        for text in texts:
            for piece in self._of(text):
                if len(piece.ids) >= self._length:
                    yield Piece(piece.ids[: self._length], piece.middle[: self._length])
                    made += 1
                if made >= count:
                    return

    def _of(self, row: Row) -> Iterator[Piece]:
        head, text = header(row["path"], row["language"], LAYOUT), str(row["text"])
        if similar := self._similar_lines(text):
            yield self._plain(head + similar)
        chunk = _lines_from(text, self._chance.randrange(len(text)), CHUNK_CHARACTERS)
        if len(chunk) > CHUNK_CHARACTERS // 2:
            if self._chance.random() < 0.3:
                yield self._copy_in_the_middle(head, chunk)
            else:
                yield self._plain(head + self._repeated(chunk))

    def _similar_lines(self, text: str) -> str:
        begin = self._chance.randrange(len(text))
        stretch = _lines_from(text, begin, 4 * CHUNK_CHARACTERS)
        packed = len(zlib.compress(stretch.encode())) / (len(stretch) + 1)
        return stretch if packed < SIMILAR_LINES_RATIO else ""

    def _repeated(self, chunk: str) -> str:
        """The chunk again and again: as it is, with one name changed, or with its lines in another order."""
        parts, size = [chunk], len(chunk)
        while size < 4 * self._length:
            again = self._chance.choice((_same, self._renamed, self._renamed, self._reordered))(chunk)
            parts.append(again)
            size += len(again)
        return "\n".join(parts)

    def _copy_in_the_middle(self, head: str, chunk: str) -> Piece:
        """The middle of the second copy is asked for; a plain copy fills the row."""
        second = self._renamed(chunk)
        lines = second.splitlines(keepends=True)
        at = self._chance.randrange(len(lines))
        count = self._chance.choice((1, 1, 2, 4))
        before, middle, after = "".join(lines[:at]), "".join(lines[at : at + count]).rstrip("\n"), lines[at + count :]
        piece = Piece()
        prefix = self._encode(head + chunk + "\n" + before)
        piece.add([self._prefix, *prefix, self._suffix, *self._encode("\n" + "".join(after[:8])), self._middle])
        piece.add([*self._encode(middle), self._end], middle=True)
        piece.add(self._encode(head + self._repeated(chunk)))
        return piece

    def _plain(self, text: str) -> Piece:
        piece = Piece()
        piece.add(self._encode(text))
        return piece

    def _renamed(self, chunk: str) -> str:
        names = sorted(set(_NAME.findall(chunk)))
        if len(names) < 2:
            return chunk
        old, new = self._chance.sample(names, 2)
        return re.sub(rf"\b{old}\b", f"{new}_{self._chance.choice(names)}", chunk)

    def _reordered(self, chunk: str) -> str:
        lines = chunk.splitlines()
        self._chance.shuffle(lines)
        return "\n".join(lines)


def _lines_from(text: str, begin: int, size: int) -> str:
    start = text.rfind("\n", 0, begin) + 1
    return text[start : start + size].rpartition("\n")[0]


def _same(chunk: str) -> str:
    return chunk
