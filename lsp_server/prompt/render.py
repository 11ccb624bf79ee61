"""A window of code laid out the way the model was trained: segments of text and control tokens."""

from __future__ import annotations

from lsp_server.context.window import View
from lsp_server.documents.languages import comment_mark
from lsp_server.engine.base import Prompt, Segment, Special, Text
from lsp_server.prompt.fim_templates import FimTemplate, Token

_SHORTEST_STOP_CHARACTERS = 8


def header(path: str | None, language_id: str, template: FimTemplate) -> str:
    """One comment line that names the file; where nothing marks the file as code, a line that names the language, too.

    The `# language:` line is how the authors of Ling-Coder-Lite ask their base model (codefuse-evaluation,
    humaneval_x_base_preprocessor.py).
    """
    mark = comment_mark(language_id)
    language = f"{mark} language: {language_id}\n" if not template.markers else ""
    return language + (f"{mark} {path}\n" if path else "")


def render(template: FimTemplate, head: str, view: View) -> Prompt:
    """The prompt for one view. Text is never joined with control tokens into one string.

    What was typed since the anchor comes last, whatever the order of the rest: each key only appends.
    """
    if template.prefix is None or template.suffix is None or template.middle is None:
        return (Text(head + view.prefix + view.middle),)
    before = (Special(template.prefix), Text(head + view.prefix))
    after = (Special(template.suffix), Text(view.suffix))
    parts: tuple[Segment, ...] = (*after, *before) if template.suffix_first else (*before, *after)
    return tuple(part for part in (*parts, Special(template.middle), Text(view.middle)) if part != Text(""))


def stop_tokens(template: FimTemplate) -> tuple[Token, ...]:
    """Every marker that the prompt uses also ends generation."""
    return tuple(dict.fromkeys((*template.stop, *template.markers)))


def stop_texts(template: FimTemplate, suffix: str, *, single_line: bool) -> tuple[str, ...]:
    """Texts that end generation: the line end inside a line; the suffix's beginning where the model cannot see it."""
    stops = ["\n"] if single_line else []
    if not template.markers and (following := _beginning_of(suffix)):
        stops.append(following)
    return tuple(stops)


def _beginning_of(suffix: str) -> str:
    """The rest of the caret's line or, where it is blank, the next line as a whole: indented and to its end."""
    rest, *lines = suffix.split("\n")
    if rest.strip():
        return rest.strip() if len(rest.strip()) >= _SHORTEST_STOP_CHARACTERS else ""
    following = next((line.rstrip() for line in lines if line.strip()), "")
    return f"\n{following}\n" if following else ""
