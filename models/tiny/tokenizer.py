"""Learns the demo model's vocabulary: `python -m models.tiny.tokenizer`.

Writes `merges.txt` in the form of `models/tiny/merges.txt`. `Encoder` turns text into the ids that llama.cpp finds:
text is cut by Ling's rule (each digit alone), and control tokens are never read out of text.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as InTurn

from models.tiny.data import RecipeError, begin, family, fraction, read_rows, say, step_parser
from models.tiny.learn_merges import WORDS, learn_merges
from models.vocabulary import MERGES_HEADER, build_vocabulary, byte_alphabet, control_tokens

VOCABULARY_SIZE = 8192
"""Entries in all, control tokens among them."""
SAMPLE_BYTES = {
    "python": 5_000_000, "javascript": 2_200_000, "typescript": 2_200_000, "go": 2_200_000, "rust": 2_200_000,
    "c": 2_200_000,
}  # fmt: skip


class Encoder:
    """Text to ids and back, for the vocabulary that a file of merges makes."""

    def __init__(self, merges_file: Path, size: int = VOCABULARY_SIZE) -> None:
        self.vocabulary = build_vocabulary(size, merges_file=merges_file)
        text = self.vocabulary.tokens[: self.vocabulary.text_tokens]
        ids = {token: number for number, token in enumerate(text)}
        pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in self.vocabulary.merges)]
        self._tokenizer = Tokenizer(BPE(vocab=ids, merges=pairs))
        self._tokenizer.pre_tokenizer = InTurn(
            [Split(Regex(WORDS), behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
        )
        byte_of = dict(zip(byte_alphabet(), _bytes_in_order(), strict=True))
        self._bytes = [bytes(byte_of[character] for character in token) for token in text]

    def __call__(self, text: str) -> list[int]:
        """The text's ids; none of them is a control token's."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def offsets(self, text: str) -> list[int]:
        """The character at which each token of the text begins."""
        return [begin for begin, _ in self._tokenizer.encode(text, add_special_tokens=False).offsets]

    def decode(self, ids: Iterable[int]) -> str:
        """The text that these ids of text stand for."""
        return b"".join(self._bytes[number] for number in ids).decode("utf-8", "replace")

    def control(self) -> dict[str, int]:
        """Ids of the control tokens by name."""
        return {token: self.vocabulary.id_of(token) for token in control_tokens(fim=True)}


def balanced_sample(rows: Iterable[dict[str, Any]], seed: int = 0) -> Iterator[str]:
    """Texts to learn from, drawn by chance, so many bytes of each language."""
    train = (row for row in rows if row["split"] == "train")
    drawn = sorted(train, key=lambda row: fraction(seed, "merges", row["package"], row["path"]))
    taken: Counter[str] = Counter()
    for row in drawn:
        language, size = family(row["language"]), len(row["text"].encode())
        if taken[language] + size <= SAMPLE_BYTES[language]:
            taken[language] += size
            yield row["text"]


def merge_count(size: int = VOCABULARY_SIZE) -> int:
    """So many merges fill a vocabulary beside the bytes and the control tokens."""
    return size - len(byte_alphabet()) - len(control_tokens(fim=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = step_parser("tokenizer", "Learns the demo model's vocabulary.")
    options = parser.parse_args(arguments)
    output: Path = options.work / "merges.txt"
    try:
        begin(options.work)
        if output.exists():
            say(f"{output} is there already; remove it to learn anew")
            return 0
        merges = learn_merges(balanced_sample(read_rows(options.work / "texts.jsonl")), merge_count())
    except RecipeError as error:
        say(f"error: {error}")
        return 1
    partial = output.with_name(output.name + ".part")
    partial.write_text("\n".join([MERGES_HEADER, *merges, ""]), encoding="utf-8", newline="\n")
    partial.replace(output)
    say(f"{output}: {len(merges)} merges")
    return 0


def _bytes_in_order() -> list[int]:
    """The byte that each character of `byte_alphabet` stands for."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [*printable, *(byte for byte in range(256) if byte not in set(printable))]


if __name__ == "__main__":
    sys.exit(main())
