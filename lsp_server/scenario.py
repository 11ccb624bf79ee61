"""A scenario: a file, a caret, what the model says, and what the user must see - as a text that people read and write.

    A closing bracket that is there is not suggested again.

    path: src/app.ts
    invoked: no

    === file
    call(█)

    === model
    a, b)
    === shown
    call(a, b)█

The first line says what is true. Then come options, then sections; each section's text ends before the line of the
next one, so a file that ends with a line end is followed by an empty line. `=== silent` with the name of a skip takes
the place of `=== shown`. `ling-coder-lsp complete --record FILE` writes one; `tests/scenarios` reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CARET = "█"
_SECTION = re.compile(r"^=== (\w+)[ ]?(.*)$", re.MULTILINE)
_OPTION = re.compile(r"^(\w[\w-]*): (.*)$")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|r|\\)")

OPTIONS = {
    "path": "main.py",
    "language": "",
    "invoked": "no",
    "confidence": "0.0",
    "setting": "",
    "line-ends": "lf",
    "escapes": "no",
    "recorded": "",
}
"""Names and defaults. `language`: else by the path's name. `setting`: `maxLines=3, disabledPaths=[/vendor/ *.csv]`.
`confidence`: log-probability of each token, in nats. `line-ends`: of the file, `lf` or `crlf`. `escapes`: whether a
backslash in the sections begins a character's name (`x1b`, `ud800`, `r`, another backslash). `recorded`: the model that
said it.
"""


class ScenarioError(ValueError):
    """The text is no scenario; the message says why."""


@dataclass(frozen=True)
class Scenario:
    """One situation. Texts have `█` at the caret where they are documents."""

    title: str
    document: str
    model_says: str
    shown: str | None = None
    """The document after accepting; `None` when nothing may be shown."""
    silent: str = ""
    """The name of the skip, where nothing may be shown."""
    options: dict[str, str] = field(default_factory=dict)

    def option(self, name: str) -> str:
        """An option, or its default."""
        return self.options.get(name, OPTIONS[name])

    @property
    def settings(self) -> dict[str, object]:
        """Settings by their names on the wire."""
        pairs = [pair.split("=", 1) for pair in self.option("setting").split(",") if pair.strip()]
        return {name.strip(): _value(value.strip()) for name, value in pairs}


def read(text: str) -> Scenario:
    """A scenario from its text.

    Raises:
        ScenarioError: it is none.
    """
    sections = list(_SECTION.finditer(text))
    if not sections:
        raise ScenarioError("there is no section")
    title, options = _head(text[: sections[0].start()])
    ends = [found.start() - 1 for found in sections[1:]] + [len(text) - text.endswith("\n")]
    bodies: dict[str, str] = {}
    names: dict[str, str] = {}
    for found, end in zip(sections, ends, strict=True):
        body = text[found.end() + 1 : max(end, found.end() + 1)]
        bodies[found[1]] = _unescaped(body) if options.get("escapes") == "yes" else body
        names[found[1]] = found[2].strip()
    if not {"file", "model"} <= set(bodies) or ("shown" in bodies) == ("silent" in bodies):
        raise ScenarioError("it needs the sections `file` and `model`, and either `shown` or `silent`")
    if bodies["file"].count(CARET) != 1 or bodies.get("shown", CARET).count(CARET) != 1:
        raise ScenarioError(f"`file` and `shown` need one {CARET} each")
    return Scenario(title, bodies["file"], bodies["model"], bodies.get("shown"), names.get("silent", ""), options)


def write(scenario: Scenario) -> str:
    """The text of a scenario."""
    options = dict(scenario.options)
    texts = [scenario.document, scenario.model_says, scenario.shown or ""]
    if any(_needs_escapes(text) for text in texts):
        options["escapes"] = "yes"
        texts = [_escaped(text) for text in texts]
    head = [scenario.title, "", *(f"{name}: {value}" for name, value in options.items())]
    last = f"=== shown\n{texts[2]}" if scenario.shown is not None else f"=== silent {scenario.silent}"
    return "\n".join([*head, "", f"=== file\n{texts[0]}", f"=== model\n{texts[1]}", last, ""])


def _head(text: str) -> tuple[str, dict[str, str]]:
    title, *lines = [line for line in text.splitlines() if line.strip()] or [""]
    options = {}
    for line in lines:
        found = _OPTION.match(line)
        if found is None or found[1] not in OPTIONS:
            raise ScenarioError(f"{line!r} is no option; known: {', '.join(OPTIONS)}")
        options[found[1]] = found[2].strip()
    if not title or _OPTION.match(title):
        raise ScenarioError("the first line must say what is true")
    return title, options


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("["):
        return text.strip("[]").split()
    return int(text) if text.lstrip("-").isdigit() else text


def _needs_escapes(text: str) -> bool:
    return any(_is_strange(character) for character in text) or bool(_SECTION.search(text))


def _is_strange(character: str) -> bool:
    code = ord(character)
    return (code < 32 and character not in "\n\t") or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("\n===", "\n\\x3d==").replace("\r", "\\r")
    text = f"\\x3d{text[1:]}" if text.startswith("===") else text
    return "".join(_as_escape(character) if _is_strange(character) else character for character in text)


def _as_escape(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        named = {"r": "\r", "\\": "\\"}.get(found[1])
        return named if named is not None else chr(int(found[1][1:], 16))

    return _ESCAPE.sub(character, text)
