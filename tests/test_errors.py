"""The tree in the docstring of `lsp_server.errors` is the tree of its classes, and every one of them travels."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from lsp_server import errors
from lsp_server.errors import CompletionError, PromptTooLong, error_from_wire, error_to_wire

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, CompletionError)]
STRANGE = ("", "Änderung 語 🙂", "a\nb\x00c", "half \ud83d of a character", "x" * 1000)

_LINE = re.compile(r"^(?P<bars>[ |]*\+ )?(?P<name>[A-Z][A-Za-z]+) {2,}\S")


def tree_in_the_docstring() -> dict[str, str | None]:
    """Each class with its parent, by how far its line is indented."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for found in filter(None, map(_LINE.match, (errors.__doc__ or "").splitlines())):
        depth = len(found["bars"] or "") // 4
        path = [*path[:depth], found["name"]]
        parents[found["name"]] = path[-2] if depth else None
    return parents


def test_the_docstring_draws_the_tree() -> None:
    """Every class, each below its parent, and none that does not exist."""
    real = {kind.__name__: None if kind is CompletionError else kind.__mro__[1].__name__ for kind in KINDS}
    assert tree_in_the_docstring() == real


def an_error_of(kind: type[CompletionError], message: str) -> CompletionError:
    return PromptTooLong(5000, 4095) if kind is PromptTooLong else kind(message)


def travel(error: CompletionError) -> CompletionError:
    return error_from_wire(json.loads(json.dumps(error_to_wire(error))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("message", STRANGE, ids=["empty", "foreign", "control", "surrogate", "long"])
def test_every_error_arrives_as_what_it_was(kind: type[CompletionError], message: str) -> None:
    """The same class, the same sentence."""
    sent = an_error_of(kind, message)
    arrived = travel(sent)
    assert type(arrived) is kind
    assert str(arrived) == str(sent)


def test_a_prompt_that_is_too_long_keeps_its_numbers() -> None:
    """The caller shrinks the window by them."""
    arrived = travel(PromptTooLong(5000, 4095))
    assert isinstance(arrived, PromptTooLong)
    assert (arrived.prompt_tokens, arrived.limit_tokens) == (5000, 4095)


@pytest.mark.parametrize(
    "data",
    [{}, {"kind": "Unknown", "message": "?"}, {"kind": 5, "message": None}, {"kind": "PromptTooLong"}, "text", None],
)
def test_an_error_of_another_version_is_still_an_error(data: object) -> None:
    """Never an exception of another kind while it is read."""
    assert isinstance(error_from_wire(data), CompletionError)
