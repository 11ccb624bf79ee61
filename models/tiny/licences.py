"""Which licences pass, in the spellings of the package ecosystems, and where a package states its own."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_SPELLINGS = {
    "MIT": ("mit", "expat", "mit license", "the mit license", "mit-license", "osi approved :: mit license"),
    "BSD-3-Clause": (
        "bsd-3-clause", "bsd", "new bsd", "3-clause bsd", "bsd 3-clause", "bsd 3-clause license", "bsd-3", "bsd3",
        "bsd license", "modified bsd license", "the bsd 3-clause license", "osi approved :: bsd license",
        "go",  # what Debian calls the licence of Go itself
    ),
    "BSD-2-Clause": ("bsd-2-clause", "simplified bsd", "2-clause bsd", "bsd 2-clause", "bsd-2"),
    "Apache-2.0": (
        "apache-2.0", "apache-2", "apache 2.0", "apache license 2.0", "apache license, version 2.0",
        "apache license version 2.0", "apache 2", "osi approved :: apache software license",
    ),
    "ISC": ("isc", "isc license", "osi approved :: isc license (iscl)"),
    "Zlib": ("zlib",),
    "PSF-2.0": ("psf-2.0", "psf", "python-2.0", "osi approved :: python software foundation license"),
    "Unlicense": ("unlicense", "the unlicense"),
    "0BSD": ("0bsd",),
    "CC0-1.0": ("cc0-1.0", "cc0"),
}  # fmt: skip
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}

_JOINT = re.compile(r"(?i)([()/|]|, and\s|,|\bor\b|\band\b)")

_TEXTS = (
    ("Apache-2.0", ("apache license", "version 2.0")),
    ("MIT", ("permission is hereby granted, free of charge", "without restriction")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software",)),
    ("Zlib", ("altered source versions must be plainly marked",)),
)
_COPYLEFT = re.compile(
    r"\b(gnu (lesser |affero |library )?general public|mozilla public|[la]?gpl(v?[23])?)\b", re.IGNORECASE
)
_CHOICE = re.compile(r"\b(alternatively|either|choose|two licen[cs]es|at your option|dual)\b", re.IGNORECASE)


def permitted(expression: str) -> str | None:
    """The expression in SPDX names where it passes, otherwise `None`. A choice passes with one permitted side."""
    whole = _NAMES.get(expression.strip().lower())
    if whole:
        return whole
    parts = [part.strip().lower() for part in _JOINT.split(expression) if part and part.strip()]
    passed = _one_of(parts)
    return None if parts else passed  # what is left over was not understood


def _one_of(parts: list[str]) -> str | None:
    """Takes a choice off the list: one permitted side is enough."""
    passed = [_all_of(parts)]
    while parts and parts[0] in ("or", "/", "|"):
        parts.pop(0)
        passed.append(_all_of(parts))
    return " OR ".join(dict.fromkeys(name for name in passed if name)) or None


def _all_of(parts: list[str]) -> str | None:
    """Takes licences off the list that hold together: all must be permitted."""
    passed = [_single(parts)]
    while parts and parts[0] in ("and", ",", ", and"):
        parts.pop(0)
        passed.append(_single(parts))
    known = [name for name in passed if name]
    return " AND ".join(dict.fromkeys(known)) if len(known) == len(passed) else None


def _single(parts: list[str]) -> str | None:
    part = parts.pop(0) if parts else ""
    if part != "(":
        return _NAMES.get(part)
    inside = _one_of(parts)
    closed = bool(parts) and parts.pop(0) == ")"
    return inside if closed else None


def recognise(text: str) -> str | None:
    """The licence whose words a licence file uses; `None` where there are words of a copyleft licence."""
    words = " ".join(text.lower().split())
    if _COPYLEFT.search(words):
        return None
    return next((name for name, signs in _TEXTS if all(sign in words for sign in signs)), None)


def copyleft_header(text: str) -> bool:
    """Whether the beginning of a file puts it under a copyleft licence and offers no other one."""
    head = text[:3000]
    return _COPYLEFT.search(head) is not None and _CHOICE.search(head) is None


def debian_stanzas(copyright_file: str) -> list[tuple[list[str], str]]:
    """Patterns and licence of each `Files:` stanza of Debian's machine-readable copyright file."""
    stanzas = []
    for stanza in re.split(r"\n\s*\n", copyright_file):
        files = re.search(r"(?mi)^Files:((?:.*\n(?:[ \t].*\n)*))", stanza + "\n")
        licence = re.search(r"(?mi)^License:[ \t]*(.*)$", stanza)
        if files and licence:
            stanzas.append((files[1].replace(",", " ").split(), licence[1].strip()))
    return stanzas


def debian_licence(stanzas: list[tuple[list[str], str]], path: str) -> str:
    """The licence of one file: the last stanza with a matching pattern counts."""
    found = ""
    for patterns, licence in stanzas:
        if any(fnmatchcase(path, pattern.removeprefix("./")) for pattern in patterns):
            found = licence
    return found
