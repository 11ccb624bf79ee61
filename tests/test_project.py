"""What holds for the project as a whole."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import lsp_server

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lsp_server"
FOLDERS = ("lsp_server", "models", "tests", "tools", "examples")
OF_A_MACHINE = re.compile(r"/(?:home|Users)/(?!user/|name/|you/|me/)\w{2,}/|[A-Z]:\\\\?Users")


def test_stdout_is_the_protocols() -> None:
    """Only the command line prints; one `print` in the server breaks every message after it."""
    for path in PACKAGE.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        prints = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        assert not prints or "cli" in path.relative_to(PACKAGE).parts, f"{path} prints in line {prints}"


def test_nothing_is_tied_to_one_machine() -> None:
    """No path of somebody's home or checkout is in the sources."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    for path in (*paths, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile"):
        text = path.read_text(encoding="utf-8")
        assert not OF_A_MACHINE.findall(text), f"{path} names a folder of somebody's"
        assert f"{ROOT}/" not in text, f"{path} names this checkout"


def test_one_version() -> None:
    """The wheel and the server say the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == lsp_server.__version__


def test_the_package_imports_without_llama_cpp_and_without_an_editor() -> None:
    """The steps load neither: a broken wheel of llama.cpp is the engine's problem, not the server's."""
    code = "import sys, lsp_server.completion; sys.exit(bool({'llama_cpp', 'pygls', 'lsprotocol'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
