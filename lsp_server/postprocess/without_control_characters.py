"""Nothing that a terminal or an editor would act on instead of showing it."""

from __future__ import annotations

import re

from lsp_server.postprocess.rule import Candidate

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks: code reads otherwise than it runs
    r"\u2028\u2029"  # line ends for some editors, none for LSP
    r"\ufeff\ufffd\ud800-\udfff"
    r"\U000e0000-\U000e007f]"  # letters that nobody sees
)


def without_control_characters(candidate: Candidate) -> Candidate:
    """End before the first control, invisible or broken character: what follows one is not trusted."""
    text = candidate.text.replace("\r\n", "\n").replace("\r", "\n")
    found = _CONTROL.search(text)
    return candidate.with_text(text[: found.start()] if found else text)
