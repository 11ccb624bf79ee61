"""Tokens that a model's file may name for filling in, and the tags of roles in a chat.

Keys win over names, as in llama.cpp, and the names are its own (src/llama-vocab.cpp).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lsp_server.model_store.gguf_header import Value


@dataclass(frozen=True, slots=True)
class SpecialToken:
    """A token with a role."""

    role: str
    id: int
    text: str
    named_by: str
    """`key` of the file, or `text`: the token looks like what it is."""


_ROLES = {
    "begin of text": ("bos_token_id", ""),
    "end of text": ("eos_token_id", ""),
    "end of turn": ("eot_token_id", ""),
    "FIM prefix": (
        "fim_pre_token_id prefix_token_id",
        "<|fim_prefix|> <fim-prefix> <fim_prefix> <｜fim▁begin｜> <PRE> ▁<PRE> <|code_prefix|> <|prefix|>",
    ),
    "FIM suffix": (
        "fim_suf_token_id suffix_token_id",
        "<|fim_suffix|> <fim-suffix> <fim_suffix> <｜fim▁hole｜> <SUF> ▁<SUF> <|code_suffix|> <|suffix|>",
    ),
    "FIM middle": (
        "fim_mid_token_id middle_token_id",
        "<|fim_middle|> <fim-middle> <fim_middle> <｜fim▁end｜> <MID> ▁<MID> <|code_middle|> <|middle|>",
    ),
    "FIM pad": ("fim_pad_token_id", "<|fim_pad|> <fim-pad> <fim_pad> <PAD>"),
    "repository": ("fim_rep_token_id", "<|fim_repo|> <|repo_name|> <fim-repo> <REPO> <reponame>"),
    "file": ("fim_sep_token_id", "<|file_sep|>"),
    "role begins": ("", "<role> <|im_start|> <|start_header_id|> <start_of_turn>"),
    "role ends": ("", "</role> <|im_end|> <|end_header_id|> <end_of_turn>"),
}
"""Keys and texts of each role, the first that is there counts. No text has a space in it."""

FIM_ROLES = ("FIM prefix", "FIM suffix", "FIM middle")
"""What filling in needs."""


def special_tokens(keys: Mapping[str, Value]) -> tuple[SpecialToken, ...]:
    """Those that the file names, in the table's order."""
    listed = keys.get("tokenizer.ggml.tokens")
    texts: Sequence[str] = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else ()
    wanted = {text for _, spellings in _ROLES.values() for text in spellings.split()}
    ids = {text: number for number, text in enumerate(texts) if text in wanted}
    return tuple(
        token
        for role, (names, spellings) in _ROLES.items()
        for token in (_by_key(role, names, keys, texts) or _by_text(role, spellings, ids),)
        if token is not None
    )


def _by_key(role: str, names: str, keys: Mapping[str, Value], texts: Sequence[str]) -> SpecialToken | None:
    for name in names.split():
        number = keys.get(f"tokenizer.ggml.{name}")
        if isinstance(number, int) and not isinstance(number, bool):
            return SpecialToken(role, number, texts[number] if 0 <= number < len(texts) else "", "key")
    return None


def _by_text(role: str, spellings: str, ids: Mapping[str, int]) -> SpecialToken | None:
    found = next((text for text in spellings.split() if text in ids), None)
    return None if found is None else SpecialToken(role, ids[found], found, "text")
