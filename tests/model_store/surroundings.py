"""Keeps a test apart from the models, the choice, the token and the proxy of whoever runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

_OF_THE_MACHINE = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HF_ENDPOINT", "HF_HUB_OFFLINE",
)  # fmt: skip


def keep_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is written goes into this folder."""
    for name in _OF_THE_MACHINE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("LING_CODER_MODELS_DIR", str(folder / "models"))
    monkeypatch.setenv("LING_CODER_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setenv("HF_HOME", str(folder / "hugging-face"))
    monkeypatch.setenv("HF_TOKEN", "hf_token_of_the_test")
