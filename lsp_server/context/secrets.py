"""Values in a text that must not reach a model: each is replaced by a stand-in of the same length and form.

Letters become `x` and `X`, digits `0`; the mark at the beginning (`ghp_`, `AKIA`) stays. So offsets and lines hold,
and redacting twice changes nothing. What a whole file hides is redacted in the whole file, before it is cut.

Two rules: a token whose form says what it is, anywhere; and a value that looks random beside a name that says what it
is (`api_key = "..."`). Hashes, identifiers and UUIDs by themselves stay. Time is linear in the length of the text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from lsp_server.context.secret_shapes import SHAPES

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY_CHARACTERS = 20_000
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=]{20,}")
"""Lines of a private key whose end is not there."""

_KEY_LINE = re.compile(r"^[ \t]*[\"']?[A-Za-z0-9+/]{40,76}={0,2}(?:\\n)?[\"']?[,;+]?[ \t]*$", re.MULTILINE)

_URL_PASSWORD = re.compile(r"://[^\s:/@\"'`<>{}$%]{0,100}:(?P<value>[^\s/@\"'`<>{}$%]{1,200})@")

_SPOKEN_OF = ("password", "passwd", "pass", "pwd", "pw", "secret", "token")
"""In the place of a password where somebody explains what stands there."""

_PASSWORDS = ("password", "passwd", "pwd", "passphrase", "secret")
_KEYS = tuple(
    f"{of}{joint}key"
    for of in ("api", "access", "private", "auth", "account", "shared", "encryption", "signing", "master", "client")
    for joint in ("_", "-", "")
)
_NAMES = (*_PASSWORDS, *_KEYS, "token", "credential", "authorization", "bearer")
"""What the name of a secret contains, in lower case."""

_ASSIGNED = re.compile(
    r"[\w-]{1,60}[\"'\]]{0,2}[ \t]{0,8}(?P<sign>:=|=>|==|!=|[:=,(]|[ \t])[ \t]{0,8}[bruf]{0,2}"
    r"(?:(?P<quote>[\"'`])(?:Bearer |Basic |[Tt]oken )?(?P<quoted>[^\"'`\s]{6,500})(?P=quote)"
    r"|(?:Bearer |Basic |[Tt]oken )?(?P<bare>[A-Za-z0-9+/=_.~-]{16,500})(?=[\s,;&\"'`]|$))"
)
_PLACEHOLDER = re.compile(
    r"[$<{%\[(]|x{4}|\*{3}|\.{3}|example|placeholder|change|your|dummy|sample|redacted|replace|insert|todo|fake",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[^A-Za-z0-9]+")
_WORD = re.compile(r"[A-Za-z]{0,24}\d{0,4}")
_MARKS = frozenset("!@#$%^&*?+~")
_MARKS_OF_A_PASSWORD = _MARKS | frozenset("0123456789")
_LEAST_ENTROPY_BITS = 3.0
"""Per character, over the value's own characters: random hexadecimal digits of this length have 3.2 or more."""
_LEAST_KEY_CHARACTERS = 16

_LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_STAND_INS = {
    **{ord(letter): "x" for letter in "abcdefghijklmnopqrstuvwyz"},
    **{ord(letter): "X" for letter in "ABCDEFGHIJKLMNOPQRSTUVWYZ"},
    **{ord(digit): "0" for digit in "123456789"},
}


def redacted(text: str) -> str:
    """The text with stand-ins for everything that looks like a secret; as long as it was."""
    text = _without_key_blocks(text)
    for beginning, shape in SHAPES:
        if beginning in text:
            text = shape.sub(_without_token, text)
    text = _URL_PASSWORD.sub(_without_url_password, text)
    return _without_assigned(text)


def redacted_part(text: str) -> str:
    """The same for lines that were cut out of a text: whole lines of a private key count without its first line."""
    return _KEY_LINE.sub(lambda line: _stand_in(line[0]), redacted(text))


def holds_secret(text: str) -> bool:
    """Whether something in the text looks like a secret that is not a stand-in."""
    return redacted(text) != text


def looks_made_up(value: str) -> bool:
    """Whether a value by itself, in a file of secrets, looks like one: letters with digits or marks between them."""
    return _looks_random(value, is_password=True) and not (_is_name(value) and _MARKS.isdisjoint(value))


def _stand_in(value: str) -> str:
    """The same form without the content."""
    value = value.translate(_STAND_INS)
    return value if value.isascii() else "".join(each if each.isascii() else "x" for each in value)


def _without_value(found: re.Match[str]) -> str:
    start, end = (place - found.start() for place in found.span("value"))
    return found[0][:start] + _stand_in(found["value"]) + found[0][end:]


def _without_url_password(found: re.Match[str]) -> str:
    value = found["value"].lower()
    return found[0] if value in _SPOKEN_OF or _PLACEHOLDER.search(value) else _without_value(found)


def _without_token(found: re.Match[str]) -> str:
    before = found.string[found.start() - 1 : found.start()]
    return found[0] if before.isalnum() and before.isascii() else _without_value(found)


def _without_key_blocks(text: str) -> str:
    parts, place = [], 0
    while (found := _KEY_BLOCK.search(text, place)) is not None:
        parts.append(text[place : found.end()])
        limit = found.end() + _LONGEST_KEY_CHARACTERS
        end = _KEY_BLOCK_END.search(text, found.end(), limit)
        place = end.start() if end else min(limit, len(text))
        body = text[found.end() : place]
        parts.append(_stand_in(body) if end else _LONG_RUN.sub(lambda run: _stand_in(run[0]), body))
    return "".join([*parts, text[place:]])


def _without_assigned(text: str) -> str:
    parts, done = [], 0
    for start, is_password in sorted(_names_in(text)):
        found = _ASSIGNED.match(text, start) if start >= done else None
        if found is None:
            continue
        group = "bare" if found["quoted"] is None else "quoted"
        is_plain = is_password and group == "quoted" and found["sign"] in (":", "=", ":=", "=>", "==")
        if _looks_random(found[group], is_password=is_plain):
            parts += [text[done : found.start(group)], _stand_in(found[group])]
            done = found.end(group)
    return "".join([*parts, text[done:]]) if parts else text


def _names_in(text: str) -> Iterator[tuple[int, bool]]:
    """Where a telling name begins, and whether it is that of a password."""
    lower = text.lower()
    if len(lower) != len(text):  # some letters are two in lower case
        lower = text.translate(_LOWER)
    for name in _NAMES:
        start = lower.find(name)
        while start >= 0:
            yield start, name in _PASSWORDS
            start = lower.find(name, start + len(name))


def _looks_random(value: str, *, is_password: bool) -> bool:
    """Whether somebody made the value so that nobody guesses it, rather than as a name or a stand-in for one."""
    if _PLACEHOLDER.search(value):
        return False
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    if is_password and letters and not _MARKS_OF_A_PASSWORD.isdisjoint(value):
        return True
    if len(value) < _LEAST_KEY_CHARACTERS or not (letters and digits) or _is_name(value):
        return False
    return _entropy_bits(value) >= _LEAST_ENTROPY_BITS


def _is_name(value: str) -> bool:
    """Words between separators, each with a few digits at its end at most."""
    return all(_WORD.fullmatch(part) for part in _PARTS.split(value))


def _entropy_bits(value: str) -> float:
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
