"""One host for all windows: who shares it, whom it belongs to, and when it leaves."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from lsp_server.engine import endpoint as endpoint_module
from tests.engine.real_hosts import LIMIT_S, Hosts, Stream, answer, fim, has_ended, host_pid, is_idle, ready, until

pytestmark = [pytest.mark.real_model, pytest.mark.end_to_end]

_OTHER_EDITOR = """
import asyncio, sys
from pathlib import Path
from lsp_server.engine.client import EngineClient

async def main():
    client = EngineClient(Path(sys.argv[1]))
    await client.wait_ready(20_000)
    print((await client.counters()).process_id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_clients_of_one_model_share_one_host(hosts: Hosts, endless_model: Path) -> None:
    """Eight windows that open at the same moment start one process."""
    clients = [hosts.client(endless_model) for _ in range(8)]
    await asyncio.gather(*map(ready, clients))
    assert len({await host_pid(client) for client in clients}) == 1
    # Those that came too late have seen the lock and gone.
    await until(lambda: len(hosts.processes()) == 1)


async def test_two_models_are_two_hosts(hosts: Hosts, endless_model: Path, tiny_model: Path) -> None:
    """Each model has a process of its own."""
    first, second = await hosts.ready_client(endless_model), await hosts.ready_client(tiny_model)
    assert await host_pid(first) != await host_pid(second)


@pytest.mark.parametrize("name", ["PROTOCOL_VERSION", "__version__"])
async def test_another_version_does_not_share(
    hosts: Hosts, endless_model: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Two versions that may not understand each other meet different hosts."""
    first = await hosts.ready_client(endless_model)
    monkeypatch.setattr(endpoint_module, name, "of tomorrow")
    second = await hosts.ready_client(endless_model)
    assert await host_pid(first) != await host_pid(second)


async def test_the_host_outlives_the_editor_that_started_it(hosts: Hosts, endless_model: Path) -> None:
    """An editor that kills its language server and everything below it takes nothing from another window."""
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OTHER_EDITOR, str(endless_model), stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    pid = int(await asyncio.wait_for(other.stdout.readline(), LIMIT_S))
    client = await hosts.ready_client(endless_model)
    assert await host_pid(client) == pid
    stream = Stream(client, fim(max_new_tokens=600))
    await stream.begun()

    tree = psutil.Process(other.pid)
    for process in [*tree.children(recursive=True), tree]:
        process.kill()
    await other.wait()

    assert (await stream.task).tokens.generated == 600
    assert await host_pid(client) == pid


async def test_the_host_belongs_to_nobody(hosts: Hosts, endless_model: Path) -> None:
    """It hangs on no process tree, session or terminal of whoever started it."""
    host = psutil.Process(await host_pid(await hosts.ready_client(endless_model)))
    assert host not in psutil.Process().children(recursive=True)
    assert host.ppid() not in {os.getpid(), host.pid}
    assert os.getsid(host.pid) != os.getsid(0)


async def test_the_host_stays_for_clients_and_leaves_after_the_last(hosts: Hosts, endless_model: Path) -> None:
    """It lingers as long as the settings say, and takes its socket along."""
    hosts.configure(linger_seconds=0.2)
    first, second = await hosts.ready_client(endless_model), await hosts.ready_client(endless_model)
    host = psutil.Process(await host_pid(first))
    await first.close()
    with pytest.raises(AssertionError, match="did not come"):
        await until(lambda: has_ended(host), limit_s=0.6)
    assert await host_pid(second) == host.pid

    await second.close()
    await until(lambda: has_ended(host))
    assert not hosts.endpoint(endless_model).socket.exists()
    # The lock file stays on purpose; it holds nobody up.
    assert hosts.endpoint(endless_model).lock.exists()
    assert await host_pid(await hosts.ready_client(endless_model)) != host.pid


async def test_a_host_that_never_stays_still_waits_for_its_first_client(hosts: Hosts, endless_model: Path) -> None:
    """No linger at all does not mean that the host has gone before anybody could connect."""
    hosts.configure(linger_seconds=0)
    _, finished = await answer(await hosts.ready_client(endless_model), fim())
    assert finished.tokens.generated == 8


async def test_a_client_that_goes_cancels_what_runs_for_it(hosts: Hosts, endless_model: Path) -> None:
    """The engine is free for others at once."""
    hosts.configure(lane_tokens=16000, cells=20000)
    leaving, staying = await hosts.ready_client(endless_model), await hosts.ready_client(endless_model)
    stream = Stream(leaving, fim(max_new_tokens=15000))
    await stream.begun()
    assert not await is_idle(staying)
    await leaving.close()
    await until(lambda: is_idle(staying), limit_s=2)
    await asyncio.gather(stream.task, return_exceptions=True)


@pytest.mark.parametrize("busy", [False, True])
async def test_a_client_that_goes_frees_its_lanes(hosts: Hosts, endless_model: Path, busy: bool) -> None:
    """Nobody builds on tokens of a client that has gone, even when it went in the middle of a generation."""
    text = "".join(f"value_{number} = {number}\n" for number in range(40))
    leaving, staying = await hosts.ready_client(endless_model), await hosts.ready_client(endless_model)
    _, alone = await answer(leaving, fim(text))
    assert alone.tokens.reused == 0
    _, shared = await answer(staying, fim(text, lane="shared"))
    assert shared.tokens.evaluated == 1, "while it is there, others build on its tokens"

    other = text.replace("value", "other")
    if busy:
        stream = Stream(leaving, fim(other, max_new_tokens=3000))
        await stream.begun()
        await leaving.close()
        await asyncio.gather(stream.task, return_exceptions=True)
    else:
        await answer(leaving, fim(other))
        await leaving.close()
    await until(lambda: is_idle(staying))
    _, afterwards = await answer(staying, fim(other, lane="later"))
    assert afterwards.tokens.reused < 10


async def test_the_host_knows_how_to_share_the_machine(hosts: Hosts, endless_model: Path) -> None:
    """OpenMP does not spin for long, and a failed assertion does not start a debugger."""
    environment = psutil.Process(await host_pid(await hosts.ready_client(endless_model))).environ()
    assert environment["GOMP_SPINCOUNT"] == "300"
    assert environment["GGML_NO_BACKTRACE"] == "1"


async def test_what_the_user_set_wins(hosts: Hosts, endless_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the editor is not overwritten."""
    monkeypatch.setenv("GOMP_SPINCOUNT", "17")
    host = psutil.Process(await host_pid(await hosts.ready_client(endless_model)))
    assert host.environ()["GOMP_SPINCOUNT"] == "17"


@pytest.mark.slow
async def test_nothing_is_computed_while_nobody_types(hosts: Hosts, endless_model: Path) -> None:
    """After the last job the host uses no processor time: no polling, no spinning threads."""
    hosts.configure(threads=2)
    client = await hosts.ready_client(endless_model)
    await answer(client, fim(max_new_tokens=200))
    host = psutil.Process(await host_pid(client))
    before = host.cpu_times()
    await asyncio.sleep(2)  # the one wait that is the test itself
    after = host.cpu_times()
    assert after.user + after.system - before.user - before.system <= 0.021
