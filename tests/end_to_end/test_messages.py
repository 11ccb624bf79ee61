"""Messages that are wrong: every request gets exactly one answer, and the server keeps serving."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Script
from tests.end_to_end.raw_client import RawClient, raw_client

pytestmark = pytest.mark.end_to_end

INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, NOT_INITIALIZED = -32600, -32601, -32602, -32002
INLINE = "textDocument/inlineCompletion"
AT = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """One server for all that should do it no harm."""
    path = tmp_path_factory.mktemp("engine") / "script.json"
    path.write_text("[]", encoding="utf-8")
    with raw_client(f"scripted:{path}") as client:
        client.initialize()
        yield client
        assert client.leave() == 0


@pytest.fixture
def client(script: Script) -> Iterator[RawClient]:
    """A server that was initialized."""
    with raw_client(script({"text": "hello()"})) as client:
        client.initialize()
        yield client


def served(client: RawClient) -> Any:
    """The server still answers, and has done with all that came before."""
    number = f"served {len(client.received)}"
    client.request(number, "lingCoder/stats")
    return client.answer(number)["result"]


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {"textDocument": 3},
        AT,
        {**AT, "context": {"triggerKind": 77}},
        {**AT, "position": {"line": -1, "character": 0}, "context": {"triggerKind": 1}},
        {**AT, "position": {"line": 1e99, "character": "x"}, "context": {"triggerKind": 1}},
        {**AT, "context": {"jsonrpc": "2.0", "id": 5, "method": "shutdown"}},
    ],
    ids=str,
)
def test_parameters_that_cannot_be_understood(shared: RawClient, params: Any) -> None:
    """The request gets one error; the next one is served."""
    number = f"{params}"
    shared.request(number, INLINE, params=params)
    assert served(shared)
    (answer,) = shared.answers_to(number)
    assert answer["error"]["code"] == INVALID_PARAMS


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"jsonrpc": "2.0", "method": "no/such/method"}, METHOD_NOT_FOUND),
        ({"jsonrpc": "2.0", "method": 5}, INVALID_REQUEST),
        ({"jsonrpc": "1.0", "method": "lingCoder/stats"}, INVALID_REQUEST),
        ({"method": "lingCoder/stats"}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "method": "initialize", "params": {"capabilities": {}}}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "method": "lingCoder/internal/refuse"}, METHOD_NOT_FOUND),
    ],
    ids=str,
)
def test_requests_that_are_none(shared: RawClient, message: Any, code: int) -> None:
    """Each gets one error that says what is wrong."""
    number = f"{message}"
    shared.send({**message, "id": number})
    assert served(shared)
    (answer,) = shared.answers_to(number)
    assert answer["error"]["code"] == code


def test_noise(shared: RawClient) -> None:
    """What is no message at all is skipped."""
    for body in (b"{", b"[]", b"7", b"null", b'"text"', b"\xff\xfe", b"{}", b'{"jsonrpc": "2.0"}', b"[" * 10_000):
        shared.send_bytes(body)
    shared.send({"jsonrpc": "2.0", "id": "never-asked", "result": 1})
    shared.send({"jsonrpc": "2.0", "id": [1], "result": 1})
    shared.send({"jsonrpc": "2.0", "id": [1], "method": "lingCoder/stats"})
    shared.notify("textDocument/didChange", {"textDocument": 1})
    shared.notify("no/such/method", {})
    assert served(shared)


def test_an_edit_that_cannot_be_understood(shared: RawClient) -> None:
    """Our copy of the text may be wrong after it: the document is closed rather than completed wrongly."""
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x"}
    shared.notify("textDocument/didOpen", {"textDocument": document})
    assert served(shared)["documents"] == 1
    edited = {"uri": "file:///a.py", "version": 2}
    shared.notify("textDocument/didChange", {"textDocument": edited, "contentChanges": 5})
    assert served(shared)["documents"] == 0


def test_before_and_after(script: Script) -> None:
    """Requests before `initialize` and after `shutdown` are refused, not left waiting."""
    with raw_client(script({"text": "hello()"})) as client:
        client.request(1, "lingCoder/stats")
        assert client.answer(1)["error"]["code"] == NOT_INITIALIZED
        client.initialize()
        client.request(2, "shutdown")
        client.request(3, "lingCoder/stats")
        assert client.answer(3)["error"]["code"] == INVALID_REQUEST
        client.notify("exit", None)
        assert client.process.wait(timeout=20) == 0


def test_shutdown_answers_what_still_runs(script: Script) -> None:
    """A suggestion that is being computed ends, with an answer."""
    with raw_client(script({"text": "word " * 500, "token_ms": 50})) as client:
        client.initialize()
        document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": ""}
        client.notify("textDocument/didOpen", {"textDocument": document})
        client.request(1, INLINE, params={**AT, "context": {"triggerKind": 1}})
        client.request(2, "shutdown")
        assert client.answer(1)["result"] == {"items": []}
        client.answer(2)
        client.notify("exit", None)
        assert client.process.wait(timeout=20) == 0


@pytest.mark.parametrize("goodbye", ["exit", "end of file"])
def test_leaving_without_a_word(client: RawClient, goodbye: str) -> None:
    """The process ends, and its exit code tells that there was no `shutdown`."""
    assert client.process.stdin is not None
    if goodbye == "exit":
        client.notify("exit", None)
    else:
        client.process.stdin.close()
    assert client.process.wait(timeout=20) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_ctrl_c(client: RawClient) -> None:
    """The process ends at once, though it waits for input."""
    client.process.send_signal(signal.SIGINT)
    assert client.process.wait(timeout=20) == -signal.SIGINT


def test_logs_hold_no_code(script: Script) -> None:
    """Not at the most talkative level, and not when something goes wrong."""
    rules = ({"match": "# crash", "text": "secret_answer", "fail": "crash"}, {"text": "secret_answer"})
    with raw_client(script(*rules), "--log-level", "debug") as client:
        client.initialize()
        for version, text in enumerate(("secret_text", "secret_text # crash\n")):
            document = {"uri": "file:///a.py", "languageId": "python", "version": version, "text": text}
            client.notify("textDocument/didOpen", {"textDocument": document})
            client.request(version, INLINE, params={**AT, "context": {"triggerKind": 1}})
            client.answer(version)
        change = {"range": None, "text": "secret_edit"}
        edit = {"textDocument": {"uri": "file:///a.py", "version": 0}, "contentChanges": [change]}
        client.notify("textDocument/didChange", edit)
        client.notify("textDocument/didChange", {**edit, "textDocument": "secret_uri"})
        client.request(9, INLINE, params={**AT, "context": {"triggerKind": "secret_text"}})
        client.request(10, "secret_method", params=["secret_text"])
        client.answer(10)
        assert client.leave() == 0
        log = client.log()
    assert "refused" in log
    assert "secret" not in log.replace("secret_method", "")


NOISY = """
import os, sys
from lsp_server.server import build_server, serve_stdio
server = build_server(sys.argv[1])
@server.feature("test/noise")
def noise(params):
    print("printed")
    os.write(1, b"written by a C library")
    os.system("echo said by a child")
    return "quiet"
sys.exit(serve_stdio(server))
"""


def test_stdout_belongs_to_the_protocol(script: Script) -> None:
    """Whatever prints, also below Python and in child processes, does not get between the messages."""
    with raw_client("", command=("-c", NOISY, script({"text": "hello()"}))) as client:
        client.initialize()
        client.request(1, "test/noise", params={})
        assert client.answer(1)["result"] == "quiet"
        assert client.leave() == 0
        assert client.process.stdout is not None
        assert client.process.stdout.read() == b""


HEAVY = (
    "llama_cpp",
    "numpy",
    "gguf",
    "tree_sitter_language_pack",
    "huggingface_hub",
    "httpx",
    "sqlite3",
    "psutil",
    "torch",
)


def test_nothing_heavy_is_imported_before_the_server_answers(script: Script) -> None:
    """Editors wait for `initialize`: it takes no longer than Python, pygls and our own modules do."""
    code = (
        "import sys; from lsp_server.cli import main; from lsp_server.server import build_server;"
        f"build_server('llama'); print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    with raw_client("", command=("-c", code)) as client:
        assert client.process.stdout is not None
        assert client.process.stdout.read().decode().strip() == "[]"
