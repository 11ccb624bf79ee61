"""`lingCoder/status`: tells the editor each change of the engine's status, and a failure once in its log.

    {"state", "message", "progressPercent": int | null, "model": str | null, "mode": str | null}

`mode` is the name of the fill-in-the-middle template in use.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from lsp_server.engine.base import EngineState, EngineStatus
from lsp_server.errors import TemplateMismatch
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.settings import Settings

METHOD = "lingCoder/status"


def status_as_json(status: EngineStatus, settings: Settings) -> dict[str, Any]:
    """What is sent."""
    return {
        "state": status.state.value,
        "message": status.message,
        "progressPercent": status.progress_percent,
        "model": status.model.name if status.model else None,
        "mode": _mode(status, settings),
    }


def report(ls: LingCoderServer, status: EngineStatus) -> None:
    """Send it if it is news."""
    news = status_as_json(status, ls.session.state.settings)
    if news != ls.last_status:
        ls.last_status = news
        ls.protocol.notify(METHOD, news)
    if status.state is EngineState.READY:
        ls.logged_failure = ""
    if status.state is EngineState.FAILED and status.message != ls.logged_failure:
        ls.logged_failure = status.message
        ls.log_to_editor(types.MessageType.Error, status.message)


def _mode(status: EngineStatus, settings: Settings) -> str | None:
    if status.model is None:
        return None
    try:
        return choose_template(settings.fim_template, status.model).name
    except TemplateMismatch:
        return None
