"""Reads what stands before the weights of a GGUF file: keys, and names, shapes and types of the tensors.

An own reader: that of `gguf` makes an array of each token and takes ten seconds for a vocabulary of 126,464. The format
is in docs/gguf.md of ggml. No length in a file is trusted: everything is checked against the file's end.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from lsp_server.errors import ModelFileError
from lsp_server.model_store.gguf_types import TENSOR_TYPES

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
_MOST_DIMENSIONS = 8
_KEPT_NUMBERS = 1024
"""Longer arrays of numbers (one a layer is usual) are token tables, of which only the length is kept."""

_SCALARS = {
    number: struct.Struct("<" + code)
    for number, code in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}
_STRING, _ARRAY = 8, 9
_LENGTH = _SCALARS[10]


@dataclass(frozen=True, slots=True)
class SkippedArray:
    """An array that was not kept."""

    length: int


Value = int | float | bool | str | list[str] | list[int | float | bool] | SkippedArray


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor; the dimensions as in the file, the row length first."""

    name: str
    dimensions: tuple[int, ...]
    type_number: int
    offset_bytes: int
    """From where tensor data begins."""

    @property
    def type_name(self) -> str:
        """`Q4_K`; a number where the type is younger than this table."""
        found = TENSOR_TYPES.get(self.type_number)
        return found.name if found else f"type {self.type_number}"

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        product = 1
        for dimension in self.dimensions:
            product *= dimension
        return product

    @property
    def size_bytes(self) -> int:
        """On disk; 0 where the type is not known."""
        found = TENSOR_TYPES.get(self.type_number)
        return -(-self.values // found.block_values) * found.block_bytes if found else 0


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a file says about itself."""

    version: int
    keys: dict[str, Value]
    tensors: tuple[TensorInfo, ...]
    file_bytes: int
    complete_bytes: int
    """How long the file must be at least to hold all tensors."""


class _Truncated(Exception):
    """The file ends in the middle of its header."""


class _Cursor:
    """Walks through the bytes and never past their end."""

    def __init__(self, data: mmap.mmap, place: int) -> None:
        self._data = data
        self._end = len(data)
        self.place = place

    def scalar(self, packed: struct.Struct) -> int | float | bool:
        (value,) = packed.unpack_from(self._data, self._step(packed.size))
        return value  # type: ignore[no-any-return]

    def whole(self, packed: struct.Struct = _LENGTH) -> int:
        return int(self.scalar(packed))

    def text(self) -> str:
        length = self.whole()
        start = self._step(length)
        return self._data[start : start + length].decode("utf-8", "replace")

    def texts(self, count: int) -> list[str]:
        self._must_hold(count, _LENGTH.size)
        return [self.text() for _ in range(count)]

    def skip_texts(self, count: int) -> None:
        self._must_hold(count, _LENGTH.size)
        for _ in range(count):
            self._step(self.whole())

    def numbers(self, packed: struct.Struct, count: int) -> list[int | float | bool] | SkippedArray:
        self._must_hold(count, packed.size)
        if count > _KEPT_NUMBERS:
            self._step(count * packed.size)
            return SkippedArray(count)
        return [self.scalar(packed) for _ in range(count)]

    def _must_hold(self, count: int, size: int) -> None:
        if count * size > self._end - self.place:
            raise _Truncated

    def _step(self, length: int) -> int:
        start = self.place
        if length > self._end - start:
            raise _Truncated
        self.place = start + length
        return start


def read_header(path: Path) -> GgufHeader:
    """The header of a file; takes a tenth of a second, whatever the file's size.

    Raises:
        ModelFileError: it cannot be read, is no GGUF, or ends before its header does.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            if magic != _MAGIC:
                raise ModelFileError(f"{path} is no GGUF file: it does not begin with `GGUF`. Choose another file.")
            with contextlib.closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
                return _header(path, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelFileError(f"The model file {path} cannot be read: {reason}.") from error


def _header(path: Path, data: mmap.mmap) -> GgufHeader:
    cursor = _Cursor(data, len(_MAGIC))
    try:
        version = cursor.whole(_SCALARS[4])
        if version not in _VERSIONS:
            raise ModelFileError(
                f"{path} is of GGUF version {version}, or was written for another kind of processor; "
                f"known are versions {' and '.join(map(str, _VERSIONS))}. Convert the model again."
            )
        tensor_count, key_count = cursor.whole(), cursor.whole()
        keys = dict(_key(path, cursor) for _ in range(key_count))
        tensors = tuple(_tensor(path, cursor) for _ in range(tensor_count))
    except _Truncated:
        raise ModelFileError(
            f"{path} is incomplete: it ends inside its header, after {len(data):,} bytes. Download it again."
        ) from None
    alignment = keys.get("general.alignment")
    step = alignment if isinstance(alignment, int) and alignment > 0 else _DEFAULT_ALIGNMENT
    start = -(-cursor.place // step) * step
    needed = max((tensor.offset_bytes + tensor.size_bytes for tensor in tensors), default=0)
    return GgufHeader(version, keys, tensors, len(data), start + needed if tensors else cursor.place)


def _key(path: Path, cursor: _Cursor) -> tuple[str, Value]:
    name = cursor.text()
    kind = cursor.whole(_SCALARS[4])
    if kind == _STRING:
        return name, cursor.text()
    if kind == _ARRAY:
        return name, _array(path, name, cursor)
    if kind not in _SCALARS:
        raise _damaged(path, f"`{name}` is of the unknown kind {kind}")
    return name, cursor.scalar(_SCALARS[kind])


def _array(path: Path, name: str, cursor: _Cursor) -> Value:
    kind, count = cursor.whole(_SCALARS[4]), cursor.whole()
    if kind == _STRING and name.endswith(".merges"):
        cursor.skip_texts(count)
        return SkippedArray(count)
    if kind == _STRING:
        return cursor.texts(count)
    if kind not in _SCALARS:
        raise _damaged(path, f"`{name}` is an array of the unknown kind {kind}")
    return cursor.numbers(_SCALARS[kind], count)


def _tensor(path: Path, cursor: _Cursor) -> TensorInfo:
    name = cursor.text()
    count = cursor.whole(_SCALARS[4])
    if count > _MOST_DIMENSIONS:
        raise _damaged(path, f"the tensor `{name[:80]}` has {count} dimensions")
    dimensions = tuple(cursor.whole() for _ in range(count))
    return TensorInfo(name, dimensions, cursor.whole(_SCALARS[4]), cursor.whole())


def _damaged(path: Path, what: str) -> ModelFileError:
    return ModelFileError(f"The header of {path} is damaged: {what}. Download it again.")
