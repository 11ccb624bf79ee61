"""Suggestions that answer again without the model: typing along, backspace, partial accept, asking twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion import CompletionRequest, complete
from lsp_server.engine.scripted import Rule, ScriptedEngine
from lsp_server.memory import Memory
from lsp_server.outcome import Outcome, Suggestion
from lsp_server.reuse import Record, SuggestionHistory
from lsp_server.settings import Settings
from tests.marked import snapshot


def suggested_in(marked: str, text: str) -> Record:
    """The record of a suggestion made at a place."""
    return Record.of(snapshot(marked), Outcome(suggestion=Suggestion(text, 0, 0)))


def check(before: str, suggested: str, after: str) -> str | None:
    """What is left of a suggestion made in `before` when the document is `after`."""
    return suggested_in(before, suggested).rest(snapshot(after))


def test_typing_along() -> None:
    """The typed part is taken off; all of it typed leaves nothing."""
    assert check("a = █\n", "b + c", "a = b +█\n") == " c"
    assert check("a = █\n", "b + c", "a = b + c█\n") == ""


def test_typing_something_else() -> None:
    """The suggestion is of no use."""
    assert check("a = █\n", "b + c", "a = x█\n") is None


def test_backspace_and_asking_again() -> None:
    """At the place where it was made, all of it is there."""
    assert check("a = █\n", "b + c", "a = █\n") == "b + c"
    assert check("a = █\n", "b + c", "a =█\n") is None


def test_an_accepted_line_leaves_the_others() -> None:
    """Also in a file with CR LF."""
    assert check("if a:\r\n    █\r\n", "b()\n    c()", "if a:\r\n    b()\r\n    █\r\n") == "c()"


def test_closers_that_the_editor_inserts() -> None:
    """`(` typed along comes with a `)` after the caret."""
    assert check("a = █\n", "f(x)", "a = f(█)\n") == "x)"


def test_edits_elsewhere() -> None:
    """Text before the place, or other text after the caret, makes the suggestion worthless."""
    assert check("a = █\n", "b", "x = █\n") is None
    assert check("a = █\nc\n", "b", "a = █\nd\n") is None
    assert check("a = █", "b", "a = █\nmore\n") is None


@given(st.text(alphabet="ab(\n ", max_size=30), st.integers(0, 30), st.text(alphabet="ab)\n ", max_size=20))
def test_typed_and_rest_are_the_suggestion(suggested: str, length: int, after: str) -> None:
    """For every prefix of every suggestion."""
    typed = suggested[:length]
    rest = check(f"x = █{after}", suggested, f"x = {typed}█{after}")
    assert rest == suggested[len(typed) :]


def test_the_newest_suggestion_wins_and_old_ones_are_forgotten() -> None:
    """Sixteen are kept for a document."""
    history, here = SuggestionHistory(), snapshot("a = █")
    for number in range(20):
        history.add("u", suggested_in("a = █", f"b{number}"))
    found = history.find(snapshot("a = █"))
    assert found is None  # another document
    history.add(here.uri, suggested_in("a = █", "old"))
    history.add(here.uri, suggested_in("a = █", "new"))
    found = history.find(here)
    assert found is not None
    assert found[1] == "new"
    history.forget(here.uri)
    assert history.find(here) is None


async def ask(engine: ScriptedEngine, memory: Memory, marked: str) -> Outcome:
    return await complete(CompletionRequest(snapshot(marked), Settings()), engine, memory)


async def test_the_model_is_asked_once_while_its_suggestion_is_typed() -> None:
    """Typed along, taken back, asked again: all of the prompt counts as reused, nothing is generated."""
    engine, memory = ScriptedEngine((Rule("b + c"),)), Memory()
    await engine.wait_ready(1000)
    first = await ask(engine, memory, "a = █\n")
    assert first.tokens.generated > 0
    for marked, rest in (("a = b█\n", " + c"), ("a = b + █\n", "c"), ("a = b█\n", " + c"), ("a = █\n", "b + c")):
        outcome = await ask(engine, memory, marked)
        assert outcome.suggestion is not None
        assert outcome.suggestion.text == rest
        assert (outcome.tokens.evaluated, outcome.tokens.generated) == (0, 0)
        assert outcome.tokens.reused == outcome.tokens.prompt == first.tokens.prompt
    assert (await engine.counters()).evaluated_answer_tokens == first.tokens.generated


async def test_what_was_shown_is_not_replaced_by_something_else() -> None:
    """Another answer of the model at the same place would make the ghost text flicker."""
    memory = Memory()
    one, other = ScriptedEngine((Rule("b + c"),)), ScriptedEngine((Rule("something"),))
    await one.wait_ready(1000)
    await other.wait_ready(1000)
    await ask(one, memory, "a = █\n")
    outcome = await ask(other, memory, "a = b█\n")
    assert outcome.suggestion is not None
    assert outcome.suggestion.text == " + c"


def test_many_blanks_after_the_caret_cost_little() -> None:
    """Only as many are looked at as an editor inserts."""
    assert check("a = █x", "b", "a = █" + " " * 600_000 + "x") is None


async def test_asking_by_key_gets_more_than_a_cut_off_answer() -> None:
    """What an automatic request could not finish is not all that there is."""
    engine, memory = ScriptedEngine((Rule("count = total"),)), Memory()
    await engine.wait_ready(1000)
    cut = await complete(CompletionRequest(snapshot("█"), Settings(max_new_tokens=2)), engine, memory)
    assert cut.suggestion is not None
    assert not cut.whole
    asked = await complete(CompletionRequest(snapshot("█"), Settings(), invoked=True), engine, memory)
    assert asked.suggestion is not None
    assert asked.suggestion.text == "count = total"
