"""What of the current file must stay in view when the window is cut: the heads around the caret, and the imports."""

from __future__ import annotations

from lsp_server.context.question import Candidate, ContextPiece, Question

SCOPE, IMPORTS = "scope", "imports"
_MOST_HEAD_LINES = 8
_MOST_IMPORT_LINES = 40


def sticky_heads(question: Question) -> list[Candidate]:
    """Heads of the classes and functions around the first line that is shown, outermost first."""
    syntax = question.snapshot.syntax
    first_shown = question.shown[0] - 1
    if syntax is None or first_shown <= 0:
        return []
    heads = {}
    for _, captures in question.structure:
        if "scope" in captures and "scope.body" in captures:
            node, body = captures["scope"][0], captures["scope.body"][0]
            first, last = (syntax.place_of(place)[0] for place in (syntax.start_of(node), syntax.end_of(node)))
            if first < first_shown <= last:
                head = syntax.text_between(syntax.start_of(node), syntax.start_of(body)).rstrip()
                head_last = first + head.count("\n")
                heads[first] = min(head_last, first + _MOST_HEAD_LINES - 1, first_shown - 1)
    return [_lines(question, SCOPE, first, heads[first], "around the caret") for first in sorted(heads)]


def hidden_imports(question: Question) -> list[Candidate]:
    """Import lines above what is shown, in runs."""
    first_shown = question.shown[0] - 1
    syntax = question.snapshot.syntax
    if syntax is None or first_shown <= 0:
        return []
    numbers: set[int] = set()
    for _, captures in question.structure:
        for node in captures.get("import", captures.get("reexport", [])):
            first, last = (syntax.place_of(place)[0] for place in (syntax.start_of(node), syntax.end_of(node)))
            numbers.update(range(first, min(last, first + _MOST_IMPORT_LINES) + 1))
    hidden = sorted(number for number in numbers if number < first_shown)[:_MOST_IMPORT_LINES]
    runs: list[list[int]] = []
    for number in hidden:
        if runs and not "".join(question.snapshot.lines[runs[-1][-1] + 1 : number]).strip():
            runs[-1].append(number)
        else:
            runs.append([number])
    return [_lines(question, IMPORTS, run[0], run[-1], "imports above what is shown") for run in runs]


def _lines(question: Question, kind: str, first: int, last: int, why: str) -> Candidate:
    text = "".join(question.snapshot.lines[first : last + 1]).rstrip("\r\n")
    return Candidate(ContextPiece(kind, question.path, (first + 1, last + 1), text, why), 2.0)
