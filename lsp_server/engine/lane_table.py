"""The lanes of one loaded model: carries out the plans of `lanes.py` and remembers what each lane holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsp_server.engine.lanes import Lane, plan
from lsp_server.engine.model import Model


@dataclass(slots=True)
class Counters:
    """Tokens given to the model, by what they were for; those of aborted calls included."""

    prompt_tokens: int = 0
    answer_tokens: int = 0


class LaneTable:
    """What the cells of the cache hold. Belongs to the thread that owns the model."""

    def __init__(self, model: Model, cells: int, sequences: int) -> None:
        self._model, self._cells, self._sequences = model, cells, sequences
        self._lanes: dict[str, Lane] = {}
        self._clock = 0
        self.counters = Counters()

    def lane(self, name: str) -> Lane | None:
        """A lane, if it exists. The same object as long as nobody changed it."""
        return self._lanes.get(name)

    def enter(self, name: str, tokens: Sequence[int], reserve: int) -> Lane:
        """Make the lane hold a beginning of `tokens`, the longest that the cache has."""
        todo = plan(self._lanes, name, tokens, reserve, self._cells, self._sequences)
        for other in todo.evict:
            self.forget(other)
        if todo.copy_from is None:
            self._model.cut(todo.sequence, todo.keep)
        else:
            self._model.cut(todo.sequence, 0)
            self._model.copy(todo.copy_from, todo.sequence, todo.keep)
        self._clock += 1
        self._lanes[name] = Lane(todo.sequence, tuple(tokens[: todo.keep]), self._clock)
        return self._lanes[name]

    def extend(self, name: str, tokens: Sequence[int]) -> Lane:
        """Note that `tokens` were evaluated at the end of a lane."""
        lane = self._lanes[name]
        self._lanes[name] = replace(lane, tokens=lane.tokens + tuple(tokens))
        return self._lanes[name]

    def shorten(self, name: str, length: int) -> None:
        """Note what an aborted call left in a lane; more than was noted cannot be trusted and is cut."""
        lane = self._lanes[name]
        if length != len(lane.tokens):
            length = min(length, len(lane.tokens))
            self._model.cut(lane.sequence, length)
            self._lanes[name] = replace(lane, tokens=lane.tokens[:length])

    def forget(self, name: str) -> None:
        """Free the cells of a lane."""
        lane = self._lanes.pop(name, None)
        if lane:
            self._model.cut(lane.sequence, 0)

    def forget_others(self, name: str) -> None:
        """Free all cells but those of one lane: the last resort when the cache is full."""
        for other in [other for other in self._lanes if other != name]:
            self.forget(other)

    def forget_owner(self, prefix: str) -> None:
        """Free every lane whose name begins with `prefix`: its client has gone."""
        for name in [name for name in self._lanes if name.startswith(prefix)]:
            self.forget(name)
