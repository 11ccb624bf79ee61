"""A GGUF read through llama.cpp's C interface, one sequence at a time: for the evaluation only."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

CONTEXT_TOKENS = 2048


class LlamaReader:
    """A loaded model whose cache holds the beginning of one text."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self._silence, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), llama_cpp.llama_model_default_params())
        if not self._model:
            raise OSError(f"llama.cpp cannot load {path}")
        self._vocab: Any = llama_cpp.llama_model_get_vocab(self._model)
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = CONTEXT_TOKENS
        parameters.n_threads = parameters.n_threads_batch = threads
        self._context: Any = llama_cpp.llama_init_from_model(self._model, parameters)
        self._batch = llama_cpp.llama_batch_init(CONTEXT_TOKENS, 0, 1)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.filled = 0
        """Tokens in the cache."""

    def tokenize(self, text: str, *, control: bool = False) -> list[int]:
        """Ids of a text; with `control`, of the names of control tokens in it."""
        data = text.encode("utf-8", "replace")
        buffer = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), buffer, len(buffer), False, control)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of one token; nothing for control tokens."""
        buffer = ctypes.create_string_buffer(256)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(0, length)]

    def is_end(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def cut(self, length: int) -> None:
        """Keeps the first tokens only."""
        llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(self._context), 0, length, -1)
        self.filled = length

    def read(self, tokens: Sequence[int], *, every: bool = False) -> NDArray[np.float32]:
        """Log-probabilities of what follows: after the last token, or after `every` one."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, self.filled + place
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
            batch.logits[place] = every or place == len(tokens) - 1
        if llama_cpp.llama_decode(self._context, batch) != 0:
            raise OSError(f"llama.cpp did not evaluate {len(tokens)} tokens")
        self.filled += len(tokens)
        places = range(len(tokens)) if every else [len(tokens) - 1]
        return np.stack([self._log_probabilities(place) for place in places])

    def _log_probabilities(self, place: int) -> NDArray[np.float32]:
        pointer = llama_cpp.llama_get_logits_ith(self._context, place)
        logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
        shifted: NDArray[np.float32] = logits - logits.max()
        shifted -= np.log(np.exp(shifted).sum())
        return shifted

    def close(self) -> None:
        """Frees everything."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)
