"""`engine.toml`: defaults without it, and one sentence that names file and key for whatever is wrong in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lsp_server.engine.engine_settings import (
    EngineSettings,
    configuration_folder,
    read_engine_settings,
    threads_for,
)
from lsp_server.errors import EngineError

NAMES = [field.name for field in dataclasses.fields(EngineSettings)]
SMALL, LARGE = 10 * 2**20, 2**34


def read(folder: Path, toml: str | bytes) -> EngineSettings:
    """What is read from a file with this content."""
    (folder / "engine.toml").write_bytes(toml.encode() if isinstance(toml, str) else toml)
    return read_engine_settings(folder)


def refusal(folder: Path, toml: str | bytes) -> str:
    """The sentence that refuses a file; it names the file."""
    with pytest.raises(EngineError) as caught:
        read(folder, toml)
    message = str(caught.value)
    assert str(folder / "engine.toml") in message
    assert message.endswith(".")
    return message


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    """Also without its folder."""
    assert read_engine_settings(tmp_path) == EngineSettings()
    assert read_engine_settings(tmp_path / "nowhere") == EngineSettings()


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    """Comments are nothing."""
    assert read(tmp_path, "# nothing yet\n") == EngineSettings()


def test_what_is_in_the_file_replaces_the_default(tmp_path: Path) -> None:
    """The rest stays."""
    found = read(tmp_path, "threads = 3\nrepack_weights = true\nlinger_seconds = 1.5\ngpu_layers = 0\n")
    assert found == EngineSettings(threads=3, repack_weights=True, linger_seconds=1.5, gpu_layers=0)


def test_a_whole_number_of_seconds_will_do(tmp_path: Path) -> None:
    """People leave out the point; they also may want an engine that always or never stays."""
    assert read(tmp_path, "linger_seconds = 5").linger_seconds == 5
    assert read(tmp_path, "linger_seconds = 0").linger_seconds == 0
    assert read(tmp_path, "linger_seconds = inf").linger_seconds == float("inf")


def test_a_byte_order_mark_and_other_line_ends_do_not_matter(tmp_path: Path) -> None:
    """Editors on Windows write both."""
    assert read(tmp_path, b"\xef\xbb\xbfthreads = 3\r\ncells = 99\r\n") == EngineSettings(threads=3, cells=99)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ['"4"', "[4]", "{ a = 4 }", "2020-01-01", "nan", "-2"])
def test_wrong_values_are_refused_with_their_name(tmp_path: Path, name: str, value: str) -> None:
    """Of every setting."""
    assert f"`{name}`" in refusal(tmp_path, f"{name} = {value}")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "linger_seconds"])
def test_there_are_no_broken_numbers(tmp_path: Path, name: str) -> None:
    """But for seconds."""
    assert f"`{name}`" in refusal(tmp_path, f"{name} = 4.5")


@pytest.mark.parametrize("name", NAMES)
def test_yes_is_no_number_and_a_number_is_not_yes(tmp_path: Path, name: str) -> None:
    """Though Python takes one for the other."""
    assert f"`{name}`" in refusal(tmp_path, f"{name} = {1 if name == 'repack_weights' else 'true'}")


@pytest.mark.parametrize("name", ["cells", "lane_tokens", "lanes", "micro_batch_tokens"])
def test_sizes_are_at_least_one(tmp_path: Path, name: str) -> None:
    """Zero of them is no engine."""
    assert "at least 1" in refusal(tmp_path, f"{name} = 0")


@pytest.mark.parametrize("name", ["threads", "cells", "lane_tokens", "lanes", "micro_batch_tokens"])
def test_nothing_is_beyond_all_measure(tmp_path: Path, name: str) -> None:
    """llama.cpp would take it and die."""
    assert f"`{name}` must be at most" in refusal(tmp_path, f"{name} = {2**40}")


def test_unknown_settings_are_refused_with_those_that_exist(tmp_path: Path) -> None:
    """A misspelt name would be ignored in silence otherwise."""
    message = refusal(tmp_path, "thread = 4")
    assert "`thread`" in message
    assert all(name in message for name in NAMES)


@pytest.mark.parametrize("toml", [b"threads = ", b"\xff\xfe\x00", b"[", b"threads = 1\nthreads = 2"])
def test_what_is_no_toml_is_refused(tmp_path: Path, toml: bytes) -> None:
    """With the place where that shows."""
    assert "cannot be read" in refusal(tmp_path, toml)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """As everything that cannot be opened."""
    (tmp_path / "engine.toml").mkdir()
    with pytest.raises(EngineError, match="cannot be read"):
        read_engine_settings(tmp_path)


def test_the_folder_can_be_set_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, or the platform's place for it."""
    monkeypatch.setenv("LING_CODER_CONFIG_DIR", str(tmp_path))
    assert configuration_folder() == tmp_path
    (tmp_path / "engine.toml").write_text("cells = 77")
    assert read_engine_settings().cells == 77
    monkeypatch.delenv("LING_CODER_CONFIG_DIR")
    assert configuration_folder().name == "ling-coder-lsp"


@pytest.mark.parametrize(
    ("settings", "cores", "size", "threads"),
    [
        (EngineSettings(), 1, LARGE, 1),
        (EngineSettings(), 2, LARGE, 2),
        (EngineSettings(), 3, LARGE, 2),
        (EngineSettings(), 16, LARGE, 15),
        (EngineSettings(), 16, SMALL, 1),
        (EngineSettings(), 0, LARGE, 1),
        (EngineSettings(threads=5), 2, LARGE, 5),
        (EngineSettings(threads=5), 2, SMALL, 5),
    ],
)
def test_threads(settings: EngineSettings, cores: int, size: int, threads: int) -> None:
    """As set, else one for a small model, else all physical cores but one where there are more than two."""
    assert threads_for(settings, cores, size) == threads
