"""Where the machine's power comes from: work that nobody waits for is not done on a battery."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Any

LOW_PERCENT = 20
_ASK_EVERY_S = 30.0


class Power(Enum):
    """What there is to spend."""

    MAINS = "mains"
    BATTERY = "battery"
    LOW = "low battery"


def read_power() -> Power:
    """What the machine says; one that says nothing has mains."""
    import psutil  # not before somebody asks: editors wait for `initialize`

    read: Callable[[], Any] | None = getattr(psutil, "sensors_battery", None)
    try:
        battery = read() if read else None
    except Exception:  # noqa: BLE001 - drivers fail in their own ways, and suggestions do not depend on them
        battery = None
    if battery is None or battery.power_plugged is not False:
        return Power.MAINS
    return Power.LOW if battery.percent < LOW_PERCENT else Power.BATTERY


class PowerMeter:
    """The machine's power, asked for now and then."""

    def __init__(self, read: Callable[[], Power] = read_power, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._power, self._read_s = Power.MAINS, -_ASK_EVERY_S

    @property
    def power(self) -> Power:
        """As it was at most half a minute ago."""
        if self._clock() - self._read_s >= _ASK_EVERY_S:
            self._power, self._read_s = self._read(), self._clock()
        return self._power
