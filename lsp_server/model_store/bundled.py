"""What is part of the package: the demo model and the catalog. In a checkout they lie in the folder `models`."""

from __future__ import annotations

from pathlib import Path

from lsp_server.errors import ModelFileError

BUNDLED_NAME = "demo.gguf"
CATALOG_NAME = "catalog.toml"


def bundled_model() -> Path:
    """The model that works without a download.

    Raises:
        ModelFileError: the installation is incomplete.
    """
    found = bundled_file(BUNDLED_NAME)
    if found is None:
        raise ModelFileError(
            "The bundled model is missing from this installation. Set `lingCoder.model` to a GGUF file."
        )
    return found


def bundled_file(name: str) -> Path | None:
    """A file of the package; `None` where the installation is incomplete."""
    package = Path(__file__).parents[1]
    places = (package / "bundled" / name, package.parent / "models" / name)
    return next((place for place in places if place.is_file()), None)
