"""The rules in their order. Order is behaviour: each sees what the ones before it left."""

from __future__ import annotations

from lsp_server.outcome import Verdict
from lsp_server.postprocess.before_the_next_lines import before_the_next_lines
from lsp_server.postprocess.before_the_rest_of_the_line import before_the_rest_of_the_line
from lsp_server.postprocess.over_the_closers import over_the_closers
from lsp_server.postprocess.rule import Candidate, Rule
from lsp_server.postprocess.to_a_whole_end import to_a_whole_end
from lsp_server.postprocess.unlike_the_lines_before import unlike_the_lines_before
from lsp_server.postprocess.unlike_the_next_lines import unlike_the_next_lines
from lsp_server.postprocess.until_the_block_ends import until_the_block_ends
from lsp_server.postprocess.until_the_statement_ends import until_the_statement_ends
from lsp_server.postprocess.with_the_files_indentation import with_the_files_indentation
from lsp_server.postprocess.with_the_files_line_ends import with_the_files_line_ends
from lsp_server.postprocess.within_the_brackets import within_the_brackets
from lsp_server.postprocess.within_the_length_limit import within_the_length_limit
from lsp_server.postprocess.within_the_line_limit import within_the_line_limit
from lsp_server.postprocess.without_control_characters import without_control_characters
from lsp_server.postprocess.without_control_tokens import without_control_tokens
from lsp_server.postprocess.without_loops import without_loops
from lsp_server.postprocess.without_new_syntax_errors import without_new_syntax_errors
from lsp_server.postprocess.without_trailing_space import without_trailing_space

ON_THE_STREAM: tuple[Rule, ...] = (
    without_control_characters,
    within_the_length_limit,
    without_control_tokens,
    without_loops,
    within_the_line_limit,
    before_the_rest_of_the_line,
    with_the_files_indentation,
    unlike_the_lines_before,
    until_the_statement_ends,
    until_the_block_ends,
    before_the_next_lines,
    within_the_brackets,
)
"""What finds the end of an answer, also of one that is still coming."""

AT_THE_PLACE: tuple[Rule, ...] = (
    without_control_characters,
    before_the_rest_of_the_line,
    before_the_next_lines,
    unlike_the_next_lines,
    over_the_closers,
    without_trailing_space,
    without_new_syntax_errors,
    with_the_files_line_ends,
)
"""What fits the rest of a suggestion that was shown before into the document: how far it reaches was decided."""

AT_THE_END: tuple[Rule, ...] = (
    *ON_THE_STREAM,
    unlike_the_next_lines,
    to_a_whole_end,
    over_the_closers,
    without_trailing_space,
    without_new_syntax_errors,
    with_the_files_line_ends,
)
"""All rules, for a new answer."""


def run(candidate: Candidate, rules: tuple[Rule, ...] = AT_THE_END) -> tuple[Candidate, tuple[Verdict, ...]]:
    """What is left of the candidate, and each rule's verdict up to the one that emptied it.

    Args:
        candidate: the answer at its place.
        rules: which ones.
    """
    verdicts: list[Verdict] = []
    for rule in rules:
        before, candidate = candidate, rule(candidate)
        verdict = "kept" if candidate == before else "changed" if candidate.text.strip() else "emptied"
        verdicts.append(Verdict(rule.__name__, verdict))
        if verdict == "emptied":
            break
    return candidate, tuple(verdicts)
