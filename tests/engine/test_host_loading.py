"""Models and settings that cannot be used: one sentence that says why, and no process that stays for nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.engine.base import EngineState, EngineStatus
from lsp_server.errors import EngineError
from tests.engine.real_hosts import LIMIT_S, Hosts, answer, fim, ready, until

pytestmark = [pytest.mark.real_model, pytest.mark.end_to_end]

Damage = Callable[[bytes], bytes]

BAD_FILES: dict[str, tuple[Damage, str]] = {
    "empty": (lambda _: b"", "incomplete"),
    "text": (lambda _: b"This is a letter.\n" * 100, "another file"),
    "begun": (lambda model: model[:30], "incomplete"),
    "truncated in the vocabulary": (lambda model: model[:20_000], "incomplete"),
    "truncated in the weights": (lambda model: model[:-1], "incomplete"),
    "another architecture": (lambda model: model.replace(b"bailingmoe", b"martianmoe"), "martianmoe"),
}


async def _failed(hosts: Hosts, model: Path) -> str:
    """The sentence that a person gets."""
    client = hosts.client(model)
    status = await client.wait_ready(LIMIT_S * 1000)
    assert status.state is EngineState.FAILED, status
    with pytest.raises(EngineError) as raised:
        await answer(client, fim())
    assert str(raised.value) == status.message, "a request is told the same"
    assert "Traceback" not in status.message
    assert "Error(" not in status.message, "it was not foreseen"
    assert status.message.endswith(".")
    return status.message


def _damaged(model: Path, path: Path, damage: Damage) -> Path:
    path.write_bytes(damage(model.read_bytes()))
    return path


@pytest.mark.parametrize("kind", BAD_FILES)
async def test_a_file_that_is_no_model(hosts: Hosts, tiny_model: Path, tmp_path: Path, kind: str) -> None:
    """It names the file, and what to do."""
    damage, expected = BAD_FILES[kind]
    message = await _failed(hosts, _damaged(tiny_model, tmp_path / "bad.gguf", damage))
    assert "bad.gguf" in message
    assert expected in message


async def test_a_file_that_is_not_there(hosts: Hosts, tmp_path: Path) -> None:
    """No process is started for it."""
    message = await _failed(hosts, tmp_path / "missing.gguf")
    assert "missing.gguf cannot be read: No such file or directory" in message
    assert hosts.processes() == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("threads = 'many'", "`threads` must be a whole number, got 'many'"),
        ("threads = true", "`threads` must be a whole number, got True"),
        ("lanes = 0", "`lanes` must be at least 1"),
        ("lanes = 65", "`micro_batch_tokens` (64) must be at least `lanes` (65)"),
        ("lanes = 1000", "`lanes` must be at most 256"),
        ("cell = 5", "`cell` is unknown; known: threads"),
        ("cells 5", "engine.toml cannot be read"),
        ("cells = 1_000_000_000", "`cells` must be at most 1048576"),
    ],
)
async def test_wrong_settings(hosts: Hosts, tiny_model: Path, settings: str, expected: str) -> None:
    """It names the setting."""
    (hosts.folder / "engine.toml").write_text(settings, encoding="utf-8")
    assert expected in await _failed(hosts, tiny_model)


async def test_a_failed_host_leaves_though_its_client_stays(hosts: Hosts, tiny_model: Path) -> None:
    """Nothing is kept, and so a corrected file of settings is read at the next attempt."""
    (hosts.folder / "engine.toml").write_text("cell = 5", encoding="utf-8")
    await _failed(hosts, tiny_model)
    await until(lambda: hosts.processes() == [], limit_s=5)
    assert not hosts.endpoint(tiny_model).socket.exists()

    (hosts.folder / "engine.toml").unlink()
    await ready(hosts.client(tiny_model))


async def test_a_failure_is_told_once(hosts: Hosts, tmp_path: Path) -> None:
    """Asking again at each key does not start the same failure again and again."""
    (path := tmp_path / "text.gguf").write_text("no model", encoding="utf-8")
    client = hosts.client(path)
    told: list[EngineStatus] = []
    client.on_status(told.append)
    for _ in range(5):
        await client.wait_ready(LIMIT_S * 1000)
        await until(lambda: client._keeper is None or client._keeper.done())
    assert [status.state for status in told].count(EngineState.FAILED) == 1
    assert client.status.state is EngineState.FAILED


async def test_the_status_tells_how_loading_goes_on(hosts: Hosts, tiny_model: Path) -> None:
    """Starting, loading, ready, in this order, and then the model's own facts."""
    client = hosts.client(tiny_model)
    told: list[EngineStatus] = []
    client.on_status(told.append)
    await ready(client)
    states = list(dict.fromkeys(status.state for status in told))
    assert states[0] is EngineState.STARTING
    assert states[-1] is EngineState.READY
    assert set(states) <= {EngineState.STARTING, EngineState.LOADING, EngineState.READY}
    assert client.status.model is not None
    assert client.status.model.name == "tiny"
    assert client.status.model.path == str(tiny_model)
