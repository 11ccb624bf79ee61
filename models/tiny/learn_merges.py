"""Learns the merges of the vocabulary anew: `python -m models.tiny.learn_merges FILE...`.

Needed only to change the vocabulary; the result is committed. The merges in use were learned from permissively licensed
code: CPython 3.11's standard library and C headers (PSF licence), jQuery and Underscore (MIT licence).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as InTurn
from tokenizers.trainers import BpeTrainer

from models.vocabulary import MERGES_FILE, MERGES_HEADER, byte_alphabet

WORDS = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
"""How Ling's tokenizer cuts text before merging, quoted in llama.cpp's src/llama-vocab.cpp. Each digit stays alone."""


def learn_merges(texts: Iterable[str], count: int) -> list[str]:
    """The `count` most useful merges for these texts."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = InTurn(
        [Split(Regex(WORDS), behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = byte_alphabet()
    trainer = BpeTrainer(vocab_size=len(alphabet) + count, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return _merges_of(tokenizer)


def _merges_of(tokenizer: Tokenizer) -> list[str]:
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.tiny.learn_merges")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--output", type=Path, default=MERGES_FILE, metavar="FILE")
    parser.add_argument("--count", type=int, default=1700, metavar="N")
    options = parser.parse_args(arguments)
    merges = learn_merges((file.read_text(encoding="utf-8", errors="replace") for file in options.files), options.count)
    options.output.write_text("\n".join([MERGES_HEADER, *merges, ""]), encoding="utf-8", newline="\n")
    print(f"{options.output}: {len(merges)} merges from {len(options.files)} files", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
