"""Writes a GGUF piece by piece: the header through `gguf`, then tensor data as it is made, then the final name.

A file under its final name is complete. Memory is what the caller's pieces need, whatever the file's size.

    ModelWriteError     the file could not be written; the message says why
      + DiskFullError   and how much room it needs
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from gguf import GGUF_DEFAULT_ALIGNMENT, GGUFWriter

from models.shapes import ARCHITECTURE
from models.tensors import Tensor

Buffer = bytes | memoryview
DataOf = Callable[[Tensor], Iterable[Buffer]]
"""Yields a tensor's bytes in order, in pieces of any size."""
Progress = Callable[[int], None]
"""Is told the number of bytes of tensor data written so far."""

HEADER_RESERVE_BYTES = 64 * 2**20
"""Room for keys and vocabulary (a few MB), and so that the disk is not filled to the last byte."""


class ModelWriteError(Exception):
    """The model file could not be written. Whatever was there under its name is still there."""


class DiskFullError(ModelWriteError):
    """The folder's disk has less room than the file needs."""


def write_gguf(
    output: Path,
    describe: Callable[[GGUFWriter], None],
    tensors: Sequence[Tensor],
    data_of: DataOf,
    progress: Progress = lambda _: None,
) -> int:
    """Writes the whole file and returns its size in bytes. `describe` adds the keys."""
    if not output.parent.is_dir():
        raise ModelWriteError(f"cannot write {output}: the folder {output.parent} does not exist")
    check_free_disk(output.parent, sum(tensor.bytes for tensor in tensors))
    try:
        with complete_or_absent(output) as partial:
            _write_header(partial, describe, tensors)
            with partial.open("ab") as file:
                _write_data(file, tensors, data_of, progress)
        return output.stat().st_size
    except OSError as error:
        raise ModelWriteError(f"cannot write {output}: {error.strerror or error}") from error


def check_free_disk(folder: Path, tensor_bytes: int) -> None:
    """Raises `DiskFullError` unless a file with so much tensor data fits."""
    needed = tensor_bytes + HEADER_RESERVE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(f"the file needs {needed / 1e9:.2f} GB, but {folder} has only {free / 1e9:.2f} GB free")


@contextmanager
def complete_or_absent(output: Path) -> Iterator[Path]:
    """A name to write under. The file moves to `output` if all goes well, and is removed if not."""
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(output)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _write_header(path: Path, describe: Callable[[GGUFWriter], None], tensors: Sequence[Tensor]) -> None:
    with closing(GGUFWriter(path, ARCHITECTURE)) as writer:
        describe(writer)
        for tensor in tensors:
            # With any dtype but uint8 the writer takes the shape as values, not as bytes.
            writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), tensor.bytes, tensor.type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()


def _write_data(file: BinaryIO, tensors: Sequence[Tensor], data_of: DataOf, progress: Progress) -> None:
    done = 0
    _pad(file)
    for tensor in tensors:
        written = sum(file.write(piece) for piece in data_of(tensor))
        if written != tensor.bytes:
            raise ValueError(f"{tensor.name} has {tensor.bytes} bytes, but {written} were given")
        _pad(file)
        done += written
        progress(done)


def _pad(file: BinaryIO) -> None:
    file.write(bytes(-file.tell() % GGUF_DEFAULT_ALIGNMENT))
