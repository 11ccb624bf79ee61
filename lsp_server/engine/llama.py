"""llama.cpp through its C interface: the only module that imports llama_cpp. One model, one context, one owner thread.

What is not here: which prompt belongs in which lane (`lanes.py`), in which order jobs run (`scheduler.py`), sockets.
`llama_decode` is called at one place, `LlamaModel.decode`, and counted there.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from lsp_server.engine.base import ModelInfo, Sampling
from lsp_server.engine.engine_settings import EngineSettings, batch_limit, physical_cores, threads_for
from lsp_server.engine.gguf_texts import MIN_CONFIDENCE_KEY, load_error, percent
from lsp_server.engine.healing import TokenTable
from lsp_server.engine.model import DecodeResult
from lsp_server.engine.text_blocks import split_blocks
from lsp_server.errors import EngineError, ModelFileError, TemplateMismatch

_LOG_ERROR = 4

_recent_log: deque[str] = deque(maxlen=20)
_kept_alive: list[object] = []
"""Callbacks that C holds on to for the life of the process."""


def _quiet_log() -> None:
    """Errors of llama.cpp go to our log and are kept, so that a failed load can say why. They never hold the prompt."""

    def keep(level: int, text: bytes, _data: int) -> None:
        if level >= _LOG_ERROR:
            line = text.decode("utf-8", "replace").strip()
            if line:
                _recent_log.append(line)
                sys.stderr.write(line + "\n")

    callback = llama_cpp.llama_log_callback(keep)
    _kept_alive.append(callback)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))


def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("msvcrt" if os.name == "nt" else None)


class LlamaModel:
    """A loaded model with its key-value cache. Tokenizing is safe from any thread, all else belongs to one."""

    def __init__(self, path: Path, settings: EngineSettings, on_progress: Callable[[float], None]) -> None:
        """Load `path`; `on_progress` gets the share that is loaded, 0 to 1.

        Raises:
            ModelFileError: llama.cpp cannot use the file, or there is not enough memory.
        """
        _recent_log.clear()
        _quiet_log()
        llama_cpp.llama_backend_init()
        self._settings = settings
        self._abort_flag = ctypes.create_string_buffer(8)
        can_abort = not settings.gpu_layers or not llama_cpp.llama_supports_gpu_offload()
        self.most_batch_tokens = batch_limit(settings, can_abort=can_abort)
        self._model = self._load_model(path, on_progress)
        self._vocab = _present(llama_cpp.llama_model_get_vocab(self._model))
        self._context = self._make_context(path)
        self._memory = _present(llama_cpp.llama_get_memory(self._context))
        self._batch = _Batch(self.most_batch_tokens)
        self._samplers: dict[Sampling, Any] = {}
        self._tokens_of_block = lru_cache(maxsize=4096)(self._tokenize_block)
        self.vocabulary_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.evaluated_tokens = 0
        """Tokens given to `llama_decode` since the start, whatever became of the call."""
        self.aborted_calls = 0
        self._scratch = np.empty(self.vocabulary_size, np.float32)
        self.info = self._describe(path)
        self._table = TokenTable((self.piece(token), token) for token in range(self.vocabulary_size))

    def _load_model(self, path: Path, on_progress: Callable[[float], None]) -> Any:
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = self._settings.gpu_layers if llama_cpp.llama_supports_gpu_offload() else 0
        parameters.use_extra_bufts = self._settings.repack_weights

        def progress(share: float, _data: int) -> bool:
            on_progress(share)
            return True

        parameters.progress_callback = llama_cpp.llama_progress_callback(progress)
        model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not model:
            raise ModelFileError(load_error(path, _recent_log))
        return model

    def _make_context(self, path: Path) -> Any:
        settings = self._settings
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = settings.cells
        parameters.n_batch = parameters.n_ubatch = self.most_batch_tokens
        parameters.n_seq_max = settings.lanes
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = threads_for(settings, physical_cores(), path.stat().st_size)
        # A C function reads the flag: a Python callback would take the GIL at each node of the graph.
        strlen = _c_library().strlen
        parameters.abort_callback = ctypes.cast(strlen, llama_cpp.ggml_abort_callback)
        parameters.abort_callback_data = ctypes.cast(self._abort_flag, ctypes.c_void_p)
        context = llama_cpp.llama_init_from_model(self._model, parameters)
        if not context:
            raise ModelFileError(
                f"There is not enough memory for {settings.cells} tokens of context. Lower `cells` in engine.toml."
            )
        return context

    def _describe(self, path: Path) -> ModelInfo:
        trained = llama_cpp.llama_model_n_ctx_train(self._model)
        pre, suf, mid = (
            found(self._vocab)
            for found in (llama_cpp.llama_vocab_fim_pre, llama_cpp.llama_vocab_fim_suf, llama_cpp.llama_vocab_fim_mid)
        )
        return ModelInfo(
            name=self._metadata("general.name") or path.stem,
            path=str(path),
            context_tokens=min(self._settings.lane_tokens, self._settings.cells, trained),
            fim_prefix=None if pre < 0 else pre,
            fim_suffix=None if suf < 0 else suf,
            fim_middle=None if mid < 0 else mid,
            has_chat_template=bool(self._metadata("tokenizer.chat_template")),
            min_confidence_percent=percent(self._metadata(MIN_CONFIDENCE_KEY)),
        )

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(65536)
        length = llama_cpp.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if length > 0 else ""

    # Tokens

    def tokenize(self, text: str) -> list[int]:
        """Ids of a text of the user's: what looks like a control token stays text."""
        return [token for block in split_blocks(text) for token in self._tokens_of_block(block)]

    def _tokenize_block(self, block: str) -> tuple[int, ...]:
        return self._tokenize(block.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode(), False)

    def _tokenize(self, data: bytes, parse_special: bool) -> tuple[int, ...]:
        buffer = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), buffer, len(buffer), False, parse_special)
        if count < 0:
            raise EngineError("llama.cpp could not tokenize the text.")
        return tuple(buffer[:count])

    def special(self, token: str | int) -> int:
        """The id of one control token.

        Raises:
            TemplateMismatch: the vocabulary does not have it.
        """
        if isinstance(token, int):
            if not 0 <= token < self.vocabulary_size:
                raise TemplateMismatch(f"The model has no token number {token}.")
            return token
        ids = self._tokenize(token.encode(), True)
        if len(ids) != 1 or llama_cpp.llama_vocab_get_attr(self._vocab, ids[0]) & llama_cpp.LLAMA_TOKEN_ATTR_NORMAL:
            raise TemplateMismatch(
                f"The model has no control token {token}. "
                "Set `lingCoder.fimTemplate` to `auto` or to the template of its family."
            )
        return ids[0]

    def begin(self) -> tuple[int, ...]:
        """The token that every prompt of this model begins with, if there is one."""
        adds = llama_cpp.llama_vocab_get_add_bos(self._vocab)
        return (llama_cpp.llama_vocab_bos(self._vocab),) if adds else ()

    def is_end(self, token: int) -> bool:
        """Whether the model says with this token that it is done."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def piece(self, token: int) -> bytes:
        """The bytes of one token: maybe a part of a character, nothing for control tokens."""
        buffer = ctypes.create_string_buffer(512)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(0, length)]

    # Cache

    def cut(self, sequence: int, length: int) -> None:
        """Forget all cells of the sequence from position `length` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, length, -1)

    def copy(self, source: int, target: int, length: int) -> None:
        """Share the first `length` cells of one sequence with another, which must be empty."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def filled(self, sequence: int) -> int:
        """How many positions the sequence really holds: asked after an abort."""
        return int(llama_cpp.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    # Evaluation

    def request_abort(self) -> None:
        """End the running `decode` at its next graph node. Safe from any thread."""
        self._abort_flag[0] = b"\x01"

    def clear_abort(self) -> None:
        """Let the next `decode` run."""
        self._abort_flag[0] = b"\x00"

    def decode(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> DecodeResult:
        """Evaluate tokens at the end of a sequence; with `logits` the last one can be sampled from.

        Raises:
            EngineError: llama.cpp refused the batch.
        """
        count = len(tokens)
        if not 0 < count <= self.most_batch_tokens:
            raise EngineError(f"{count} tokens in a batch of {self.most_batch_tokens}.")
        batch = self._batch.filled(sequence, tokens, position, logits=logits)
        self.evaluated_tokens += count
        code = llama_cpp.llama_decode(self._context, batch)
        if code == 0 and not logits:
            llama_cpp.llama_synchronize(self._context)
        return self._result(code)

    def _result(self, code: int) -> DecodeResult:
        if code == 2:
            self.aborted_calls += 1
        if code in (0, 1, 2):
            return (DecodeResult.DONE, DecodeResult.FULL, DecodeResult.ABORTED)[code]
        raise EngineError(f"llama.cpp refused to evaluate the prompt (code {code}).")

    def candidates(self, rest: bytes) -> list[int]:
        """Tokens that begin with `rest`, and tokens that `rest` begins with."""
        return self._table.candidates(rest)

    def sample(self, sampling: Sampling, among: Sequence[int] = ()) -> tuple[int, float]:
        """The next token after the last `decode` with logits, and its log-probability before sampling, in nats.

        Args:
            sampling: how to choose.
            among: the tokens to choose from; all where empty.
        """
        if sampling not in self._samplers:
            self._samplers[sampling] = _sampler(sampling)
        sampler = self._samplers[sampling]
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
        if among:
            token = _sample_among(sampler, logits, among)
        else:
            token = llama_cpp.llama_sampler_sample(sampler, self._context, -1)
        highest = float(logits.max())
        np.subtract(logits, highest, out=self._scratch)
        np.exp(self._scratch, out=self._scratch)
        return token, float(logits[token]) - highest - math.log(float(self._scratch.sum()))

    def close(self) -> None:
        """Free everything. Only after the thread that decodes has ended: freeing under it is a crash."""
        for sampler in self._samplers.values():
            llama_cpp.llama_sampler_free(sampler)
        self._batch.free()
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)
        llama_cpp.llama_backend_free()


class _Batch:
    """What `llama_decode` is given, filled through numpy: a loop over its fields costs a microsecond for each."""

    def __init__(self, size: int) -> None:
        self._batch = llama_cpp.llama_batch_init(size, 0, 1)
        fields = (self._batch.token, self._batch.pos, self._batch.n_seq_id, self._batch.logits)
        self._tokens, self._positions, counts, self._logits = (
            np.ctypeslib.as_array(field, shape=(size,)) for field in fields
        )
        counts[:] = 1
        self._sequence: int | None = None

    def filled(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> Any:
        """The batch with these tokens of one sequence."""
        count = self._batch.n_tokens = len(tokens)
        self._tokens[:count] = tokens
        self._positions[:count] = np.arange(position, position + count)
        self._logits[:count] = 0
        self._logits[count - 1] = logits
        if sequence != self._sequence:
            for index in range(len(self._tokens)):
                self._batch.seq_id[index][0] = sequence
            self._sequence = sequence
        return self._batch

    def free(self) -> None:
        """Give it back to llama.cpp."""
        llama_cpp.llama_batch_free(self._batch)


def _sampler(sampling: Sampling) -> Any:
    chain = _present(llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params()))
    if sampling.temperature <= 0:
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_greedy())
        return chain
    for sampler in (
        llama_cpp.llama_sampler_init_top_k(sampling.top_k),
        llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
        llama_cpp.llama_sampler_init_temp(sampling.temperature),
        llama_cpp.llama_sampler_init_dist(sampling.seed),
    ):
        llama_cpp.llama_sampler_chain_add(chain, sampler)
    return chain


def _sample_among(sampler: Any, logits: Any, among: Sequence[int]) -> int:
    """The choice of a native sampler chain from a few tokens."""
    data = (llama_cpp.llama_token_data * len(among))()
    for entry, token in zip(data, among, strict=True):
        entry.id, entry.logit, entry.p = token, float(logits[token]), 0.0
    array = llama_cpp.llama_token_data_array(data=data, size=len(among), selected=-1, sorted=False)
    llama_cpp.llama_sampler_apply(sampler, ctypes.byref(array))
    return int(array.data[array.selected].id)


def _present(pointer: Any) -> Any:
    if not pointer:
        raise EngineError("llama.cpp returned nothing where it always returns something.")
    return pointer
