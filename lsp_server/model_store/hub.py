"""The hub that models are fetched from: what it says of a file, and the file's bytes from any place on.

`huggingface_hub` brings addresses, tokens (`HF_TOKEN`), the mirror (`HF_ENDPOINT`) and a client that goes by the proxy
(`HTTPS_PROXY`) and private certificates (`SSL_CERT_FILE`). Its own `hf_hub_download` is not used: since version 2 it
drops what has arrived when a process ends, and these files take hours. One plain HTTP path; nothing is reported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsp_server import __version__
from lsp_server.model_store.errors import NotOnTheHub, WrongContent

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_SWITCHES = ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it; the address is that of one commit, so that it stays the same file."""

    repository: str
    name: str
    commit: str
    size_bytes: int
    sha256: str | None
    """`None` where the hub does not say it: then only the size is checked."""
    licence: str
    """Of the repository; empty where it names none."""
    url: str

    @property
    def label(self) -> str:
        """For sentences."""
        return f"{self.repository}/{self.name}"


@dataclass(frozen=True, slots=True)
class Arriving:
    """The bytes of a file from `offset_bytes` on, which is 0 where the server does not do parts."""

    offset_bytes: int
    chunks: Iterator[bytes]


class Hub:
    """A hub for models; without an address that of `HF_ENDPOINT`, or huggingface.co."""

    def __init__(self, endpoint: str | None = None) -> None:
        for switch in _SWITCHES:  # read when huggingface_hub is imported
            os.environ[switch] = "1"
        from huggingface_hub import HfApi

        self._api = HfApi(endpoint=endpoint, library_name="ling-coder-lsp", library_version=__version__)

    def look_up(self, repository: str, file: str, quantization: str = "") -> RemoteFile:
        """What the hub says of a file; where no file has that name, of the one with that quantization.

        Raises:
            DownloadError: there is none, we may not have it, or the hub cannot be reached.
        """
        from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

        from lsp_server.model_store.hub_errors import translated

        with translated(f"the repository {repository}"):
            info = self._api.model_info(repository, files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT)
            listed = {sibling.rfilename: sibling for sibling in info.siblings or ()}
            licence = _licence(info)
        name = choose_file(repository, tuple(listed), file, quantization)
        with translated(f"the file {repository}/{name}"):
            url = hf_hub_url(repository, name, revision=info.sha, endpoint=self._api.endpoint)
            found = get_hf_file_metadata(url, headers=self._headers(), timeout=constants.HF_HUB_ETAG_TIMEOUT)
            said = [found.etag, getattr(listed[name].lfs, "sha256", None)]
            size_bytes = found.size or listed[name].size
        if not size_bytes:
            raise WrongContent(f"The hub does not say how large {repository}/{name} is, or it is empty.")
        sha256 = next((each for each in said if each and _SHA256.fullmatch(each)), None)
        return RemoteFile(repository, name, info.sha or "main", size_bytes, sha256, licence, url)

    @contextmanager
    def arriving(self, remote: RemoteFile, offset_bytes: int) -> Iterator[Arriving]:
        """Open the file at a place.

        Raises:
            DownloadError: it cannot be had, or the connection breaks while it is read.
        """
        from huggingface_hub import constants, get_session
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]  # documented

        from lsp_server.model_store.hub_errors import translated

        headers = self._headers() | ({"Range": f"bytes={offset_bytes}-"} if offset_bytes else {})
        timeout_s = constants.HF_HUB_DOWNLOAD_TIMEOUT
        with ExitStack() as open_connection:
            with translated(f"the file {remote.label}"):
                stream = get_session().stream("GET", remote.url, headers=headers, timeout=timeout_s)
                response = open_connection.enter_context(stream)
                hf_raise_for_status(response)
            yield Arriving(_start(response, remote), _chunks(response, remote))

    def _headers(self) -> dict[str, str]:
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented

        headers: dict[str, str] = build_hf_headers(library_name="ling-coder-lsp", library_version=__version__)
        return headers | {"Accept-Encoding": "identity"}  # what is counted and hashed is the file itself


def choose_file(repository: str, names: tuple[str, ...], wanted: str, quantization: str) -> str:
    """The wanted name, else the one GGUF of that quantization: authors name their files in many ways.

    Raises:
        NotOnTheHub: there is none, or more than one.
    """
    for name in names:
        if name.casefold() == wanted.casefold():
            return name
    models = [name for name in names if name.casefold().endswith(".gguf")]
    bounded = re.compile(rf"(?<![A-Za-z0-9]){re.escape(quantization)}(?![A-Za-z0-9_])", re.IGNORECASE)
    fitting = [name for name in models if quantization and bounded.search(name)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(sorted(fitting or models)[:20]) or "none"
    raise NotOnTheHub(f"{repository} has no single file for {wanted}; its GGUF files: {there}.")


def _chunks(response: Any, remote: RemoteFile) -> Iterator[bytes]:
    from lsp_server.model_store.hub_errors import translated

    with translated(f"the file {remote.label}"):
        yield from response.iter_bytes(_CHUNK_BYTES)


def _start(response: Any, remote: RemoteFile) -> int:
    """The place from which an answer begins, after a look at whether it is the same file."""
    partly = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    start, total = (int(partly[1]), int(partly[2])) if response.status_code == 206 and partly else (0, None)
    length = response.headers.get("Content-Length", "")
    if total is None and length.isdigit() and "Content-Encoding" not in response.headers:
        total = int(length)
    if total is not None and total != remote.size_bytes:
        raise WrongContent(
            f"{remote.label} should have {remote.size_bytes:,} bytes, but {total:,} are sent. Try again later."
        )
    return start


def _licence(info: ModelInfo) -> str:
    named = getattr(info.card_data, "license", None)
    tags = [tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")]
    return named if isinstance(named, str) else next(iter(tags), "")
