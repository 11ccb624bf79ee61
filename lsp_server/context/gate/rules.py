"""The silence rules in their order: the first one that applies gives the outcome its name.

What holds for the whole file comes first, then what the person does, then the place of the caret.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.context.gate import person, place, switched_off, unfit_file
from lsp_server.context.gate.rule import SilenceRule
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.outcome import Skip
from lsp_server.settings import Settings

ABOUT_THE_FILE: tuple[SilenceRule, ...] = (
    SilenceRule(Skip.OFF, switched_off.everything),
    SilenceRule(Skip.LANGUAGE_OFF, switched_off.language),
    SilenceRule(Skip.PATH_OFF, switched_off.path),
    # Asking by key overrides a judgement, but does not make the impossible possible.
    SilenceRule(Skip.TOO_LARGE, unfit_file.too_large, also_when_invoked=True),
    SilenceRule(Skip.BINARY, unfit_file.binary, also_when_invoked=True),
    SilenceRule(Skip.GENERATED, unfit_file.generated),
    SilenceRule(Skip.MINIFIED, unfit_file.minified),
)

RULES: tuple[SilenceRule, ...] = (
    *ABOUT_THE_FILE,
    SilenceRule(Skip.SEVERAL_CARETS, person.several_carets, needs_editor_state=True),
    SilenceRule(Skip.SELECTION, person.selection, needs_editor_state=True),
    SilenceRule(Skip.DISMISSED, person.dismissed, needs_editor_state=True),
    SilenceRule(Skip.DELETING, person.deleting),
    SilenceRule(Skip.LONG_LINE, place.line_too_long),
    SilenceRule(Skip.MERGE_CONFLICT, place.merge_conflict),
    SilenceRule(Skip.IN_A_WORD, place.in_a_word),
    SilenceRule(Skip.MID_LINE, place.mid_line),
    SilenceRule(Skip.IN_COMMENT, place.in_comment),
    SilenceRule(Skip.IN_STRING, place.in_string),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request gets no suggestion."""

    skip: Skip
    detail: str = ""
    """More about this case, where there is more to say than the skip does."""


def refuses_the_file(snapshot: DocumentSnapshot, settings: Settings) -> bool:
    """Whether nothing in this file gets a suggestion unasked, wherever the caret goes."""
    return any(rule.applies(snapshot, settings) for rule in ABOUT_THE_FILE)


def refusal(snapshot: DocumentSnapshot, settings: Settings, *, invoked: bool) -> Refusal | None:
    """The first rule that wants silence; `None` when a suggestion may be computed. No rule raises or waits."""
    for rule in RULES:
        if invoked and not rule.also_when_invoked:
            continue
        reason = rule.applies(snapshot, settings)
        if reason:
            return Refusal(rule.skip, reason if isinstance(reason, str) else "")
    return None


def rules_as_json(*, editor_state_is_sent: bool) -> list[dict[str, object]]:
    """Every rule by name, with its sentence, and whether it can know in this editor what it must."""
    return [
        {
            "rule": rule.name,
            "active": editor_state_is_sent or not rule.needs_editor_state,
            "silentWhen": rule.skip.value,
        }
        for rule in RULES
    ]
