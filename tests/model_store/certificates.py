"""A private authority and a certificate that it signed, made by `openssl` when a test needs them."""

from __future__ import annotations

import subprocess
from pathlib import Path

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch")


def make_authority(folder: Path) -> Path:
    """The authority's certificate; its key lies beside it."""
    _openssl(
        folder, "req", "-x509", *_NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=A company's own authority", "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    return folder / "ca.pem"


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate for these hosts, signed by the authority in the folder, and its key."""
    alternatives = ",".join(f"DNS:{name}" for name in names)
    _openssl(folder, "req", *_NEW_KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={names[0]}")
    (folder / "more").write_text(
        f"subjectAltName={alternatives}\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n"
    )
    _openssl(
        folder, "x509", "-req", "-in", "server.csr", "-out", "server.pem", "-days", "2", "-extfile", "more",
        "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
    )  # fmt: skip
    return folder / "server.pem", folder / "server.key"


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)
