"""Which file a model's name means."""

from __future__ import annotations

from pathlib import Path

from lsp_server.errors import ModelFileError
from lsp_server.model_store.bundled import bundled_model
from lsp_server.model_store.choice import read_choice
from lsp_server.model_store.folders import choice_file, models_folder
from lsp_server.model_store.shelf import Model, State, all_models, find

__all__ = ["bundled_model", "locate_model", "recommended_percent"]

_GGUF_MAGIC = b"GGUF"
_SUFFIX = ".gguf"


def locate_model(name_or_path: str) -> Path:
    """The file for `lingCoder.model`; empty means what `models use` chose, else the bundled one.

    Raises:
        ModelFileError: there is no such model or file, it is not here, it cannot be read, or it is no GGUF.
        CatalogError: the catalog of models is wrong.
        StoreError: the list of imported files cannot be read.
    """
    if name_or_path:
        return _checked(_found(name_or_path))
    chosen = read_choice()
    if not chosen:
        return bundled_model()
    try:
        return _checked(_found(chosen))
    except ModelFileError as error:
        raise ModelFileError(f"{error} It was chosen with `models use`, and stands in {choice_file()}.") from error


def recommended_percent(path: Path) -> int:
    """What the catalog recommends for `lingCoder.minConfidencePercent` with this file; 0 where it says nothing."""
    entries = (model.entry for model in all_models() if model.path == path)
    return next((entry.min_confidence_percent or 0 for entry in entries if entry is not None), 0)


def _found(name_or_path: str) -> Path:
    path = Path(name_or_path).expanduser()
    if _looks_like_a_path(name_or_path):
        below = models_folder() / path
        return below if not path.exists() and below.is_file() else path
    model = find(name_or_path)
    if model is not None:
        return _of_model(model)
    if path.is_file():
        return path
    raise ModelFileError(
        f"There is no model {name_or_path!r}: `ling-coder-lsp models list` shows the names. A file needs its path."
    )


def _looks_like_a_path(text: str) -> bool:
    return text.endswith(_SUFFIX) or "/" in text or "\\" in text


def _of_model(model: Model) -> Path:
    if model.state.is_here:
        return model.path
    if model.state is State.GONE:
        raise ModelFileError(f"The file of the model {model.name} is no longer at {model.path}. Import it again.")
    raise ModelFileError(
        f"The model {model.name} is not on this machine. "
        f"`ling-coder-lsp models pull {model.name}` fetches it ({model.size_bytes / 1e9:.1f} GB)."
    )


def _checked(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        raise ModelFileError(
            f"The model file {path} cannot be read: {error.strerror}. Check `--model` or `lingCoder.model`."
        ) from error
    if magic != _GGUF_MAGIC:
        raise ModelFileError(
            f"{path} is no GGUF file: it does not begin with `GGUF`. Download it again, or choose another."
        )
    return path
