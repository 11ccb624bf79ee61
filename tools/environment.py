"""Sets up `.venv`, so that a clone needs nothing but Python, git, make and a C++ compiler.

Run it with the system's Python (`make environment` does): it uses the standard library only. The slow part is
llama.cpp, which is compiled for this very CPU; so its wheel is kept in the user's cache, where the next clone finds it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

LLAMA_CPP_VERSION = "0.3.36"
OLDEST_PYTHON = (3, 10)
OLDEST_PIP = "23.1"  # the first whose `-C` may be given more than once

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"

NO_COMMON_LIBRARY = "set(LLAMA_BUILD_COMMON OFF)\n"
"""Read by CMake before llama-cpp-python's own file, which asks for llama.cpp's `common` library. Nobody here uses it,
it takes half of the compile time, and when it is merely left out of the targets the wheel cannot be put together."""

LOG_TAIL_LINES = 30

OLD_PYTHON = """\
Python {oldest} or newer is needed, this is {found}: install one and name it (`make environment PYTHON=python3.12`)."""

NO_VENV = """\
This Python cannot make virtual environments (its `{module}` module is missing): install the package python3-venv
(Debian, Ubuntu: `apt install python3-venv`) and run this again."""

NO_COMPILER = """\
llama.cpp must be compiled, but there is no C++ compiler: install one (Debian, Ubuntu: `apt install g++`; Fedora:
`dnf install gcc-c++`; Arch: `pacman -S gcc`; macOS: `xcode-select --install`) and run this again."""

BUILD_FAILED = """\
{tail}

Compiling llama.cpp failed: the last {lines} lines of its log are above, all of it is in {log}"""

DOES_NOT_RUN = """\
{output}

The llama.cpp in {wheel} does not run on this machine (see above): delete the folder it is in and run this again,
and it will be compiled anew."""


class SetUpError(Exception):
    """Something that the person at the keyboard has to put right; its text says what."""


def say(text: str) -> None:
    """One line of progress, at once even through a pipe."""
    print(f"==> {text}", flush=True)


# ---- which wheel fits this machine -----------------------------------------------------------------------------------


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What this CPU can do: code compiled with `-march=native` dies with SIGILL on a CPU that can do less."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):  # x86, ARM
            return " ".join(sorted(value.split()))
    return platform.processor()


@dataclass(frozen=True)
class Build:
    """Everything that makes one llama-cpp-python wheel different from another."""

    version: str = LLAMA_CPP_VERSION
    cpu: str = ""
    cmake_args: str = ""
    """Flags of the user's own, for CUDA for instance; the build reads them from the environment itself."""

    @property
    def key(self) -> str:
        """The name of the cache folder: readable at the beginning, exact at the end."""
        system = (sysconfig.get_platform(), *platform.libc_ver())
        recipe = (NO_COMMON_LIBRARY, *self.pip_arguments(Path(), Path()))
        parts = (self.cpu, self.cmake_args, *system, *recipe)
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"{self.version}-{platform.machine()}-{digest[:16]}"

    def pip_arguments(self, folder: Path, include: Path) -> list[str]:
        """`pip wheel` for this build; `include` holds `NO_COMMON_LIBRARY`."""
        name = "llama-cpp-python"
        return [
            *("wheel", "--verbose", "--no-deps", "--no-binary", name, "--wheel-dir", str(folder)),
            "--no-cache-dir",  # pip keeps wheels that it built, and knows nothing about CPUs
            *("-C", "build.targets=llama"),
            *("-C", "cmake.define.LLAVA_BUILD=OFF"),  # the library for images
            *("-C", f"cmake.define.CMAKE_PROJECT_llama_cpp_INCLUDE={include.as_posix()}"),
            f"{name}=={self.version}",
        ]


def build_for_this_machine(environment: Mapping[str, str] = os.environ) -> Build:
    """The build that `environment` and this CPU ask for."""
    return Build(cpu=cpu_features(), cmake_args=environment.get("CMAKE_ARGS", "").strip())


def user_cache(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where wheels are kept; the same rule as platformdirs, which is not installed yet."""
    if system == "win32":
        base = Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif system == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ling-coder-lsp" / "wheels"


# ---- compiling it ----------------------------------------------------------------------------------------------------


class Meter:
    """Shows how far the compiler is, from ninja's `[12/78]`: one line on a terminal, elsewhere a line a tenth."""

    STEP = re.compile(r"^\s*\[(\d+)/(\d+)\]")

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._begin = time.monotonic()
        self._shown_tenths = 0

    def see(self, line: str) -> None:
        """Look at one line of the log."""
        found = self.STEP.match(line)
        if not found or not int(found[2]):
            return
        done, steps = int(found[1]), int(found[2])
        if self._out.isatty():
            self._out.write(f"\r    {self._text(done, steps)} ")
        elif done * 10 // steps > self._shown_tenths:
            self._shown_tenths = done * 10 // steps
            self._out.write(f"    {self._text(done, steps)}\n")
        self._out.flush()

    def end(self) -> None:
        """Leave the line that changed."""
        if self._out.isatty():
            self._out.write("\n")

    def _text(self, done: int, steps: int) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._begin), 60)
        return f"{done * 100 // steps:3d} %  file {done} of {steps}, {minutes}:{seconds:02d} min"


def find_wheel(folder: Path) -> Path | None:
    """The wheel in this cache folder, if it has one."""
    return next(iter(sorted(folder.glob("llama_cpp_python-*.whl"))), None)


def wheel_for(build: Build, cache: Path, pip: Sequence[str]) -> Path:
    """The wheel of this build: from the cache, or compiled now."""
    wheel = find_wheel(cache / build.key)
    if wheel:
        say(f"llama.cpp {build.version}: compiled earlier, in {wheel.parent}")
        return wheel
    need_compiler()
    return compile_wheel(build, cache, pip)


def need_compiler(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> None:
    """Say it now rather than in the middle of CMake's log. On Windows only CMake knows how to find the compiler."""
    names = [environment["CXX"].split()[0]] if environment.get("CXX", "").strip() else ["c++", "g++", "clang++"]
    if system != "win32" and not any(shutil.which(name) for name in names):
        raise SetUpError(NO_COMPILER)


def compile_wheel(build: Build, cache: Path, pip: Sequence[str]) -> Path:
    """Compile in a folder of its own: a wheel in its final place is complete, whoever else compiles the same one."""
    final = cache / build.key
    final.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache) as temporary:
        folder = Path(temporary)
        log = folder / "build.log"
        say(f"llama.cpp {build.version} is compiled for this CPU, once: a download of 80 MB, then 2 to 5 minutes")
        say(f"What the compiler says goes to {log}")
        try:
            succeeded = run_pip_wheel(build, pip, log)
        finally:
            log_kept = keep(log, final)
        wheel = find_wheel(folder)
        if not succeeded or wheel is None:
            tail = "\n".join(log_kept.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:])
            raise SetUpError(BUILD_FAILED.format(tail=tail, lines=LOG_TAIL_LINES, log=log_kept))
        return keep(wheel, final)


def run_pip_wheel(build: Build, pip: Sequence[str], log: Path) -> bool:
    """Whether `pip wheel` went well; its output goes to `log`, its progress to the terminal."""
    include = log.with_name("no_common_library.cmake")
    include.write_text(NO_COMMON_LIBRARY, encoding="utf-8")
    command = [*pip, *build.pip_arguments(log.parent, include)]
    meter = Meter(sys.stdout)
    with log.open("w", encoding="utf-8") as kept, output_of(command) as child:
        for line in child.stdout or ():
            kept.write(line)
            kept.flush()
            meter.see(line)
    meter.end()
    return child.returncode == 0


@contextmanager
def output_of(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A child whose output is read line by line, and that does not outlive us."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            yield child
        except BaseException:  # Ctrl-C included
            child.terminate()
            raise


def keep(file: Path, folder: Path) -> Path:
    """Move within the cache in one step: a reader sees the old file or the new one, never half of one."""
    return file.replace(folder / file.name)


# ---- the virtual environment -----------------------------------------------------------------------------------------


def python_of(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / "Scripts" / "python.exe" if sys.platform == "win32" else venv / "bin" / "python"


def make_venv(venv: Path) -> None:
    """Make it, unless it is there and works; one of a Python that was removed since is made again."""
    if works([str(python_of(venv)), "-m", "pip", "--version"]):
        return
    need_venv_module()
    say(f"Making {venv.name} with Python {platform.python_version()}")
    run([sys.executable, "-m", "venv", "--clear", str(venv)], "Making the virtual environment failed (see above).")


def need_venv_module() -> None:
    """Debian ships Python without these two, and its own message about that is long."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise SetUpError(NO_VENV.format(module=module))


def works(command: Sequence[str]) -> bool:
    """Whether a command exists and succeeds."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(command: Sequence[str], if_it_fails: str) -> None:
    """Run a command in front of the user's eyes."""
    if subprocess.run(command, check=False, cwd=ROOT).returncode != 0:
        raise SetUpError(if_it_fails)


def install_llama_cpp(venv: Path, build: Build, cache: Path) -> None:
    """Put the wheel of this build into `venv`; a marker remembers which one is in there."""
    marker = venv / "llama-cpp-build"
    if marker.exists() and marker.read_text(encoding="utf-8") == build.key:
        say(f"llama.cpp {build.version}: installed already")
        return
    pip = [str(python_of(venv)), "-m", "pip"]
    wheel = wheel_for(build, cache, pip)
    run([*pip, "install", "--quiet", "--force-reinstall", "--no-deps", str(wheel)], f"Installing {wheel} failed.")
    run([*pip, "install", "--quiet", str(wheel)], "Installing what llama-cpp-python needs failed (see above).")
    check_llama_cpp(venv, wheel)
    marker.write_text(build.key, encoding="utf-8")


def check_llama_cpp(venv: Path, wheel: Path) -> None:
    """Load the library once, so that a wheel that cannot run here is named here and not in a test."""
    code = "import llama_cpp; llama_cpp.llama_backend_init()"
    result = subprocess.run([str(python_of(venv)), "-c", code], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        output = result.stderr.strip() or f"It ended with status {result.returncode}."
        raise SetUpError(DOES_NOT_RUN.format(output=output, wheel=wheel))


def set_up(venv: Path = VENV) -> None:
    """All of it, in order; what is there already is left alone."""
    need_python()
    make_venv(venv)
    pip = [str(python_of(venv)), "-m", "pip"]
    run([*pip, "install", "--quiet", f"pip>={OLDEST_PIP}"], "Bringing pip up to date failed (see above).")
    install_llama_cpp(venv, build_for_this_machine(), user_cache())
    say("Installing this project and what its tests need")
    run([*pip, "install", "--quiet", "--editable", ".[dev]"], "Installing the project failed (see above).")
    say(f"{venv.name} is ready")


def need_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """An old Python would fail later, with a sentence that says nothing."""
    if version < OLDEST_PYTHON:
        found, oldest = (".".join(map(str, numbers)) for numbers in (version, OLDEST_PYTHON))
        raise SetUpError(OLD_PYTHON.format(oldest=oldest, found=found))


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Two runs in one checkout take turns. The system frees the lock when a run dies."""
    if sys.platform == "win32":  # no flock, and nobody there runs two makes
        yield
        return
    import fcntl  # not on Windows

    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up in this folder")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Exit status for the shell: 0 ready, 1 something to put right, 130 interrupted."""
    try:
        with alone(ROOT / ".venv.lock"):
            set_up()
    except SetUpError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; run it again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
