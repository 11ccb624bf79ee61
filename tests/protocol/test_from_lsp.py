"""What editors send, in our terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.documents.positions import PositionEncoding
from lsp_server.documents.text_lines import TextLines
from lsp_server.protocol import from_lsp

UTF16 = PositionEncoding.UTF16


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///folder/project/src/a.py", "src/a.py"),
        ("file:///folder/project/src/my%20file%23.py", "src/my file#.py"),
        ("file://localhost/folder/project/src/a.py", "src/a.py"),
        ("file:///folder/project-2/a.py", "a.py"),
        ("file:///elsewhere/deep/a.py", "a.py"),
        ("file:///folder/project/inner/src/a.py", "src/a.py"),
        ("untitled:Untitled-1", None),
        ("vscode-notebook-cell:/folder/project/a.ipynb#x", None),
        ("git:/folder/project/a.py", None),
        ("", None),
        ("file:", None),
        ("file://[broken", None),
        ("no uri at all", None),
    ],
)
def test_paths_are_relative_to_the_innermost_folder(uri: str, path: str | None) -> None:
    """Outside of all folders the bare name is left; what is no file has no path."""
    assert from_lsp.path_of(uri, ["file:///folder/project", "file:///folder/project/inner/"]) == path


@pytest.mark.parametrize(
    ("uri", "folder", "path"),
    [
        ("file:///c%3A/Code/src/a.py", "file:///C:/Code", "src/a.py"),
        ("file:///C:/CODE/src/A.py", "file:///c%3A/code", "src/A.py"),
        ("file:///d%3A/Code/src/a.py", "file:///c%3A/Code", "a.py"),
        ("file://server/share/src/a.py", "file://SERVER/share", "src/a.py"),
        ("file://server/other/a.py", "file://server/share", "a.py"),
    ],
)
def test_windows_paths(uri: str, folder: str, path: str) -> None:
    """Drives and network shares are compared as Windows does it, however the editor wrote them."""
    assert from_lsp.path_of(uri, [folder]) == path


@pytest.mark.parametrize("encoding", list(PositionEncoding))
def test_a_position_inside_of_a_character_is_before_it(encoding: PositionEncoding) -> None:
    """Half a character cannot be edited."""
    lines = TextLines("a😀b")
    inside = 1 if encoding is PositionEncoding.UTF32 else 2
    assert from_lsp.place_of(types.Position(line=0, character=inside), lines, encoding) == (0, 1)


@pytest.mark.parametrize(
    ("position", "place"), [((0, 99), (0, 3)), ((1, 99), (1, 0)), ((7, 0), (1, 0)), ((7, 7), (1, 0))]
)
def test_a_position_past_the_end(position: tuple[int, int], place: tuple[int, int]) -> None:
    """Past the end of a line is its end, past the last line is the end of the text."""
    lines = TextLines("one\r\n")
    assert from_lsp.place_of(types.Position(*position), lines, UTF16) == place


def test_lone_surrogates_become_encodable() -> None:
    """What cannot be written in UTF-8 is replaced; characters outside of the basic plane are left alone."""
    assert from_lsp.clean_text("a\ud83d😀\udc00b") == "a\ufffd😀\ufffdb"


@given(st.text(alphabet="ab\r\n😀é\u2028", max_size=30), st.data())
def test_a_change_does_what_the_editor_did(text: str, data: st.DataObject) -> None:
    """Our copy equals the editor's after every edit."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    new = data.draw(st.text(alphabet="xy\r\n🎈", max_size=6))
    if any(text[at - 1 : at + 1] == "\r\n" for at in (start, end)):
        return  # no editor's caret can be between the two
    where = types.Range(start=position(text, start), end=position(text, end))
    change = types.TextDocumentContentChangePartial(range=where, text=new)
    lines = TextLines(text)
    from_lsp.apply_change(change, lines, UTF16)
    assert "".join(lines) == text[:start] + new + text[end:]


def position(text: str, offset: int) -> types.Position:
    """The position of an offset, counted in another way than in the product."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    line = before.rpartition("\n")[2]
    return types.Position(line=before.count("\n"), character=len(line.encode("utf-16-le")) // 2)
