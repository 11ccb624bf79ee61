"""`models pull` as a process: killed, interrupted, twice at once, and behind a company's proxy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.model_store.folders import file_of
from lsp_server.model_store.part_names import parts_of
from tests.model_store.certificates import make_authority, make_certificate
from tests.model_store.conftest import CONTENT, FILE, NAME, REPOSITORY
from tests.model_store.hub_stand_in import MEBIBYTE, PATIENCE_S, HubStandIn, running_hub
from tests.model_store.proxy_stand_in import USER_AND_PASSWORD, ProxyStandIn, running_proxy

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def pull() -> Iterator[Start]:
    """`pull(HF_ENDPOINT=...)` starts a process; none is left over."""
    processes: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "lsp_server", "models", "pull", NAME, "--yes", "--json"]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def check_pulled(process: subprocess.Popen[str], arrived_bytes: int = len(CONTENT)) -> None:
    """It ended well, said what it did in one object, and the file is right."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    answer = json.loads(out)
    assert (answer["name"], answer["arrived_bytes"]) == (NAME, arrived_bytes)
    assert Path(answer["path"]) == file_of(REPOSITORY, FILE)
    assert file_of(REPOSITORY, FILE).read_bytes() == CONTENT


def check_refused(process: subprocess.Popen[str], sentence: str) -> None:
    """It ended with one sentence that holds no secret."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("ling-coder-lsp: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert "secret" not in err


def arrived_bytes() -> int:
    return sum(part.stat().st_size for part in parts_of(file_of(REPOSITORY, FILE)))


def test_killed_in_the_middle(hub_server: HubStandIn, pull: Start) -> None:
    """What had arrived is there, under no final name; the next one fetches the rest."""
    hub_server.hold_after = 3 * MEBIBYTE
    process = pull(HF_ENDPOINT=hub_server.endpoint)
    assert hub_server.holding.wait(PATIENCE_S)
    first_part(process)
    process.kill()
    process.communicate()
    hub_server.go_on.set()
    kept = arrived_bytes()
    assert MEBIBYTE <= kept <= 3 * MEBIBYTE
    assert not file_of(REPOSITORY, FILE).exists()
    check_pulled(pull(HF_ENDPOINT=hub_server.endpoint), len(CONTENT) - kept)
    assert hub_server.ranges() == [None, f"bytes={kept}-"]


def first_part(process: subprocess.Popen[str]) -> None:
    """Wait until something has arrived on the disk."""
    while not arrived_bytes():
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no Ctrl-C for one process")
def test_interrupted(hub_server: HubStandIn, pull: Start) -> None:
    """Ctrl-C says what is kept and how to go on."""
    hub_server.hold_after = 3 * MEBIBYTE
    process = pull(HF_ENDPOINT=hub_server.endpoint)
    assert hub_server.holding.wait(PATIENCE_S)
    first_part(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    hub_server.go_on.set()
    assert (process.returncode, out) == (130, "")
    assert err.endswith(f" MB are kept: `ling-coder-lsp models pull {NAME}` goes on from there.\n")
    assert "Traceback" not in err
    check_pulled(pull(HF_ENDPOINT=hub_server.endpoint), len(CONTENT) - arrived_bytes())


def test_two_at_once(hub_server: HubStandIn, pull: Start) -> None:
    """The second waits for the first and takes what it fetched."""
    hub_server.hold_after = 3 * MEBIBYTE
    first = pull(HF_ENDPOINT=hub_server.endpoint)
    assert hub_server.holding.wait(PATIENCE_S)
    second = pull(HF_ENDPOINT=hub_server.endpoint)
    assert second.stderr is not None
    assert "Another process downloads this file; waiting for it.\n" in iter(second.stderr.readline, "")
    hub_server.go_on.set()
    check_pulled(first)
    check_pulled(second, arrived_bytes=0)
    assert hub_server.ranges() == [None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a company's authority and a certificate for its idea of the hub."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program `openssl` to make certificates")
    folder = tmp_path_factory.mktemp("certificates")
    make_authority(folder)
    make_certificate(folder, "hub.test", "files.test")
    return folder


@pytest.fixture
def company(authority: Path) -> Iterator[tuple[HubStandIn, ProxyStandIn]]:
    """A hub that only the proxy can reach, with a certificate that only the company trusts."""
    certificate = (authority / "server.pem", authority / "server.key")
    with running_hub({REPOSITORY: {FILE: CONTENT}}, certificate) as stand_in:
        stand_in.file_endpoint = "https://files.test"
        with running_proxy({f"{name}.test": port for name, port in stand_in.ports.items()}) as proxy:
            yield stand_in, proxy


def environment(authority: Path, proxy: ProxyStandIn, user: str = USER_AND_PASSWORD) -> dict[str, str]:
    return {
        "HF_ENDPOINT": "https://hub.test",
        "HTTPS_PROXY": f"http://{user}@127.0.0.1:{proxy.port}",
        "SSL_CERT_FILE": str(authority / "ca.pem"),
    }


def test_behind_a_proxy(company: tuple[HubStandIn, ProxyStandIn], authority: Path, pull: Start) -> None:
    """Everything goes through it, with the user's password and the company's certificates; nothing else is reported."""
    stand_in, proxy = company
    check_pulled(pull(**environment(authority, proxy)))
    assert (set(proxy.connected), proxy.refused) == ({"hub.test", "files.test"}, [])
    assert [(each.method, each.path.split("?")[0].rpartition("/")[2]) for each in stand_in.requests] == [
        ("GET", "Ling-Coder-lite-GGUF"), ("HEAD", FILE), ("GET", FILE), ("GET", FILE),
    ]  # fmt: skip
    assert not any("agent/" in each.headers["user-agent"] for each in stand_in.requests)


def test_a_proxy_that_refuses(company: tuple[HubStandIn, ProxyStandIn], authority: Path, pull: Start) -> None:
    """The sentence names the variable; the password is nowhere."""
    stand_in, proxy = company
    process = pull(**environment(authority, proxy, "somebody:a%20wrong%20secret"))
    check_refused(process, "The proxy did not let the request")
    assert (proxy.connected, stand_in.requests) == ([], [])


def test_a_certificate_nobody_trusts(company: tuple[HubStandIn, ProxyStandIn], authority: Path, pull: Start) -> None:
    """Nothing is asked of such a server; the sentence says what to set."""
    stand_in, proxy = company
    without = {name: value for name, value in environment(authority, proxy).items() if name != "SSL_CERT_FILE"}
    check_refused(pull(**without), "set SSL_CERT_FILE to its certificates")
    assert stand_in.requests == []
