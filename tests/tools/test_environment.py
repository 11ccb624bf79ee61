"""The set-up that runs before anything is installed: no network, and a script in the place of pip."""

from __future__ import annotations

import importlib.util
import io
import platform
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tools import environment
from tools.environment import Build, Meter, SetUpError

BUILD = Build(version="0.3.36", cpu="avx avx2", cmake_args="")

FAKE_PIP = """\
import pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--wheel-dir") + 1])
for step in range(1, 41):
    print(f"  [{step}/40] c++ -O3 file{step}.cpp")
"""
MAKES_A_WHEEL = FAKE_PIP + '(folder / "llama_cpp_python-0.3.36-py3-none-any.whl").write_text("compiled")\n'
FAILS = FAKE_PIP + 'print("file.cpp:1: error: no such header")\nsys.exit(1)\n'
MUST_NOT_RUN = 'raise SystemExit("pip was called")\n'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def a_compiler_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


def pip_that(tmp_path: Path, does: str) -> list[str]:
    script = tmp_path / "fake_pip.py"
    script.write_text(does)
    return [sys.executable, str(script)]


# ---- the key -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        replace(BUILD, version="0.3.37"),
        replace(BUILD, cpu="avx avx2 avx512f"),
        replace(BUILD, cmake_args="-DGGML_CUDA=on"),
    ],
    ids=["version", "cpu", "CMAKE_ARGS"],
)
def test_what_makes_another_library_makes_another_key(other: Build) -> None:
    """A wheel is never used where another CPU, other flags or another version are wanted."""
    assert other.key != BUILD.key


def test_the_key_stays() -> None:
    """The same build is found again, also from another folder."""
    assert replace(BUILD).key == BUILD.key
    assert re.fullmatch(r"0\.3\.36-\w+-[0-9a-f]{16}", BUILD.key)


def test_cmake_args_come_from_the_environment() -> None:
    assert environment.build_for_this_machine({"CMAKE_ARGS": " -DGGML_CUDA=on "}).cmake_args == "-DGGML_CUDA=on"


@pytest.mark.parametrize("name", ["flags\t\t", "Features\t"], ids=["x86", "ARM"])
def test_cpu_features_do_not_depend_on_their_order(tmp_path: Path, name: str) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{name}: sse avx2 fma\n\nprocessor\t: 1\n{name}: other\n")
    assert environment.cpu_features(cpuinfo) == "avx2 fma sse"


def test_cpu_features_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert environment.cpu_features(tmp_path / "missing") == "arm"


@pytest.mark.parametrize(
    ("system", "variables", "begins_with"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, Path("/c")),
        ("linux", {"XDG_CACHE_HOME": ""}, Path.home() / ".cache"),
        ("darwin", {}, Path.home() / "Library" / "Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local")),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(system: str, variables: dict[str, str], begins_with: Path) -> None:
    assert environment.user_cache(variables, system) == begins_with / "ling-coder-lsp" / "wheels"


def test_the_pinned_version_is_one_that_the_project_accepts() -> None:
    requirement = f"llama-cpp-python>={environment.LLAMA_CPP_VERSION},"
    assert requirement in (environment.ROOT / "pyproject.toml").read_text()


# ---- progress ------------------------------------------------------------------------------------------------------


def test_elsewhere_progress_is_a_line_a_tenth() -> None:
    """A log of CI stays short, however many files there are."""
    out = io.StringIO()
    meter = Meter(out)
    for step in range(1, 79):
        meter.see(f"  [{step}/78] /usr/bin/gcc -O3 file.c\n")
    shown = [line.split("%")[0].strip() for line in out.getvalue().splitlines()]
    assert shown == ["10", "20", "30", "41", "50", "60", "70", "80", "91", "100"]


def test_on_a_terminal_progress_is_one_line() -> None:
    out = Terminal()
    meter = Meter(out)
    meter.see("[1/4] cc a.c")
    meter.see("[2/4] cc b.c")
    meter.end()
    assert [text.strip().split(",")[0] for text in out.getvalue().split("\r")[1:]] == [
        "25 %  file 1 of 4",
        "50 %  file 2 of 4",
    ]
    assert out.getvalue().count("\n") == 1


@pytest.mark.parametrize("line", ["", "Collecting llama-cpp-python", "-- see [1/2]", "[0/0] nothing", "[a/b]"])
def test_other_lines_are_no_progress(line: str) -> None:
    out = io.StringIO()
    Meter(out).see(line)
    assert out.getvalue() == ""


# ---- compiling -----------------------------------------------------------------------------------------------------


def test_a_compiled_wheel_lies_in_the_cache_with_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = environment.wheel_for(BUILD, tmp_path / "cache", pip_that(tmp_path, MAKES_A_WHEEL))
    assert wheel.read_text() == "compiled"
    assert wheel.parent == tmp_path / "cache" / BUILD.key
    assert "[40/40]" in (wheel.parent / "build.log").read_text()
    assert [left.name for left in (tmp_path / "cache").iterdir()] == [BUILD.key], "the folder it was compiled in"
    assert "100 %  file 40 of 40" in capsys.readouterr().out


def test_a_wheel_in_the_cache_is_not_compiled_again(tmp_path: Path) -> None:
    first = environment.wheel_for(BUILD, tmp_path / "cache", pip_that(tmp_path, MAKES_A_WHEEL))
    assert environment.wheel_for(BUILD, tmp_path / "cache", pip_that(tmp_path, MUST_NOT_RUN)) == first


def test_whoever_compiles_the_same_wheel_later_replaces_it_whole(tmp_path: Path) -> None:
    """Two runs at once: both end with the wheel in its place."""
    pip = pip_that(tmp_path, MAKES_A_WHEEL)
    assert environment.compile_wheel(BUILD, tmp_path, pip) == environment.compile_wheel(BUILD, tmp_path, pip)


def test_a_failed_build_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(SetUpError) as caught:
        environment.wheel_for(BUILD, tmp_path / "cache", pip_that(tmp_path, FAILS))
    shown, log = str(caught.value), tmp_path / "cache" / BUILD.key / "build.log"
    assert "error: no such header" in shown
    assert "[12/40]" in shown
    assert "[11/40]" not in shown, "30 lines are enough"
    assert f"Compiling llama.cpp failed: the last 30 lines of its log are above, all of it is in {log}" in shown
    assert "[1/40]" in log.read_text()
    assert environment.find_wheel(log.parent) is None


def test_a_missing_compiler_is_named_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SetUpError, match=r"no C\+\+ compiler: install one .*`apt install g\+\+`"):
        environment.wheel_for(BUILD, tmp_path, pip_that(tmp_path, MUST_NOT_RUN))


def test_pips_own_cache_is_not_used(tmp_path: Path) -> None:
    """Pip would hand out a wheel that it compiled for another CPU."""
    assert "--no-cache-dir" in BUILD.pip_arguments(tmp_path, tmp_path / "include.cmake")


# ---- the virtual environment ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find_spec(name))
    with pytest.raises(SetUpError, match=rf"`{missing}` module.*install the package python3-venv"):
        environment.make_venv(tmp_path / ".venv")


def test_an_old_python_says_so() -> None:
    with pytest.raises(SetUpError, match=r"Python 3\.10 or newer is needed, this is 3\.9\.2"):
        environment.need_python((3, 9, 2))


def test_what_is_installed_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(environment, "run", lambda *command: calls.append(command))
    monkeypatch.setattr(environment, "check_llama_cpp", lambda *_: None)
    monkeypatch.setattr(environment, "wheel_for", lambda *_: tmp_path / "a.whl")
    environment.install_llama_cpp(tmp_path, BUILD, tmp_path)
    assert calls
    calls.clear()
    environment.install_llama_cpp(tmp_path, BUILD, tmp_path)
    assert not calls
    environment.install_llama_cpp(tmp_path, replace(BUILD, cmake_args="-DGGML_CUDA=on"), tmp_path)
    assert calls


def test_problems_end_in_a_sentence_and_a_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise SetUpError("Install a thing.")

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "set_up", fail)
    assert environment.main() == 1
    assert capsys.readouterr().err == "\nInstall a thing.\n"
