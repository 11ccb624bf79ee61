"""One session with an engine that tells what became of its generations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from lsp_server.documents.text_lines import TextLines
from lsp_server.engine.base import Finished, GenerateRequest, Piece
from lsp_server.engine.scripted import Rule, ScriptedEngine
from lsp_server.in_flight import InFlight
from lsp_server.outcome import Outcome, Skip, Suggestion
from lsp_server.session import Session
from lsp_server.state import Document


class WatchedEngine(ScriptedEngine):
    """Counts the generations that have begun and those that are over."""

    def __init__(self) -> None:
        super().__init__((Rule(match="slow", text="word " * 1000, token_ms=20), Rule(text="hello()")))
        self.begun, self.over = asyncio.Event(), 0

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece | Finished, None]:
        """As usual."""
        try:
            self.begun.set()
            async for event in super().generate(request):
                yield event
        finally:
            self.over += 1


def open_document(session: Session, text: str) -> Document:
    document = Document("file:///a.py", "a.py", "python", 1, TextLines(text))
    session.open(document)
    return document


async def begin(session: Session, document: Document, engine: WatchedEngine) -> asyncio.Task[Outcome]:
    """Ask at the end of the document, and wait until the engine works on it."""
    engine.begun.clear()
    task = asyncio.ensure_future(session.complete(document.snapshot(99, 0), invoked=True))
    await engine.begun.wait()
    return task


@pytest.fixture
def engine() -> WatchedEngine:
    return WatchedEngine()


@pytest.fixture
def session(engine: WatchedEngine) -> Session:
    return Session(lambda settings: engine)


async def test_a_cancelled_request_frees_the_engine(session: Session, engine: WatchedEngine) -> None:
    """Its generation is closed, and it is counted."""
    task = await begin(session, open_document(session, "slow"), engine)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.over == 1
    assert session.state.statistics.outcomes == {"cancelled": 1}


@pytest.mark.parametrize("skip", [Skip.CLOSED, Skip.STALE, Skip.SUPERSEDED, Skip.CANCELLED])
async def test_work_that_is_of_no_use_any_more_frees_the_engine(
    session: Session, engine: WatchedEngine, skip: Skip
) -> None:
    """Whatever ends it: the generation is closed at once, and the outcome tells why."""
    document = open_document(session, "slow")
    task = await begin(session, document, engine)
    if skip is Skip.CLOSED:
        session.close_document(document.uri)
    elif skip is Skip.STALE:
        session.changed(document, 2)
    elif skip is Skip.SUPERSEDED:
        (await begin(session, document, engine)).cancel()
    else:
        await session.close()
    outcome = await task
    assert (outcome.suggestion, outcome.skip) == (None, skip)
    assert engine.over >= 1


async def test_an_answer_that_waits_to_be_collected_is_not_shown_for_changed_text() -> None:
    """The text changed between the end of the work and its answer."""
    in_flight = InFlight()

    async def work() -> Outcome:
        asyncio.get_running_loop().call_soon(in_flight.end, "a.py", Skip.STALE)
        return Outcome(suggestion=Suggestion("x", 0, 0))

    outcome = await in_flight.run("a.py", work())
    assert (outcome.suggestion, outcome.skip) == (None, Skip.STALE)


async def test_versions_out_of_order_are_told_without_text(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """The log says that it happened, not what was typed."""
    document = open_document(session, "private")
    session.changed(document, 0)
    assert document.version == 0
    assert "Version 0" in caplog.text
    assert "private" not in caplog.text


async def test_opening_again_ends_the_work_for_the_old_text(session: Session, engine: WatchedEngine) -> None:
    """A document that is opened twice was changed in between."""
    task = await begin(session, open_document(session, "slow"), engine)
    open_document(session, "other")
    assert (await task).skip is Skip.CLOSED
