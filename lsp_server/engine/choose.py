"""The engine that the command line names, made from the settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from lsp_server.engine.base import (
    Engine,
    EngineCounters,
    EngineState,
    EngineStatus,
    Finished,
    GenerateRequest,
    Piece,
    StatusListener,
)
from lsp_server.errors import CompletionError, EngineError
from lsp_server.settings import Settings

DEFAULT_ENGINE = "llama"
_SCRIPTED = "scripted:"


def make_engine(option: str, settings: Settings) -> Engine:
    """`llama`, or `scripted:FILE.json`; where that is not possible, an engine whose status says why.

    Imports what it needs at the last moment: the server answers `initialize` before anything heavy is loaded.
    """
    try:
        return _made(option, settings)
    except CompletionError as error:
        return UnusableEngine(str(error))


def _made(option: str, settings: Settings) -> Engine:
    if option.startswith(_SCRIPTED):
        from lsp_server.engine.scripted import ScriptedEngine, read_rules

        rules = read_rules(Path(option.removeprefix(_SCRIPTED)))
        return ScriptedEngine(rules, load_ms=max((rule.load_ms for rule in rules), default=0.0))
    if option == DEFAULT_ENGINE:
        from lsp_server.engine.client import EngineClient
        from lsp_server.model_store.locate import locate_model, recommended_percent

        path = locate_model(settings.model)
        return EngineClient(path, recommended_percent(path))
    raise EngineError(f"There is no engine {option!r}; use `llama` or `scripted:FILE.json`.")


class UnusableEngine:
    """Implements `Engine` where none could be made: everything fails with the sentence that says why."""

    def __init__(self, message: str) -> None:
        self._status = EngineStatus(EngineState.FAILED, message)

    @property
    def status(self) -> EngineStatus:
        """Always `FAILED`."""
        return self._status

    def on_status(self, listener: StatusListener) -> None:
        """The status never changes."""

    async def start(self) -> None:
        """There is nothing to start."""

    async def wait_ready(self, limit_ms: float) -> EngineStatus:
        """There is nothing to wait for."""
        return self._status

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Fail."""
        raise EngineError(self._status.message)
        yield  # makes this a generator, as the protocol asks

    async def count_tokens(self, texts: tuple[str, ...]) -> tuple[int, ...]:
        """Fail."""
        raise EngineError(self._status.message)

    async def counters(self) -> EngineCounters:
        """Nothing was ever done."""
        return EngineCounters()

    async def close(self) -> None:
        """There is nothing to close."""
