"""A suggestion at the caret `█` of a document, and what the document is once it was taken."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.documents.languages import LANGUAGES
from lsp_server.documents.open_tree import LateSyntax
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.postprocess import pipeline
from lsp_server.postprocess.rule import Candidate
from tests.marked import CARET, snapshot


def place(marked: str, language: str = "python", *, parsed: bool = True) -> DocumentSnapshot:
    """The document, with its syntax tree where it has a grammar."""
    endings = LANGUAGES[language].files
    seen = snapshot(marked, path=f"main.{endings[0] if endings else 'x'}", language=language)
    return seen if parsed else replace(seen, late_syntax=LateSyntax())


def after(candidate: Candidate) -> str:
    """The document with the suggestion in its place, the caret behind it."""
    text, start = "".join(candidate.snapshot.lines), candidate.snapshot.caret_offset
    return text[:start] + candidate.text + CARET + text[start + candidate.replaced_characters :]


def taken(marked: str, model_says: str, language: str = "python", max_lines: int = 12, *, parsed: bool = True) -> str:
    """The document once the suggestion was taken; as it was where there is none."""
    left, _ = pipeline.run(Candidate(model_says, place(marked, language, parsed=parsed), max_lines))
    return after(left) if left.text.strip() else marked


def verdicts(marked: str, model_says: str, language: str = "python") -> dict[str, str]:
    """What each rule did."""
    return {each.rule: each.verdict for each in pipeline.run(Candidate(model_says, place(marked, language), 12))[1]}
