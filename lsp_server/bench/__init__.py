"""Replays typing traces against the real server, over LSP: tokens evaluated per request, times, what a pause brings."""

from lsp_server.bench.engine_costs import measure_cancel, measure_memory
from lsp_server.bench.replay import Replay, replay
from lsp_server.bench.report import percentile, report
from lsp_server.bench.trace import Trace
from lsp_server.bench.trace_file import read_trace, read_traces

__all__ = [
    "Replay",
    "Trace",
    "measure_cancel",
    "measure_memory",
    "percentile",
    "read_trace",
    "read_traces",
    "replay",
    "report",
]
