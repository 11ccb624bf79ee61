"""Where the power comes from."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from lsp_server.power import Power, PowerMeter, read_power


@pytest.mark.parametrize(
    ("battery", "power"),
    [
        (None, Power.MAINS),
        (SimpleNamespace(percent=10, power_plugged=True), Power.MAINS),
        (SimpleNamespace(percent=10, power_plugged=None), Power.MAINS),
        (SimpleNamespace(percent=80, power_plugged=False), Power.BATTERY),
        (SimpleNamespace(percent=20, power_plugged=False), Power.BATTERY),
        (SimpleNamespace(percent=19.5, power_plugged=False), Power.LOW),
    ],
)
def test_what_the_machine_says(battery: Any, power: Power, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that knows nothing of batteries has mains."""
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert read_power() is power


def test_machines_without_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems have none, and on some it fails."""
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert read_power() is Power.MAINS

    def fails() -> None:
        raise OSError("no such file")

    monkeypatch.setattr(psutil, "sensors_battery", fails, raising=False)
    assert read_power() is Power.MAINS


def test_it_is_asked_for_now_and_then() -> None:
    """Not with each key."""
    said, clock = [Power.BATTERY, Power.MAINS], [0.0]
    meter = PowerMeter(lambda: said.pop(0), lambda: clock[0])
    seen = []
    for clock[0] in (0.0, 29.0, 31.0):
        seen.append(meter.power)
    assert seen == [Power.BATTERY, Power.BATTERY, Power.MAINS]
