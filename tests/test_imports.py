"""Who may import whom. Imports inside of functions and under `TYPE_CHECKING` count, too."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lsp_server"
ORDER = ("documents", "context", "prompt", "engine", "postprocess")
"""The way of the data: each step imports only itself, steps to its left, and the ground."""

GROUND = {"lsp_server.errors", "lsp_server.outcome", "lsp_server.settings", "lsp_server.engine.base"}
"""Types that every step may speak of. `engine/base.py` says what an engine is and imports no engine."""

EDGE = {
    "protocol",
    "cli",
    "server",
    "session",
    "state",
    "hope",
    "in_flight",
    "statistics",
    "completion",
    "laying_out",
    "memory",
    "answer",
    "ahead",
    "pace",
    "power",
    "reuse",
    "scenario",
    "trace",
    "bench",
    "__main__",
}
"""What calls the steps, and is never called by them."""

LSP = {"pygls", "lsprotocol"}


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, names imported from a package included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module in _packages()}
    return names


def _packages() -> set[str]:
    folders = [PACKAGE, *(path.parent for path in PACKAGE.rglob("__init__.py"))]
    return {".".join(folder.relative_to(PACKAGE.parent).parts) for folder in folders}


def parts_of_ours(names: set[str]) -> set[str]:
    """`lsp_server.engine.lanes` -> `engine`, the ground left out."""
    return {name.split(".")[1] for name in names - GROUND if name.startswith("lsp_server.")} - {
        "errors", "outcome", "settings",
    }  # fmt: skip


def modules(folder: Path = PACKAGE) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("step", ORDER)
def test_steps_only_look_back(step: str) -> None:
    """No step knows one to its right, or who calls it."""
    later = {*ORDER[ORDER.index(step) + 1 :], *EDGE}
    for path in modules(PACKAGE / step):
        names = imported(path)
        if "lsp_server.engine.base" in names:
            names.discard("lsp_server.engine")  # on the way to the ground
        assert not parts_of_ours(names) & later, f"{named(path)} imports what comes after {step}"


@pytest.mark.parametrize("ground", sorted(GROUND))
def test_the_ground_rests_on_nothing(ground: str) -> None:
    """What everybody may import imports only the ground."""
    names = imported(PACKAGE.parent.joinpath(*ground.split(".")).with_suffix(".py"))
    ours = {name for name in names if name.startswith("lsp_server")}
    assert {name for name in ours if name.rpartition(".")[0] not in GROUND} <= GROUND


def test_only_the_edge_knows_the_protocol() -> None:
    """pygls and lsprotocol are imported in `protocol/` alone."""
    for path in modules():
        if "protocol" not in path.relative_to(PACKAGE).parts[:1]:
            assert not {name.split(".")[0] for name in imported(path)} & LSP, named(path)


def test_only_one_file_knows_llama_cpp() -> None:
    """Everything else goes through `engine/base.py`."""
    for path in modules():
        if path != PACKAGE / "engine" / "llama.py":
            assert "llama_cpp" not in {name.split(".")[0] for name in imported(path)}, named(path)


def test_imports_in_functions_are_seen(tmp_path: Path) -> None:
    """The check itself misses nothing."""
    path = tmp_path / "lazy.py"
    path.write_text("def f():\n    import llama_cpp.llama_cpp\n    from lsp_server import engine\n", encoding="utf-8")
    assert imported(path) == {"llama_cpp.llama_cpp", "lsp_server", "lsp_server.engine"}
    assert parts_of_ours(imported(path)) == {"engine"}
