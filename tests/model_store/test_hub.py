"""What the hub says, and what is said to the user when it says no."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from lsp_server.model_store.errors import (
    DownloadError,
    HubUnreachable,
    NotAllowed,
    NotOnTheHub,
    ProxyRefused,
)
from lsp_server.model_store.hub import Hub, choose_file
from tests.model_store.conftest import CONTENT, FILE, REPOSITORY
from tests.model_store.hub_stand_in import COMMIT, HubStandIn

LISTING, ADDRESS = f"/api/models/{REPOSITORY}", f"/{REPOSITORY}/resolve"
NAMES = ("README.md", "M.Q4_K_M.gguf", "M.i1-Q4_K_M.gguf", "M.Q4_K_S.gguf", "M-q8_0.gguf", "M.Q5_K.gguf", "N.Q5_K.gguf")


def test_what_the_hub_says(hub_server: HubStandIn) -> None:
    """Name, size, hash and licence are its own; the address is that of a commit."""
    found = Hub(hub_server.endpoint).look_up(REPOSITORY, FILE)
    assert (found.name, found.size_bytes, found.licence, found.commit) == (FILE, len(CONTENT), "mit", COMMIT)
    assert found.url == f"{hub_server.endpoint}/{REPOSITORY}/resolve/{COMMIT}/{FILE}"


def test_a_file_that_was_renamed(hub_server: HubStandIn) -> None:
    """The one file of that quantization is meant."""
    hub_server.files[REPOSITORY] = {"ling-coder-lite-iq4_xs.gguf": CONTENT, "other-q2_k.gguf": b"GGUF"}
    found = Hub(hub_server.endpoint).look_up(REPOSITORY, FILE, "IQ4_XS")
    assert (found.name, found.size_bytes) == ("ling-coder-lite-iq4_xs.gguf", len(CONTENT))


@pytest.mark.parametrize(
    ("wanted", "quantization", "name"),
    [
        ("M.Q4_K_M.gguf", "", "M.Q4_K_M.gguf"),
        ("m.q4_k_m.GGUF", "", "M.Q4_K_M.gguf"),
        ("Other.gguf", "i1-Q4_K_M", "M.i1-Q4_K_M.gguf"),
        ("Other.gguf", "Q4_K_S", "M.Q4_K_S.gguf"),
        ("Other.gguf", "Q8_0", "M-q8_0.gguf"),
    ],
)
def test_which_file_is_meant(wanted: str, quantization: str, name: str) -> None:
    """The name, in any letters, else the only one of its quantization."""
    assert choose_file("a/b", NAMES, wanted, quantization) == name


@pytest.mark.parametrize(
    ("quantization", "there"),
    [
        ("Q4_K", "M-q8_0.gguf, M.Q4_K_M.gguf"),
        ("", "M-q8_0.gguf, M.Q4_K_M.gguf"),
        ("Q5_K", "M.Q5_K.gguf, N.Q5_K.gguf."),
        ("Q4_K_M", "M.Q4_K_M.gguf, M.i1-Q4_K_M.gguf."),
    ],
)
def test_no_file_is_guessed(quantization: str, there: str) -> None:
    """Where none or several fit, the user sees what there is."""
    sentence = f"a/b has no single file for Other.gguf; its GGUF files: {there}"
    with pytest.raises(NotOnTheHub, match=re.escape(sentence)):
        choose_file("a/b", NAMES, "Other.gguf", quantization)


@pytest.mark.parametrize(
    ("path", "status", "headers", "kind", "sentence"),
    [
        (LISTING, 404, {"X-Error-Code": "RepoNotFound"}, NotOnTheHub, "The hub does not have the repository"),
        (LISTING, 401, {"X-Error-Code": "RepoNotFound"}, NotAllowed, "does not exist, or it is private or gated"),
        (LISTING, 401, {}, NotAllowed, "set HF_TOKEN to a token that may read it"),
        (ADDRESS, 404, {"X-Error-Code": "EntryNotFound"}, NotOnTheHub, f"The hub does not have the file .*{FILE}"),
        (ADDRESS, 401, {"X-Error-Code": "GatedRepo"}, NotAllowed, "wants terms accepted for .* do that on its page"),
        (ADDRESS, 403, {"X-Error-Code": "GatedRepo"}, NotAllowed, "wants terms accepted for .* do that on its page"),
        (ADDRESS, 403, {}, NotAllowed, "the token in use may not read it"),
        (LISTING, 407, {}, ProxyRefused, "The proxy did not let"),
        (LISTING, 503, {}, HubUnreachable, r"has trouble with .* \(503\)"),
        (LISTING, 429, {}, HubUnreachable, r"has trouble with .* \(429\)"),
        (LISTING, 418, {}, DownloadError, "answered 418"),
        (LISTING, 200, {}, HubUnreachable, "is no hub for models .* whether this network wants a login"),
    ],
)
def test_when_the_hub_says_no(
    hub_server: HubStandIn, path: str, status: int, headers: dict[str, str], kind: type[DownloadError], sentence: str
) -> None:
    """One sentence of what is wrong and what to do, without an address or a token."""
    hub_server.answers[path] = status, headers, b"<html>log in</html>"
    with pytest.raises(kind, match=sentence) as caught:
        Hub(hub_server.endpoint).look_up(REPOSITORY, FILE)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert "hf_token" not in str(caught.value)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id": "a/b", "siblings": 3}', b'"text"'])
def test_answers_of_somebody_else(hub_server: HubStandIn, body: bytes) -> None:
    """JSON that is no listing is no hub's."""
    hub_server.answers[LISTING] = 200, {"Content-Type": "application/json"}, body
    with pytest.raises(DownloadError):
        Hub(hub_server.endpoint).look_up(REPOSITORY, FILE)


def test_no_network() -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(HubUnreachable, match=r"cannot be reached .* Check the network"):
        Hub(f"http://127.0.0.1:{port}").look_up(REPOSITORY, FILE)


@pytest.mark.parametrize("endpoint", ["ftp://127.0.0.1", "127.0.0.1", "http://[x"])
def test_an_address_that_is_none(endpoint: str) -> None:
    """`HF_ENDPOINT` is named."""
    with pytest.raises(HubUnreachable, match="HF_ENDPOINT"):
        Hub(endpoint).look_up(REPOSITORY, FILE)


@pytest.mark.parametrize("repository", ["a", "a/b/c", "a b/c", "--/x", ""])
def test_a_name_that_is_none(hub_server: HubStandIn, repository: str) -> None:
    """It is no repository's."""
    with pytest.raises(NotOnTheHub):
        Hub(hub_server.endpoint).look_up(repository, FILE)


def test_two_files_know_the_client() -> None:
    """Everything else that could reach out goes through them."""
    package = Path(__file__).parents[2] / "lsp_server"
    known = {
        path.name
        for path in package.rglob("*.py")
        if re.search(r"import (huggingface_hub|httpx2)|from huggingface", path.read_text())
    }
    assert known == {"hub.py", "hub_errors.py"}
