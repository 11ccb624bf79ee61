"""`lingCoder/stats`: what was counted since the start. Figures and sentences, no code."""

from __future__ import annotations

from typing import Any

from lsp_server.context.gate.rules import rules_as_json
from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.protocol.status import status_as_json

METHOD = "lingCoder/stats"


async def stats(ls: LingCoderServer, params: Any) -> dict[str, Any]:
    """The README lists the keys."""
    state = ls.session.state
    engine = status_as_json(ls.session.engine_status, state.settings)
    counters = await ls.session.engine_counters()
    counted = state.statistics.as_json()
    # What was called off and what was computed ahead, too.
    counted["tokens"]["generated"] = ls.session.memory.streamed_tokens
    counted["tokens"]["neverShown"] = ls.session.memory.never_shown_tokens
    return {
        **counted,
        "engine": {
            **{key: engine[key] for key in ("state", "message", "model", "mode")},
            "promptTokens": counters.evaluated_prompt_tokens,
            "answerTokens": counters.evaluated_answer_tokens,
            "abortedCalls": counters.aborted_calls,
            "idle": counters.idle,
            "processId": counters.process_id,
        },
        # Rules that need to know caret moves and dismissals do nothing in editors that do not tell.
        "editorState": "active" if state.editor_state_is_sent else "inactive",
        "silenceRules": rules_as_json(editor_state_is_sent=state.editor_state_is_sent),
        "problems": list(state.problems),
        "documents": len(state.documents),
    }
