"""Options as an editor sends them, turned into settings as used and a list of plain sentences about what was wrong.

An editor sends anything; the server starts all the same. Names are camelCase on the wire (`lingCoder.maxNewTokens`).
Engine settings (threads, GPU layers, context) are per machine and live in `engine/engine_settings.py`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Complete, checked settings of one server."""

    enabled: bool = True
    """Whether completions are computed at all."""
    model: str = ""
    """Path of a GGUF file; empty means the bundled one."""
    fim_template: str = "auto"
    """Name of a row in `prompt/fim_templates.py`; `auto` takes what the model's own tokens say."""
    max_prompt_tokens: int = 1200
    """Budget for prefix and suffix together."""
    max_new_tokens: int = 64
    max_lines: int = 12
    """Most lines of one suggestion."""
    deadline_ms: int = 2000
    """Time for an automatic suggestion from request to answer; what is there by then is shown."""
    invoked_deadline_ms: int = 15000
    """The same for a suggestion that the user asked for by key."""
    load_wait_ms: int = 60000
    """How long an invoked request and the command line wait for the model to load."""
    max_file_bytes: int = 2_000_000
    """Files larger than this get no suggestions."""


DEFAULTS = Settings()

_MINIMUM = {
    "max_prompt_tokens": 64,
    "max_new_tokens": 1,
    "max_lines": 1,
    "deadline_ms": 50,
    "invoked_deadline_ms": 50,
    "load_wait_ms": 0,
    "max_file_bytes": 1,
}


def wire_name(field: str) -> str:
    """`max_new_tokens` -> `maxNewTokens`."""
    return re.sub(r"_(.)", lambda found: found[1].upper(), field)


def read_settings(options: object, base: Settings = DEFAULTS) -> tuple[Settings, list[str]]:
    """Settings from what an editor sent, over `base`, and sentences about what could not be used.

    Accepts `{"lingCoder": {...}}`, the bare section, and `None` (editors send it for "nothing configured").
    """
    if isinstance(options, Mapping) and isinstance(options.get("lingCoder"), Mapping):
        options = options["lingCoder"]
    if options is None:
        return base, []
    if not isinstance(options, Mapping):
        return base, [f"settings must be an object, got {type(options).__name__}; they were ignored"]
    fields = {wire_name(field.name): field.name for field in dataclasses.fields(Settings)}
    used: dict[str, object] = {}
    problems: list[str] = []
    for name, value in options.items():
        if name not in fields:
            problems.append(f"`lingCoder.{name}` is unknown and was ignored")
            continue
        problem = _problem_of(fields[name], value)
        if problem is None:
            used[fields[name]] = value
        else:
            default = getattr(base, fields[name])
            problems.append(f"`lingCoder.{name}` must be {problem}, got {value!r}; {default!r} is used")
    return dataclasses.replace(base, **used), problems  # type: ignore[arg-type]  # checked field by field above


def _problem_of(field: str, value: object) -> str | None:
    """What the value should have been, or `None` when it is right."""
    expected = type(getattr(DEFAULTS, field))
    if expected is bool:
        return None if isinstance(value, bool) else "true or false"
    if expected is str:
        return None if isinstance(value, str) else "a text"
    least = _MINIMUM[field]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        return f"a whole number of {least} or more"
    return None
