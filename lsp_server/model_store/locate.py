"""Which file a model's name means."""

from __future__ import annotations

from pathlib import Path

from lsp_server.errors import ModelFileError

BUNDLED_NAME = "demo.gguf"
_GGUF_MAGIC = b"GGUF"


def bundled_model() -> Path:
    """The model that is part of the package; in a checkout it lies in the folder `models`.

    Raises:
        ModelFileError: the installation is incomplete.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "bundled", package.parent / "models"):
        if (folder / BUNDLED_NAME).is_file():
            return folder / BUNDLED_NAME
    raise ModelFileError("The bundled model is missing from this installation. Set `lingCoder.model` to a GGUF file.")


def locate_model(name_or_path: str) -> Path:
    """The file for `lingCoder.model`; empty means the bundled one.

    Raises:
        ModelFileError: there is no such file, it cannot be read, or it is no GGUF.
    """
    if not name_or_path:
        return bundled_model()
    path = Path(name_or_path).expanduser()
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
