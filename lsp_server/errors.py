"""Everything that can go wrong, as a tree, so that a caller sees what may be caught and what to do about it.

CompletionError                  each message is one sentence for the user: what is wrong and what to do
  + ModelFileError               missing, unreadable, truncated, not a GGUF, another kind -> shown in the status, once
  + EngineError                  the engine cannot answer this request
  |   + EngineGone               its process ended in the middle -> the next request starts it again
  |   + EngineBusy               it could not be started or reached yet -> "loading" for automatic requests
  |   + PromptTooLong            the prompt does not fit into a lane -> the caller shrinks the window
  |   + TemplateMismatch         the prompt names a special token that the model does not have
  + RuntimeFolderError           no folder for the socket and the lock that only this user can write
  + WireError                    the other side of the socket sent what is no message

Foreign errors (llama.cpp's return codes, ctypes, OSError, JSON) are mapped to these where they arise and never travel
on.
"""

from __future__ import annotations


class CompletionError(Exception):
    """The root: `str(error)` is a sentence that may be shown to the user."""


class ModelFileError(CompletionError):
    """The model file cannot be used."""


class EngineError(CompletionError):
    """The engine cannot answer this request."""


class EngineGone(EngineError):
    """The engine's process ended while it worked for us."""


class EngineBusy(EngineError):
    """The engine is being started, or waits before the next attempt."""


class PromptTooLong(EngineError):
    """The prompt has more tokens than a lane holds."""

    def __init__(self, prompt_tokens: int, limit_tokens: int) -> None:
        super().__init__(
            f"The prompt has {prompt_tokens} tokens; {limit_tokens} fit. Lower `lingCoder.maxPromptTokens`."
        )
        self.prompt_tokens = prompt_tokens
        self.limit_tokens = limit_tokens


class TemplateMismatch(EngineError):
    """The prompt names a special token that this model does not have."""


class RuntimeFolderError(CompletionError):
    """There is no private folder for the engine's socket."""


class WireError(CompletionError):
    """The other side of the socket sent something that is no message."""


_KINDS: dict[str, type[CompletionError]] = {
    kind.__name__: kind
    for kind in (
        CompletionError,
        ModelFileError,
        EngineError,
        EngineGone,
        EngineBusy,
        TemplateMismatch,
        RuntimeFolderError,
        WireError,
    )
}


def error_to_wire(error: CompletionError) -> dict[str, object]:
    """An error as JSON."""
    if isinstance(error, PromptTooLong):
        return {"kind": "PromptTooLong", "prompt_tokens": error.prompt_tokens, "limit_tokens": error.limit_tokens}
    return {"kind": type(error).__name__, "message": str(error)}


def error_from_wire(data: object) -> CompletionError:
    """The error that `error_to_wire` made JSON of; at least some error, whatever the other side sent."""
    if not isinstance(data, dict):
        return CompletionError(f"The other side failed: {data!r}.")
    prompt_tokens, limit_tokens = data.get("prompt_tokens"), data.get("limit_tokens")
    if isinstance(prompt_tokens, int) and isinstance(limit_tokens, int):
        return PromptTooLong(prompt_tokens, limit_tokens)
    return _KINDS.get(str(data.get("kind")), CompletionError)(str(data.get("message", "")))
