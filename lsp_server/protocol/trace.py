"""`lingCoder/trace`: why (not) these suggestions. Holds no code unless `lingCoder.traceCode` is on.

{"count": int}  ->  {"traces": [...]}, the newest last
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsp_server.protocol.language_server import LingCoderServer
from lsp_server.trace import KEPT_TRACES

METHOD = "lingCoder/trace"


def trace(ls: LingCoderServer, params: Any) -> dict[str, Any]:
    """The last traces; all that are kept, where no count is given."""
    count = params.get("count") if isinstance(params, Mapping) else None
    newest = count if type(count) is int and count >= 0 else KEPT_TRACES
    with_code = ls.session.state.settings.trace_code
    return {"traces": [each.as_json(with_code=with_code) for each in ls.session.traces.last(newest)]}
