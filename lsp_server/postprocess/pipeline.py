"""The rules in their order. Order is behaviour: each sees what the ones before it left."""

from __future__ import annotations

from lsp_server.outcome import Verdict
from lsp_server.postprocess.before_what_follows import before_what_follows
from lsp_server.postprocess.over_the_closers import over_the_closers
from lsp_server.postprocess.rule import Candidate, Rule
from lsp_server.postprocess.with_the_files_line_ends import with_the_files_line_ends
from lsp_server.postprocess.within_the_line_limit import within_the_line_limit
from lsp_server.postprocess.without_control_characters import without_control_characters
from lsp_server.postprocess.without_loops import without_loops
from lsp_server.postprocess.without_trailing_space import without_trailing_space

AT_THE_END: tuple[Rule, ...] = (
    without_control_characters,
    without_loops,
    within_the_line_limit,
    before_what_follows,
    over_the_closers,
    without_trailing_space,
    with_the_files_line_ends,
)


def run(candidate: Candidate) -> tuple[Candidate, tuple[Verdict, ...]]:
    """What is left of the candidate, and each rule's verdict up to the one that emptied it."""
    verdicts: list[Verdict] = []
    for rule in AT_THE_END:
        before, candidate = candidate, rule(candidate)
        verdict = "kept" if candidate == before else "changed" if candidate.text.strip() else "emptied"
        verdicts.append(Verdict(rule.__name__, verdict))
        if verdict == "emptied":
            break
    return candidate, tuple(verdicts)
