"""What a model's header says, put into the terms in which people choose a model. No weight is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lsp_server.model_store.fit import needed_bytes
from lsp_server.model_store.gguf_header import GgufHeader, TensorInfo, Value, read_header
from lsp_server.model_store.gguf_types import FILE_TYPES
from lsp_server.model_store.special_tokens import FIM_ROLES, SpecialToken, special_tokens

_LAYER = re.compile(r"^blk\.\d+\.")
_ROUTED = re.compile(r"_exps(\.|$)")
"""Tensors of experts of which a router picks some for each token."""
_KV_ELEMENT_BYTES = 2

_SHAPE = {
    "layers": "block_count",
    "width": "embedding_length",
    "feed_forward": "feed_forward_length",
    "heads": "attention.head_count",
    "kv_heads": "attention.head_count_kv",
    "experts": "expert_count",
    "experts_used": "expert_used_count",
    "shared_experts": "expert_shared_count",
    "expert_feed_forward": "expert_feed_forward_length",
}
"""Our words for the keys behind the architecture's name."""


@dataclass(frozen=True, slots=True)
class TensorKind:
    """Tensors that do the same work in each layer."""

    name: str
    count: int
    types: dict[str, int]
    """How many are stored in which type."""
    parameters: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """One model file."""

    path: Path
    file_bytes: int
    missing_bytes: int
    """How much the file is too short for its tensors."""
    architecture: str
    name: str
    licence: str
    quantization: str
    """The recipe; what is in the file is in `kinds`."""
    context_tokens: int
    shape: dict[str, int]
    parameters: int
    active_parameters: int
    """Those that take part in each token."""
    kinds: tuple[TensorKind, ...]
    tokens: tuple[SpecialToken, ...]
    has_chat_template: bool
    kv_bytes_per_token: int
    split_files: int
    """More than one where the model is spread over several files."""

    @property
    def can_fill_in(self) -> bool:
        """Whether the file names the tokens that filling in needs."""
        return set(FIM_ROLES) <= {token.role for token in self.tokens}

    @property
    def memory_bytes(self) -> int:
        """Weights, and keys and values at the engine's default number of cells."""
        return needed_bytes(self.file_bytes + self.missing_bytes, self.kv_bytes_per_token)


def inspect_file(path: Path) -> Inspection:
    """Look at one file.

    Raises:
        ModelFileError: it cannot be read, is no GGUF, or ends inside its header.
    """
    return inspection_of(path, read_header(path))


def inspection_of(path: Path, header: GgufHeader) -> Inspection:
    """What a header says; missing keys are zeros and empty texts."""
    keys = header.keys
    architecture = _text(keys, "general.architecture")
    shape = {word: _whole(keys, f"{architecture}.{key}") for word, key in _SHAPE.items()}
    shape["head_dim"] = _head_dim(keys, architecture, shape)
    shape["vocabulary"] = _length(keys.get("tokenizer.ggml.tokens")) or _whole(keys, f"{architecture}.vocab_size")
    parameters = sum(tensor.values for tensor in header.tensors)
    return Inspection(
        path=path,
        file_bytes=header.file_bytes,
        missing_bytes=max(0, header.complete_bytes - header.file_bytes),
        architecture=architecture,
        name=_text(keys, "general.name"),
        licence=_text(keys, "general.license"),
        quantization=FILE_TYPES.get(_whole(keys, "general.file_type", -1), ""),
        context_tokens=_whole(keys, f"{architecture}.context_length"),
        shape={word: value for word, value in shape.items() if value},
        parameters=parameters,
        active_parameters=parameters - _idle(header, shape),
        kinds=_kinds(header),
        tokens=special_tokens(keys),
        has_chat_template=bool(_text(keys, "tokenizer.chat_template")),
        kv_bytes_per_token=_kv_bytes(keys, architecture, shape),
        split_files=_whole(keys, "split.count", 1),
    )


def _kinds(header: GgufHeader) -> tuple[TensorKind, ...]:
    groups: dict[str, list[TensorInfo]] = {}
    for tensor in header.tensors:
        groups.setdefault(_LAYER.sub("", tensor.name).removesuffix(".weight"), []).append(tensor)
    kinds = (
        TensorKind(
            name=name,
            count=len(group),
            types=dict(Counter(tensor.type_name for tensor in group).most_common()),
            parameters=sum(tensor.values for tensor in group),
            size_bytes=sum(tensor.size_bytes for tensor in group),
        )
        for name, group in groups.items()
    )
    return tuple(sorted(kinds, key=lambda kind: -kind.size_bytes))


def _idle(header: GgufHeader, shape: Mapping[str, int]) -> int:
    """Parameters of experts that the router leaves out for a token."""
    experts, used = shape["experts"], shape["experts_used"]
    if not 0 < used <= experts:
        return 0
    routed = sum(tensor.values for tensor in header.tensors if _ROUTED.search(tensor.name))
    return routed * (experts - used) // experts


def _head_dim(keys: Mapping[str, Value], architecture: str, shape: Mapping[str, int]) -> int:
    named = _whole(keys, f"{architecture}.attention.key_length")
    return named or (shape["width"] // shape["heads"] if shape["heads"] else 0)


def _kv_bytes(keys: Mapping[str, Value], architecture: str, shape: Mapping[str, int]) -> int:
    values = _whole(keys, f"{architecture}.attention.value_length") or shape["head_dim"]
    each_layer = keys.get(f"{architecture}.attention.head_count_kv")
    if isinstance(each_layer, list):
        heads = sum(count for count in each_layer if isinstance(count, int))
    else:
        heads = shape["layers"] * (shape["kv_heads"] or shape["heads"])
    return heads * (shape["head_dim"] + values) * _KV_ELEMENT_BYTES


def _whole(keys: Mapping[str, Value], key: str, default: int = 0) -> int:
    """A whole number; of a list with one for each layer the largest."""
    value = keys.get(key)
    if isinstance(value, list):
        value = max((each for each in value if isinstance(each, int)), default=default)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _text(keys: Mapping[str, Value], key: str) -> str:
    value = keys.get(key)
    return value if isinstance(value, str) else ""


def _length(value: Value | None) -> int:
    return len(value) if isinstance(value, list) else 0
