"""`ling-coder-lsp models`: what a person sees and is asked, what a script gets, and who uses the network."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli import main
from lsp_server.cli.models import listing, pulling, using
from lsp_server.model_store import fit
from lsp_server.model_store.fit import Memory
from lsp_server.model_store.folders import choice_file, file_of, models_folder
from lsp_server.model_store.hub import Hub
from lsp_server.model_store.part_names import part_of
from models import tiny
from tests.model_store.hub_stand_in import HubStandIn, running_hub
from tests.model_store.surroundings import keep_apart

GIB = 2**30
NAME, REPOSITORY, FILE = "ling-coder-lite-iq4_xs", "mradermacher/Ling-Coder-lite-GGUF", "Ling-Coder-lite.IQ4_XS.gguf"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of the test's own, a machine with 16 GB, and nobody to ask."""
    keep_apart(tmp_path, monkeypatch)
    monkeypatch.setattr(fit, "memory_now", lambda: Memory(16 * GIB, 14 * 10**9))
    monkeypatch.setattr(listing, "memory_now", lambda: Memory(16 * GIB, 14 * 10**9))
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def models(capsys: pytest.CaptureFixture[str]) -> Command:
    """`models("list", "--json")` -> exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        return main(["models", *arguments]), *capsys.readouterr()

    return run


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`answers("y")`: somebody sits at the terminal and types that."""

    def type_in(text: str) -> None:
        terminal = io.StringIO(f"{text}\n")
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)

    return type_in


@pytest.fixture
def hub_server(tiny_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """A hub whose model is a real, tiny one."""
    with running_hub({REPOSITORY: {FILE: tiny_file.read_bytes()}}) as stand_in:
        monkeypatch.setattr(pulling, "Hub", partial(Hub, stand_in.endpoint))
        yield stand_in


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    tiny.write_tiny(path)
    return path


def row(out: str, name: str) -> list[str]:
    """The words of one line of the list."""
    return next(line.split() for line in out.splitlines() if name in line.split())


def rows(out: str) -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in json.loads(out)["models"]}


def test_list(models: Command) -> None:
    """What is known, how large it is, what fits, and what is in use; estimates are marked."""
    code, out, err = models("list")
    assert (code, err) == (0, "")
    assert row(out, NAME) == [NAME, "~9.30", "GB", "~10.0", "GB", "yes", "not", "known", "yes", "MIT"]
    assert row(out, "ling-coder-lite-q4_k_m")[5] == "no"
    assert row(out, "demo") == [
        "*",
        "demo",
        "5.9",
        "MB",
        "21.6",
        "MB",
        "yes",
        "yes",
        "no",
        "MIT",
        "part",
        "of",
        "the",
        "package",
    ]
    assert "Memory: 17.2 GB, 14.0 GB of it available; a model may take 10.3 GB here." in out
    assert f"Recommended here: `ling-coder-lsp models pull {NAME}`." in out
    assert f"Folder: {models_folder()}" in out


def test_list_as_json(models: Command) -> None:
    """One object; sizes in bytes."""
    code, out, _ = models("list", "--json")
    found = json.loads(out)
    assert (code, out.count("\n")) == (0, 1)
    assert (found["in_use"], found["recommended"], found["folder"]) == ("demo", NAME, str(models_folder()))
    assert found["memory"]["budget_bytes"] == 16 * GIB * 60 // 100
    model = rows(out)[NAME]
    assert (model["state"], model["path"], model["in_use"], model["fits"]) == ("absent", None, False, True)
    assert (model["size_bytes"], model["size_is_estimate"]) == (9_300_000_000, True)
    assert (model["licence"], model["chat"], model["fim_template"]) == ("MIT", True, "probe")


def test_list_of_what_is_here(models: Command, tiny_file: Path) -> None:
    """Downloads, stopped downloads, imported files, and a chosen file that has no name."""
    path = file_of(REPOSITORY, FILE)
    path.parent.mkdir(parents=True)
    path.with_name(f".{FILE}.0123456789abcdef.part").write_bytes(b"GGUF" + bytes(10**6))
    assert row(models("list")[1], NAME)[-6:] == ["1.0", "MB", "of", "it", "are", "here"]
    path.write_bytes(tiny_file.read_bytes())
    models("import", str(tiny_file), "--name", "mine")
    models("use", str(tiny_file))
    _, out, _ = models("list")
    assert (row(out, NAME)[-1], row(out, "mine")) == ("here", ["*", "mine", "2.2", "MB", "imported"])
    assert "Recommended" not in out
    models("remove", "mine", "--yes")
    models("use", str(tiny_file))
    assert f"In use: {tiny_file}" in models("list")[1]


def test_pull(models: Command, hub_server: HubStandIn, answers: Callable[[str], None], tiny_file: Path) -> None:
    """Size, licence, memory and place are told before anything is fetched; then the file is used by its name."""
    answers("y")
    code, out, err = models("pull", NAME)
    assert (code, out) == (0, f"{NAME} is here: {file_of(REPOSITORY, FILE)}\n")
    for part in (
        "size      2.2 MB",
        "licence   mit",
        "checked   by SHA-256",
        "may take here: fits",
        "Download 2.2 MB? [y/N]",
    ):
        assert part in err
    assert file_of(REPOSITORY, FILE).read_bytes() == tiny_file.read_bytes()
    assert f"models use {NAME}` lets the server use it" in err
    assert models("use", NAME)[0] == 0
    assert json.loads(models("inspect", NAME, "--json")[1])["architecture"] == "bailingmoe"


def test_pull_goes_on(models: Command, hub_server: HubStandIn, answers: Callable[[str], None]) -> None:
    """Asked is what is missing; what is here is told."""
    answers("y")
    size_bytes = len(hub_server.files[REPOSITORY][FILE])
    part = part_of(file_of(REPOSITORY, FILE), Hub(hub_server.endpoint).look_up(REPOSITORY, FILE).sha256 or "")
    part.parent.mkdir(parents=True)
    part.write_bytes(hub_server.files[REPOSITORY][FILE][: size_bytes - 500_000])
    code, _, err = models("pull", NAME)
    assert code == 0
    assert "arrived   1.7 MB from an earlier try" in err
    assert "Download 0.5 MB? [y/N]" in err
    assert hub_server.ranges() == [f"bytes={size_bytes - 500_000}-"]


@pytest.mark.parametrize("answer", ["n", "", "nope"])
def test_pull_is_refused(models: Command, hub_server: HubStandIn, answers: Callable[[str], None], answer: str) -> None:
    """Only a yes is a yes."""
    answers(answer)
    code, out, err = models("pull", NAME)
    assert (code, out) == (1, "")
    assert err.endswith("ling-coder-lsp: Nothing was downloaded.\n")
    assert hub_server.ranges() == []


def test_pull_without_anybody_to_ask(models: Command, hub_server: HubStandIn) -> None:
    """A script says `--yes`."""
    code, out, err = models("pull", NAME)
    assert (code, out) == (1, "")
    assert "add `--yes`" in err
    assert hub_server.ranges() == []


def test_pull_as_json(models: Command, hub_server: HubStandIn, tiny_file: Path) -> None:
    """One object on stdout; again, it says that nothing had to be fetched, and asks nobody."""
    size_bytes = tiny_file.stat().st_size
    code, out, _ = models("pull", NAME, "--yes", "--json")
    found = json.loads(out)
    assert (code, found["arrived_bytes"], found["size_bytes"]) == (0, size_bytes, size_bytes)
    asked = len(hub_server.requests)
    code, out, _ = models("pull", NAME, "--json")
    assert (code, json.loads(out)) == (0, {**found, "arrived_bytes": 0})
    assert len(hub_server.requests) == asked
    assert models("pull", NAME)[1] == f"{NAME} was here already: {found['path']}\n"


def test_pull_of_what_is_too_large(models: Command, hub_server: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said; whoever wants it all the same says yes."""
    monkeypatch.setattr(pulling, "memory_now", lambda: Memory(4 * GIB, 10**9))
    code, _, err = models("pull", NAME, "--yes")
    assert code == 0
    assert "of the 0.0 MB that a model may take here: does NOT fit: it will be slow, or not load at all" in err


def test_pull_of_any_file(models: Command, hub_server: HubStandIn) -> None:
    """A file of the hub by its full name is in the list, and can be used and removed by it."""
    hub_server.files["some/body"] = {"Any.gguf": hub_server.files[REPOSITORY][FILE]}
    assert models("pull", "some/body/Any.gguf", "--yes")[0] == 0
    assert rows(models("list", "--json")[1])["some/body/Any.gguf"]["state"] == "found"
    assert models("use", "some/body/Any.gguf")[0] == 0
    assert models("remove", "some/body/Any.gguf", "--yes")[1].startswith(
        "some/body/Any.gguf is removed.\nIt was in use"
    )
    assert not choice_file().exists()


def test_pull_of_what_there_is_not(models: Command, hub_server: HubStandIn) -> None:
    """One sentence."""
    code, out, err = models("pull", "some/body/Any.gguf", "--yes")
    assert (code, out) == (1, "")
    assert err == (
        "ling-coder-lsp: The hub does not have the repository some/body (404). "
        "Check its name, and HF_ENDPOINT if it is set.\n"
    )


def test_import_use_remove(models: Command, tiny_file: Path, answers: Callable[[str], None]) -> None:
    """A file of the user's own, from its name to its being forgotten."""
    assert (
        models("import", str(tiny_file))[1] == f"tiny is known now. The file stays at {tiny_file}; no copy was made.\n"
    )
    assert models("use", "tiny")[1].startswith("The server takes tiny from its next start on")
    assert rows(models("list", "--json")[1])["tiny"]["in_use"]
    answers("n")
    assert models("remove", "tiny")[0] == 1
    answers("y")
    code, out, err = models("remove", "tiny")
    assert (code, err) == (0, f"Forget tiny? Its file {tiny_file} stays. [y/N] ")
    assert out == "tiny is forgotten; its file stays.\nIt was in use: the server takes the demo model again.\n"
    assert tiny_file.is_file()


def test_use_of_what_is_too_large(models: Command, tiny_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is chosen, and the user is told."""
    monkeypatch.setattr(using, "memory_now", lambda: Memory(4 * GIB, 10**9))
    code, out, err = models("use", str(tiny_file))
    assert (code, out[:17]) == (0, "The server takes ")
    assert err.startswith("It needs 8.5 MB of the 0.0 MB that a model may take here: does NOT fit")


def test_json_of_import_use_remove(models: Command, tiny_file: Path) -> None:
    """One object each."""
    path = str(tiny_file)
    assert json.loads(models("import", path, "--name", "mine", "--json")[1]) == {"name": "mine", "path": path}
    used = {"model": "mine", "path": path, "written_to": str(choice_file())}
    assert json.loads(models("use", "mine", "--json")[1]) == used
    removed = {"name": "mine", "path": path, "was_in_use": True}
    assert json.loads(models("remove", "mine", "--yes", "--json")[1]) == removed


def test_inspect(models: Command, tiny_file: Path) -> None:
    """What the file says, in words and as one object."""
    code, out, err = models("inspect", str(tiny_file))
    assert (code, err) == (0, "")
    for part in ("architecture  bailingmoe", "fills in      yes", "chat template yes", "context       16,384 tokens"):
        assert part in out
    assert "FIM prefix" in out
    found = json.loads(models("inspect", str(tiny_file), "--json")[1])
    assert (found["can_fill_in"], found["missing_bytes"], found["fits"]) == (True, 0, True)
    assert found["path"] == str(tiny_file)
    assert {"name", "count", "types", "parameters", "size_bytes"} == set(found["kinds"][0])


def test_inspect_of_half_a_file(models: Command, tiny_file: Path, tmp_path: Path) -> None:
    """It says what there is, and that it is not all."""
    half = tmp_path / "half.gguf"
    half.write_bytes(tiny_file.read_bytes()[:-100])
    code, out, err = models("inspect", str(half), "--json")
    assert (code, json.loads(out)["missing_bytes"]) == (1, 100)
    assert err == f"ling-coder-lsp: {half} is incomplete: 100 bytes are missing. Download it again.\n"


@pytest.mark.parametrize("arguments", [("use", "gpt"), ("inspect", "gpt"), ("remove", "gpt", "--yes"), ("pull", "gpt")])
def test_names_of_nothing(models: Command, arguments: tuple[str, ...]) -> None:
    """One sentence, wherever a name is asked for."""
    code, out, err = models(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("ling-coder-lsp: There is no model 'gpt': `ling-coder-lsp models list` shows the names.")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Each subcommand explains itself and has `--json`."""
    for name in ("list", "pull", "import", "inspect", "use", "remove"):
        with pytest.raises(SystemExit, match="0"):
            main(["models", name, "--help"])
        assert "--json" in capsys.readouterr().out


def test_only_pull_uses_the_network(models: Command, tiny_file: Path, socket_disabled: None) -> None:
    """Everything else works where there is no network at all: not one socket is made."""
    for arguments in (
        ("list",), ("import", str(tiny_file), "--name", "mine"), ("inspect", "mine"), ("use", "mine"),
        ("remove", "mine", "--yes"),
    ):  # fmt: skip
        assert models(*arguments)[0] == 0


def test_a_list_loads_nothing_heavy() -> None:
    """It answers in a moment: no HTTP client, no numpy, no llama.cpp."""
    code = (
        "import sys; from lsp_server.cli import main; main(['models', 'list']); sys.exit(bool("
        "{'huggingface_hub', 'httpx2', 'numpy', 'gguf', 'llama_cpp', 'pygls', 'filelock'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False, capture_output=True).returncode == 0
