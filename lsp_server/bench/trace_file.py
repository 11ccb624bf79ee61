"""Trace files. What is wrong with one is said in a sentence.

A trace is `{"name", "language", "path", "text", "offset", "typed", "requests": [n, ...]}`: the document opens with
`text`; `typed` is inserted at character `offset` one character at a time; after the n-th character, for each n in
`requests`, the editor asks for an inline completion and waits for the answer. Optional are

- `inserted_by_editor`: `[{"with": n, "before_caret": "    ", "after_caret": ")"}, ...]`, what the editor inserts in the
  same change as the n-th character: an indentation, a closer. A closer that is typed while it stands at the caret only
  moves the caret; when its opener is deleted, it goes, too;
- `events`: `[{"after": n, KIND: value}, ...]`, what is done after the n-th character and the request that belongs to it
  (0 is before the first), in the order of the list. Kinds: `"backspaces": k`; `"caret": offset` in the text as it is
  then; `"path": p`, the document with this path, at the place where its caret was left; `"ask": "automatic"` or
  `"invoked"`, one more request; `"accept": true`, all of what the last answer showed goes into the text;
- `documents`: `[{"language", "path", "text", "offset"}, ...]`, further open documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lsp_server.bench.buffers import Buffers
from lsp_server.bench.trace import Accept, Action, Ask, Backspace, Jump, Key, Switch, Trace, TraceDocument
from lsp_server.errors import CompletionError

_Check = Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_positive(value: object) -> bool:
    return _is_count(value) and value != 0


def _is_list(value: object) -> bool:
    return isinstance(value, list)


_TEXT, _COUNT, _LIST = (_is_text, "a text"), (_is_count, "a whole number from 0 on"), (_is_list, "a list")
_POSITIVE = (_is_positive, "a whole number from 1 on")

_DOCUMENT: dict[str, tuple[_Check, str]] = {"language": _TEXT, "path": _TEXT, "text": _TEXT, "offset": _COUNT}
_NEEDED: dict[str, tuple[_Check, str]] = {"name": _TEXT, **_DOCUMENT, "typed": _TEXT, "requests": _LIST}
_OPTIONAL: dict[str, tuple[_Check, str]] = {"inserted_by_editor": _LIST, "events": _LIST, "documents": _LIST}
_INSERTED: dict[str, tuple[_Check, str]] = {"before_caret": _TEXT, "after_caret": _TEXT}
_EVENTS: dict[str, tuple[_Check, str]] = {
    "backspaces": _POSITIVE,
    "caret": _COUNT,
    "path": _TEXT,
    "ask": (lambda value: value in ("automatic", "invoked"), '"automatic" or "invoked"'),
    "accept": (lambda value: value is True, "true"),
}
_ACTIONS: dict[str, Callable[[Any], list[Action]]] = {
    "backspaces": lambda count: [Backspace()] * count,
    "caret": lambda offset: [Jump(offset)],
    "path": lambda path: [Switch(path)],
    "ask": lambda how: [Ask(how == "invoked")],
    "accept": lambda _: [Accept()],
}


def read_trace(path: Path) -> Trace:
    """A trace from its file.

    Raises:
        CompletionError: it cannot be read, or is none.
    """
    try:
        return trace_from(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CompletionError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CompletionError(f"{path} is no trace ({error}); the README lists its fields.") from error


def read_traces(paths: Iterable[Path]) -> list[Trace]:
    """The traces of files, and of all `.json` files in folders.

    Raises:
        CompletionError: one cannot be read or is none, or a folder holds none.
    """
    found = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise CompletionError(f"There is no trace (`*.json`) in the folder {path}.")
        found += [read_trace(file) for file in files]
    return found


def trace_from(data: object) -> Trace:
    """A trace from its JSON.

    Raises:
        ValueError: it is none; the message says why.
    """
    fields = _checked(data, "a trace", _NEEDED, _OPTIONAL)
    further = [_checked(each, f"document {n}", _DOCUMENT) for n, each in enumerate(fields.get("documents", []), 1)]
    documents = tuple(_document(each) for each in (fields, *further))
    if len({document.path for document in documents}) < len(documents):
        raise ValueError("two documents have the same path")
    trace = Trace(fields["name"], documents, tuple(_actions(fields)))
    if not trace.requests:
        raise ValueError("nothing is ever asked: `requests` is empty, and no event is `ask`")
    _play_without_a_model(trace)
    return trace


def _checked(
    data: object,
    what: str,
    needed: Mapping[str, tuple[_Check, str]],
    optional: Mapping[str, tuple[_Check, str]] | None = None,
) -> dict[str, Any]:
    """The fields of an object, each of the right kind, none missing, none unknown."""
    if not isinstance(data, dict):
        raise ValueError(f"{what} must be an object")
    known = {**needed, **(optional or {})}
    for name in needed:
        if name not in data:
            raise ValueError(f"`{name}` is missing in {what}")
    for name, value in data.items():
        if name not in known:
            raise ValueError(f"`{name}` is unknown in {what}; known: {', '.join(known)}")
        accepts, kind = known[name]
        if not accepts(value):
            raise ValueError(f"`{name}` must be {kind} in {what}")
    return data


def _document(fields: dict[str, Any]) -> TraceDocument:
    document = TraceDocument(fields["path"], fields["language"], fields["text"], fields["offset"])
    if document.offset > len(document.text):
        raise ValueError(f"`offset` is outside of `text` in {document.path}")
    return document


def _actions(fields: dict[str, Any]) -> Iterator[Action]:
    """All that happens, in its order."""
    typed, asked = fields["typed"], set(_requests(fields))
    inserted = _inserted(fields)
    events = list(_events(fields))
    for count in range(len(typed) + 1):
        if count:
            yield Key(typed[count - 1], **inserted.get(count, {}))
        if count in asked:
            yield Ask()
        for after, actions in events:
            if after == count:
                yield from actions


def _requests(fields: dict[str, Any]) -> list[int]:
    requests: list[int] = fields["requests"]
    if not all(_is_positive(count) and count <= len(fields["typed"]) for count in requests):
        raise ValueError("`requests` must hold counts of typed characters, from 1 to the length of `typed`")
    return requests


def _inserted(fields: dict[str, Any]) -> dict[int, dict[str, str]]:
    found = {}
    for number, each in enumerate(fields.get("inserted_by_editor", []), 1):
        what = f"entry {number} of `inserted_by_editor`"
        insertion = dict(_checked(each, what, {"with": _POSITIVE}, _INSERTED))
        count = insertion.pop("with")
        if count > len(fields["typed"]) or count in found:
            raise ValueError(f"`with` must count typed characters, each once, in {what}")
        found[count] = insertion
    return found


def _events(fields: dict[str, Any]) -> Iterator[tuple[int, list[Action]]]:
    for number, each in enumerate(fields.get("events", []), 1):
        event = _checked(each, f"event {number}", {"after": _COUNT}, _EVENTS)
        kinds = [name for name in event if name != "after"]
        if len(kinds) != 1:
            raise ValueError(f"event {number} must have exactly one of {', '.join(_EVENTS)}")
        if event["after"] > len(fields["typed"]):
            raise ValueError(f"`after` must be at most the length of `typed` in event {number}")
        yield event["after"], _ACTIONS[kinds[0]](event[kinds[0]])


def _play_without_a_model(trace: Trace) -> None:
    """Find what is not possible before anything is started. Where text was accepted, later offsets mean nothing."""
    buffers = Buffers(trace.documents)
    grown: set[str] = set()
    for action in trace.actions:
        path = buffers.current.document.path
        if isinstance(action, Accept):
            grown.add(path)
        elif isinstance(action, Jump) and path in grown:
            raise ValueError(f"`caret` has no meaning in {path} after `accept`: how long the text was is not known")
        buffers.do(action)
