"""The models that are known by name: rows of `catalog.toml`, checked, with what their family shares filled in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.model_store.bundled import CATALOG_NAME, bundled_file
from lsp_server.model_store.errors import CatalogError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

UNKNOWN_TEMPLATE = "probe"
"""`fim_template` of a model whose fill-in-the-middle tokens nobody has documented."""

_GB = 1e9


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One file that can be had."""

    name: str
    """What a person types, and what `lingCoder.model` may hold."""
    title: str
    repository: str
    """`owner/name` on the hub; empty for what is part of the package."""
    file: str
    quantization: str
    size_bytes: int
    kv_bytes_per_token: int
    """Of keys and values in two bytes each, over all layers."""
    licence: str
    parameters: str
    chat: bool
    """Whether it was trained to answer questions."""
    fim_template: str
    """A row of `prompt/fim_templates.py`, `auto`: the file names its tokens, or `probe`: not known."""
    source: str
    """Where the model itself is published."""
    recommended: bool
    estimates: tuple[str, ...]
    """Fields of the row that were not looked up."""
    min_confidence_percent: int | None
    """Below it automatic suggestions are better not shown; `None` leaves it to the file."""

    @property
    def size_is_estimate(self) -> bool:
        """Whether the hub may say another size."""
        return "size_gb" in self.estimates


def read_catalog(path: Path | None = None) -> tuple[CatalogEntry, ...]:
    """All rows, in the file's order: of each family the largest first.

    Raises:
        CatalogError: the file is missing, is no TOML, or a row is wrong; the message names row and field.
    """
    path = path or bundled_file(CATALOG_NAME)
    if path is None:
        raise CatalogError("The catalog of models is missing from this installation. Install it again.")
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogError(f"The catalog of models {path} cannot be read: {error}.") from error
    families = found.get("families", {})
    entries = tuple(_entry(path, families, row) for row in found.get("models", []))
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise CatalogError(f"{path}: there are two models {name!r}; a name belongs to one.")
    return entries


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_size(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")


def _is_percent(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100


def _is_list_of_fields(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each in _ROW for each in value)


def _is_repository(value: object) -> bool:
    return isinstance(value, str) and value.count("/") == 1 and all(value.split("/"))


def _is_file(value: object) -> bool:
    return isinstance(value, str) and value.endswith(".gguf") and "\\" not in value and ".." not in value


@dataclass(frozen=True, slots=True)
class _Field:
    """What a field may hold. One with a default may be left out."""

    is_right: Callable[[object], bool]
    expected: str
    default: object = ...


_FAMILY = {
    "title": _Field(_is_text, "a text"),
    "source": _Field(_is_text, "a text"),
    "licence": _Field(_is_text, "a text"),
    "parameters": _Field(_is_text, "a text"),
    "chat": _Field(_is_bool, "true or false"),
    "fim_template": _Field(_is_text, "a text"),
    "kv_kib_per_token": _Field(_is_size, "a number above 0"),
}
_ROW = {
    "name": _Field(_is_text, "a text"),
    "family": _Field(_is_text, "a text"),
    "repository": _Field(_is_repository, "`owner/name`", ""),
    "file": _Field(_is_file, "the name of a .gguf file"),
    "quantization": _Field(_is_text, "a text"),
    "size_gb": _Field(_is_size, "a number above 0"),
    "estimates": _Field(_is_list_of_fields, "a list of fields of the row", ()),
    "recommended": _Field(_is_bool, "true or false", False),
    "min_confidence_percent": _Field(_is_percent, "a whole number from 0 to 100", None),
}


def _entry(path: Path, families: object, row: object) -> CatalogEntry:
    name = row.get("name") if isinstance(row, Mapping) else None
    place = f"{path}: model {name!r}"
    checked = _checked(place, _ROW, row)
    family = checked.pop("family")
    if not isinstance(families, Mapping) or family not in families:
        raise CatalogError(f"{place}: `family` names {family!r}, which the catalog does not have.")
    checked |= _checked(f"{path}: family {family!r}", _FAMILY, families[family])
    return CatalogEntry(
        size_bytes=round(checked.pop("size_gb") * _GB),
        kv_bytes_per_token=round(checked.pop("kv_kib_per_token") * 1024),
        estimates=tuple(checked.pop("estimates")),
        **checked,
    )


def _checked(place: str, fields: Mapping[str, _Field], found: object) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise CatalogError(f"{place} must be a table, got {found!r}.")
    for name in found:
        if name not in fields:
            raise CatalogError(f"{place}: `{name}` is unknown; known: {', '.join(fields)}.")
    for name, field in fields.items():
        if name not in found and field.default is ...:
            raise CatalogError(f"{place}: `{name}` is missing.")
        if name in found and not field.is_right(found[name]):
            raise CatalogError(f"{place}: `{name}` must be {field.expected}, got {found[name]!r}.")
    return {name: found.get(name, field.default) for name, field in fields.items()}
