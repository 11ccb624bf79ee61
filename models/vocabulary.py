"""A small real vocabulary: byte-level BPE as in GPT-2, and the control tokens under the names that Ling uses.

llama.cpp takes the merges from `tokenizer.ggml.merges` and splits text before merging by the rule named in
`tokenizer.ggml.pre`; the merges were learned with that same rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gguf import TokenType

MERGES_FILE = Path(__file__).parent / "tiny" / "merges.txt"
MERGES_HEADER = "#version: byte-level BPE, one merge in a line, most frequent first"
"""First line of the file of merges. A later line may begin with `#` too: it is a merge then."""

BEGIN_OF_TEXT = "<|startoftext|>"
END_OF_TEXT = "<|endoftext|>"
FIM_TOKENS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
"""llama.cpp knows a fill-in-the-middle model by these very names (src/llama-vocab.cpp)."""
ROLE_TOKENS = ("<role>", "</role>")
RESERVED_TOKENS = 8

PLAIN_TEXT = frozenset(map(chr, range(0x21, 0x7F))) | frozenset("\u0120\u010a\u0109")
"""Characters of tokens that stand for ASCII text: themselves, and the stand-ins for space, newline and tab."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens by id, first the text tokens, then the control tokens, then the padding."""

    tokens: tuple[str, ...]
    types: tuple[TokenType, ...]
    merges: tuple[str, ...]
    text_tokens: int
    """Ids below this one stand for text."""

    def id_of(self, token: str) -> int:
        """The token's number."""
        return self.tokens.index(token)

    def plain_text(self) -> list[int]:
        """Ids of the tokens of ASCII text. Lone other bytes are left out: what they make is seldom valid UTF-8."""
        return [number for number, token in enumerate(self.tokens[: self.text_tokens]) if PLAIN_TEXT.issuperset(token)]


def build_vocabulary(size: int, *, fim: bool = True, merges_file: Path = MERGES_FILE) -> Vocabulary:
    """A vocabulary of exactly `size` tokens. Without `fim` reserved names stand in for the markers, ids unchanged."""
    merges = read_merges(merges_file)
    text = text_tokens(merges)
    control = control_tokens(fim=fim)
    used = len(text) + len(control)
    if size < used:
        raise ValueError(f"a vocabulary of {size} has no room for {used} tokens")
    padding = [f"[PAD{number}]" for number in range(used, size)]
    types = [TokenType.NORMAL] * len(text) + [TokenType.CONTROL] * len(control) + [TokenType.UNUSED] * len(padding)
    return Vocabulary((*text, *control, *padding), tuple(types), merges, len(text))


def control_tokens(*, fim: bool) -> list[str]:
    """Begin and end of text come first and the roles last, as in Ling's vocabulary."""
    reserved = [f"<|reserved_token_{number}|>" for number in range(RESERVED_TOKENS + len(FIM_TOKENS))]
    markers = FIM_TOKENS if fim else reserved[RESERVED_TOKENS:]
    return [BEGIN_OF_TEXT, END_OF_TEXT, *markers, *reserved[:RESERVED_TOKENS], *ROLE_TOKENS]


def text_tokens(merges: Iterable[str]) -> list[str]:
    """The 256 bytes and what each merge yields. Two merges may yield the same text; tokens must be unique."""
    merged = (merge.replace(" ", "") for merge in merges)
    return list(dict.fromkeys((*byte_alphabet(), *merged)))


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, by code point: the order in which vocabularies list them."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    replaced = [0x100 + n for n in range(256 - len(printable))]
    return [chr(code) for code in (*sorted(printable), *replaced)]


def read_merges(path: Path) -> tuple[str, ...]:
    """Reads a file as `learn_merges` writes it."""
    header, *merges = path.read_text(encoding="utf-8").split("\n")
    if header != MERGES_HEADER:
        raise ValueError(f"{path} is no list of merges: its first line is not {MERGES_HEADER!r}")
    return tuple(merge for merge in merges if merge)
