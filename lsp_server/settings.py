"""Options as an editor sends them, turned into settings as used and a list of plain sentences about what was wrong.

An editor sends anything; the server starts all the same. Names are camelCase on the wire (`lingCoder.maxNewTokens`).
Engine settings (threads, GPU layers, context) are per machine and live in `engine/engine_settings.py`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard


@dataclass(frozen=True, slots=True)
class Settings:
    """Complete, checked settings of one server."""

    enabled: bool = True
    """Whether suggestions are computed unasked; one that is asked for by key always is."""
    model: str = ""
    """A model's name or the path of a GGUF file; empty takes what `models use` chose, else the bundled one."""
    fim_template: str = "auto"
    """Name of a row in `prompt/fim_templates.py`; `auto` takes what the model's own tokens say."""
    max_prompt_tokens: int = 1200
    """Budget for prefix and suffix together."""
    max_new_tokens: int = 64
    max_lines: int = 12
    """Most lines of one suggestion."""
    min_confidence_percent: int = -1
    """Automatic suggestions below this mean probability of a token stay hidden; -1 takes what the model's file says."""
    deadline_ms: int = 0
    """Time for an automatic suggestion from request to answer; 0 is 1.3 times what a line takes, from 500 to 2000."""
    invoked_deadline_ms: int = 15000
    """The same for a suggestion that the user asked for by key."""
    suggest_at: str = "auto"
    """Where suggestions come unasked: `everywhere`, `lineEnds`, only by `key`; `auto` goes by the time for a line."""
    pause_ms: int = -1
    """How long an automatic request waits for the next key; -1 waits only where a line takes more than 100 ms."""
    speculation: bool = True
    """Whether the suggestion after the one that is shown is computed ahead."""
    warm_up: bool = True
    """Whether the model reads a file ahead when you stay in it for two seconds."""
    save_battery: bool = True
    """On battery nothing is computed ahead, and below 20 % suggestions come only by key."""
    trace_code: bool = False
    """Whether `lingCoder/trace` shows the model's answers; without it a trace holds no code."""
    load_wait_ms: int = 60000
    """How long an invoked request and the command line wait for the model to load."""
    max_file_bytes: int = 2_000_000
    """Files larger than this get no suggestions."""
    in_comments: bool = True
    """Whether there are suggestions in comments."""
    in_strings: bool = True
    """Whether there are suggestions in strings."""
    disabled_languages: tuple[str, ...] = ()
    """Language ids without suggestions, as the editor names them: `markdown`, `plaintext`."""
    disabled_paths: tuple[str, ...] = ()
    """Files without suggestions, as in a `.gitignore`, from the workspace's root: `*.csv`, `/vendor/`."""


DEFAULTS = Settings()

_RANGES = {
    "max_prompt_tokens": (64, 131_072),
    "max_new_tokens": (1, 4096),
    "max_lines": (1, 1000),
    "min_confidence_percent": (-1, 100),
    "deadline_ms": (0, 600_000),
    "pause_ms": (-1, 10_000),
    "invoked_deadline_ms": (50, 600_000),
    "load_wait_ms": (0, 3_600_000),
    "max_file_bytes": (1, 1_000_000_000),
}

_CHOICES = {"suggest_at": ("auto", "everywhere", "lineEnds", "key")}

_SECTION = "lingCoder"
_LONGEST_QUOTE_CHARACTERS = 40


def wire_name(field: str) -> str:
    """`max_new_tokens` -> `maxNewTokens`."""
    return re.sub(r"_(.)", lambda found: found[1].upper(), field)


def read_settings(options: object, base: Settings = DEFAULTS) -> tuple[Settings, list[str]]:
    """Settings from what an editor sent, over `base`, and sentences about what could not be used.

    Accepts `{"lingCoder": {...}}`, the bare section, and flat names (`"lingCoder.maxLines"`). `None`, for the whole or
    for one setting, is what editors send for "not configured".
    """
    if isinstance(options, Mapping) and _SECTION in options:
        options = options[_SECTION]
    if options is None:
        return base, []
    if not isinstance(options, Mapping):
        return base, [f"settings must be an object, got {_quoted(options)}; they were ignored"]
    fields = {wire_name(field.name): field.name for field in dataclasses.fields(Settings)}
    used: dict[str, object] = {}
    problems: list[str] = []
    for sent, value in options.items():
        name = str(sent).removeprefix(f"{_SECTION}.")
        if name not in fields:
            problems.append(f"`{_SECTION}.{_clipped(json.dumps(name)[1:-1])}` is unknown and was ignored")
            continue
        problem = None if value is None else _problem_of(fields[name], value)
        if problem is not None:
            default = _clipped(json.dumps(getattr(base, fields[name])))
            problems.append(f"`{_SECTION}.{name}` must be {problem}, got {_quoted(value)}; {default} is used")
        elif value is not None:
            used[fields[name]] = _used(value)
    return dataclasses.replace(base, **used), problems  # type: ignore[arg-type]  # checked field by field above


def _problem_of(field: str, value: object) -> str | None:
    """What the value should have been, or `None` when it is right."""
    expected = type(getattr(DEFAULTS, field))
    if expected is bool:
        return None if isinstance(value, bool) else "true or false"
    if expected is str:
        return _problem_of_text(field, value)
    if expected is tuple:
        is_right = isinstance(value, (list, tuple)) and all(isinstance(each, str) and each.strip() for each in value)
        return None if is_right else "a list of texts"
    least, most = _RANGES[field]
    return None if _is_whole(value) and least <= value <= most else f"a whole number from {least} to {most}"


def _problem_of_text(field: str, value: object) -> str | None:
    if not isinstance(value, str):
        return "a text"
    choices = _CHOICES.get(field)
    return None if choices is None or value in choices else f"one of {', '.join(choices)}"


def _used(value: object) -> object:
    """A right value as settings hold it."""
    if isinstance(value, list):
        return tuple(value)
    return int(value) if isinstance(value, float) else value


def _is_whole(value: object) -> TypeGuard[int | float]:
    """Whether it is a whole number; `64.0` is one, as editors with one kind of number send it."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _quoted(value: object) -> str:
    """A value as it was sent, short enough for a sentence."""
    if isinstance(value, (str, int, float)):
        return _clipped(json.dumps(value))
    return "a list" if isinstance(value, (list, tuple)) else "an object" if isinstance(value, Mapping) else repr(value)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE_CHARACTERS else text[: _LONGEST_QUOTE_CHARACTERS - 1] + "…"
