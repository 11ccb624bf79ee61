"""No control tokens spelled out: a model that writes them as text has ended its answer, or never began it."""

from __future__ import annotations

import re

from lsp_server.documents.languages import BlockStyle
from lsp_server.postprocess.rule import Candidate

_TOKEN = re.compile(
    r"<[|｜][\w\u2581 -]{1,40}[|｜]>"  # <|fim_middle|>, <|endoftext|>, <｜fim▁begin｜>
    r"|</?role>|<(?:fim|file|repo|gh|jupyter|issue|commit)_\w{1,24}>|<reponame>|<filename>"
    r"|\u2581?<(?:PRE|SUF|MID|EOT|EOM)>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|</?s>"
    r"|\[/?INST\]|<</?SYS>>"
    r"|^[ \t]*(?:```|~~~)",
    re.MULTILINE,
)
"""Markers of fill-in-the-middle, ends of text, roles of a chat, and the fences that a chat puts around code."""

_OF_MARKUP = ("<s>", "</s>")
_MARKUP = frozenset(("html", "vue", "svelte", "xml", "markdown", "astro", "php", "tsx", "javascript"))


def without_control_tokens(candidate: Candidate) -> Candidate:
    """End before the first one, but for those that the document speaks of itself: there they are text."""
    for found in _TOKEN.finditer(candidate.text):
        if not _is_text_here(candidate, found[0].strip()):
            return candidate.with_text(candidate.text[: found.start()])
    return candidate


def _is_text_here(candidate: Candidate, token: str) -> bool:
    around = candidate.surroundings
    if token in _OF_MARKUP and around.language.grammar in _MARKUP:
        return True
    if token[0] in "`~" and around.language.blocks is BlockStyle.NONE:
        return True
    return any(token in line for line in (*around.lines_before, *around.lines_after, *candidate.snapshot.lines[:1]))
