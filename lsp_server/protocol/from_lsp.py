"""From the editor's terms to ours: positions become places in characters, URIs become paths, text becomes encodable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from lsp_server.documents.positions import PositionEncoding, to_characters
from lsp_server.documents.text_lines import Edit, Place, TextLines

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DRIVE = re.compile(r"^/([A-Za-z]):")


def encoding_of(name: str) -> PositionEncoding:
    """The encoding that was agreed on in `initialize`."""
    return PositionEncoding(getattr(name, "value", name))


def clean_text(text: str) -> str:
    """Text that can be written in UTF-8: a lone surrogate becomes U+FFFD, which is as long in every encoding."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def place_of(position: types.Position, lines: TextLines, encoding: PositionEncoding) -> Place:
    """The nearest place that exists."""
    if position.line >= len(lines):
        return lines.clamp(position.line, 0)
    return position.line, to_characters(lines.line(position.line), position.character, encoding)


def chosen_item(
    info: types.SelectedCompletionInfo | None, lines: TextLines, encoding: PositionEncoding
) -> tuple[Place, Place, str] | None:
    """The item that is chosen in the editor's popup: start and end of what it replaces, and its text."""
    if info is None:
        return None
    start, end = place_of(info.range.start, lines, encoding), place_of(info.range.end, lines, encoding)
    return min(start, end), max(start, end), clean_text(info.text)


def apply_change(change: types.TextDocumentContentChangeEvent, lines: TextLines, encoding: PositionEncoding) -> Edit:
    """Edit the lines, and say what was done. Where the editor sends all of the text, that is the part that differs."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return lines.become(clean_text(change.text))
    start = place_of(change.range.start, lines, encoding)
    end = place_of(change.range.end, lines, encoding)
    return lines.replace(start, end, clean_text(change.text))


def path_of(uri: str, folders: Iterable[str]) -> str | None:
    """Path relative to the innermost workspace folder, the bare name outside of all, `None` for what is no file."""
    path = _file_path(uri)
    if path is None:
        return None
    roots = (_file_path(folder) for folder in folders)
    inside = [rest for root in roots if root and (rest := _below(path, root))]
    return min(inside, key=len) if inside else path.rpartition("/")[2] or None


def _file_path(uri: str) -> str | None:
    """`/home/a.py`, `C:/a.py` or `//server/share/a.py`."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme.lower() != "file":
        return None
    path = unquote(parts.path)
    if drive := _DRIVE.match(path):
        return f"{drive[1].upper()}:{path[3:]}"
    host = unquote(parts.netloc)
    return f"//{host}{path}" if host and host != "localhost" else path


def _below(path: str, root: str) -> str | None:
    """The part of `path` below `root`; Windows does not tell upper case from lower."""
    root = root.rstrip("/") + "/"
    windows = path[1:2] == ":" or path.startswith("//")
    start = path[: len(root)]
    same = start.casefold() == root.casefold() if windows else start == root
    return path[len(root) :] if same else None
