"""Names: of the catalog, of imported files, of the chosen model; and the files that they mean."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from lsp_server.engine.base import EngineState
from lsp_server.engine.choose import make_engine
from lsp_server.errors import ModelFileError
from lsp_server.model_store.bundled import bundled_model
from lsp_server.model_store.catalog import read_catalog
from lsp_server.model_store.changes import choose, import_file, remove_model
from lsp_server.model_store.choice import read_choice, write_choice
from lsp_server.model_store.errors import Stopped, StoreError
from lsp_server.model_store.folders import choice_file, file_of, imported_list, models_folder
from lsp_server.model_store.locate import locate_model
from lsp_server.model_store.locks import locked
from lsp_server.model_store.shelf import Model, State, all_models, find
from lsp_server.model_store.wanted import wanted_model
from lsp_server.settings import Settings
from models import tiny
from tests.model_store.conftest import FILE, NAME, REPOSITORY


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """A whole model somewhere on the disk."""
    path = tmp_path / "somewhere" / "My Model.gguf"
    path.parent.mkdir()
    tiny.write_tiny(path)
    return path


def downloaded() -> Path:
    """As after `pull`."""
    path = file_of(REPOSITORY, FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    tiny.write_tiny(path)
    return path


def the(name: str) -> Model:
    model = find(name)
    assert model is not None
    return model


def test_without_a_choice() -> None:
    """The bundled model, by no name and by its own."""
    assert locate_model("") == locate_model("demo") == locate_model("DEMO") == bundled_model()


def test_a_name_of_the_catalog() -> None:
    """The downloaded file, however the name's letters are written."""
    path = downloaded()
    assert locate_model(NAME) == locate_model(NAME.upper()) == path


def test_a_model_that_is_not_here() -> None:
    """The sentence says what fetches it, and how large it is."""
    with pytest.raises(ModelFileError, match=f"`ling-coder-lsp models pull {NAME}` fetches it .9.3 GB"):
        locate_model(NAME)


def test_paths(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, relative, of the home folder, below the folder of models."""
    monkeypatch.chdir(own_file.parent)
    monkeypatch.setenv("HOME", str(own_file.parent))
    monkeypatch.setenv("USERPROFILE", str(own_file.parent))
    assert locate_model(str(own_file)) == own_file
    assert locate_model("My Model.gguf") == Path("My Model.gguf")
    assert locate_model("~/My Model.gguf") == own_file
    assert locate_model(f"{REPOSITORY}/{downloaded().name}") == file_of(REPOSITORY, FILE)


def test_a_name_of_nothing() -> None:
    """It says where names are."""
    with pytest.raises(ModelFileError, match="There is no model 'gpt': `ling-coder-lsp models list` shows the names"):
        locate_model("gpt")


def test_the_server_says_what_is_wrong() -> None:
    """A name that cannot be used is the engine's status, not a crash."""
    status = make_engine("llama", Settings(model=NAME)).status
    assert status.state is EngineState.FAILED
    assert f"models pull {NAME}" in status.message


def test_a_choice(own_file: Path) -> None:
    """It counts where nothing else is said."""
    assert choose(str(own_file)) == (str(own_file), own_file)
    assert locate_model("") == own_file
    assert locate_model("demo") == bundled_model()
    downloaded()
    assert choose(NAME.upper())[0] == NAME
    assert locate_model("") == file_of(REPOSITORY, FILE)


@pytest.mark.parametrize("name", ['quo"te\\ back', "Ünï 語 🙂", "tab\there", "del\x7f"])
def test_a_choice_with_any_name(name: str) -> None:
    """What was written is read again."""
    write_choice(name)
    assert read_choice() == name


def test_a_choice_that_is_gone(own_file: Path) -> None:
    """The sentence says where the choice stands."""
    choose(str(own_file))
    own_file.unlink()
    with pytest.raises(ModelFileError, match=r"cannot be read.*chosen with `models use`, and stands in .*model\.toml"):
        locate_model("")


@pytest.mark.parametrize("text", ["model =", 'mode = "x"', "model = 3", "\udcff"])
def test_a_broken_choice(text: str) -> None:
    """The file is named, and not overwritten by itself."""
    choice_file().parent.mkdir(parents=True)
    choice_file().write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelFileError, match=r"model\.toml"):
        locate_model("")


def test_only_what_is_here_can_be_chosen() -> None:
    """And what cannot be leaves the choice before."""
    choose("demo")
    (models_folder() / "broken.gguf").parent.mkdir()
    (models_folder() / "broken.gguf").write_bytes(b"GGUF")
    for name in (NAME, "gpt", "/nowhere/x.gguf", "broken.gguf"):
        with pytest.raises(ModelFileError):
            choose(name)
    assert read_choice() == "demo"


def test_an_imported_file(own_file: Path) -> None:
    """It has a name and stays where it is."""
    assert import_file(own_file) == "My Model"
    assert locate_model("my model") == own_file
    assert the("My Model").state is State.IMPORTED
    assert import_file(own_file, "another name") == "another name"
    assert choose("my model")[0] == "My Model"
    assert locate_model("") == own_file
    assert not list(models_folder().rglob("*.gguf"))


@pytest.mark.parametrize("name", ["demo", NAME, "a/b", "x.gguf", ".x", " ", "a\nb"])
def test_names_that_cannot_be_had(own_file: Path, name: str) -> None:
    """Those of the catalog, and what looks like a path."""
    with pytest.raises(ModelFileError, match="--name"):
        import_file(own_file, name)
    assert not imported_list().exists()


def test_an_imported_name_stays_with_its_file(own_file: Path, tmp_path: Path) -> None:
    """Another file does not take it; the same one may be imported again."""
    import_file(own_file, "mine")
    assert import_file(own_file, "mine") == "mine"
    other = tmp_path / "other.gguf"
    tiny.write_tiny(other)
    with pytest.raises(ModelFileError, match="There is a model mine already"):
        import_file(other, "mine")


def test_a_broken_file_is_not_imported(own_file: Path) -> None:
    """One that is too short for its tensors, and one that is no model."""
    data = own_file.read_bytes()
    own_file.write_bytes(data[:-1000])
    with pytest.raises(ModelFileError, match=r"is incomplete: [\d,]+ bytes are missing"):
        import_file(own_file)
    own_file.write_bytes(b"<html>")
    with pytest.raises(ModelFileError, match="is no GGUF file"):
        import_file(own_file)


def test_an_imported_file_that_is_gone(own_file: Path) -> None:
    """It is listed as gone, and can be forgotten."""
    import_file(own_file, "mine")
    own_file.unlink()
    assert the("mine").state is State.GONE
    with pytest.raises(ModelFileError, match="The file of the model mine is no longer at"):
        locate_model("mine")
    remove_model(the("mine"))
    assert find("mine") is None


@pytest.mark.parametrize("text", ["[", "[]", '{"a": 3}'])
def test_a_broken_list_of_names(text: str, own_file: Path) -> None:
    """It is named and not overwritten; a path works all the same."""
    imported_list().parent.mkdir(parents=True)
    imported_list().write_text(text)
    with pytest.raises(StoreError, match=r"imported\.json"):
        import_file(own_file)
    assert imported_list().read_text() == text
    assert locate_model(str(own_file)) == own_file


def test_removing_a_download() -> None:
    """The file goes with everything beside it, and the folders that it leaves empty; the choice is undone."""
    path = downloaded()
    for beside in (f".{FILE}.0123456789abcdef.part", f".{FILE}.origin.json"):
        (path.parent / beside).write_text("{}")
    choose(NAME)
    assert remove_model(the(NAME)) is True
    assert [each.name for each in models_folder().iterdir()] == [".locks"]
    assert locate_model("") == bundled_model()


def test_removing_an_imported_one(own_file: Path) -> None:
    """Only its name goes; another choice stays."""
    import_file(own_file, "mine")
    choose("demo")
    assert remove_model(the("mine")) is False
    assert own_file.is_file()
    assert read_choice() == "demo"


def test_what_cannot_be_removed() -> None:
    """What is part of the package, what is not here, and what is being downloaded."""
    with pytest.raises(ModelFileError, match="is part of the package"):
        remove_model(the("demo"))
    with pytest.raises(ModelFileError, match="is not on this machine"):
        remove_model(the(NAME))
    path = downloaded()
    with locked(path):
        outcome: list[BaseException] = []

        def try_it() -> None:
            try:
                remove_model(the(NAME))
            except Stopped as error:
                outcome.append(error)

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert [type(each) for each in outcome] == [Stopped]
    assert path.is_file()


def test_what_there_is() -> None:
    """The catalog in its order, then what else lies in the folder."""
    other = models_folder() / "some" / "body" / "x.gguf"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"GGUF")
    part = downloaded().with_name(f".{FILE}.0123456789abcdef.part")
    part.write_bytes(b"GGUF half")
    models = all_models()
    assert [model.name for model in models] == [*(entry.name for entry in read_catalog()), "some/body/x.gguf"]
    assert (models[-1].state, the(NAME).state, the("demo").state) == (State.FOUND, State.DOWNLOADED, State.BUNDLED)
    file_of(REPOSITORY, FILE).unlink()
    assert (the(NAME).state, the(NAME).part_bytes) == (State.PART, 9)


def test_what_can_be_fetched() -> None:
    """A name of the catalog, or a file of the hub in full."""
    assert wanted_model(NAME.upper()).target == file_of(REPOSITORY, FILE)
    other = wanted_model("some-body/A.b_c/sub/File-1.gguf")
    assert (other.repository, other.file) == ("some-body/A.b_c", "sub/File-1.gguf")
    assert other.target == models_folder() / "some-body" / "A.b_c" / "sub" / "File-1.gguf"


@pytest.mark.parametrize(
    "name", ["gpt", "demo", "a/b", "a/b.gguf", "a/b/../c.gguf", "../a/b.gguf", "a//b.gguf", "/a/b.gguf"]
)
def test_what_cannot_be_fetched(name: str) -> None:
    """Nothing leaves the folder of models."""
    with pytest.raises(ModelFileError):
        wanted_model(name)


def test_many_names_at_once(own_file: Path) -> None:
    """Whoever imports at the same time loses nothing."""
    names = [f"model {number}" for number in range(8)]
    threads = [threading.Thread(target=import_file, args=(own_file, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(json.loads(imported_list().read_text())) == names
