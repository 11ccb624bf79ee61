"""Made-up code for the tests of what the demo model learns from."""

from __future__ import annotations

from random import Random
from typing import Any

Row = dict[str, Any]

_FUNCTIONS = {
    "python": "def {0}(self, {1}):\n    return {2} + '{3}'\n",
    "c": "int {0}(int {1}) {{\n\treturn {2}; // {3}\n}}\n",
}


def code(name: str, lines: int = 120, language: str = "python") -> str:
    """Code that looks different for each name, and with markers in it as any text may have."""
    chance = Random(name)
    words = ["alpha", "beta", "gamma", "delta", "<|fim_middle|>", "<|endoftext|>", "<role>", "größe", "value", "next"]
    begin = {
        "python": "def {0}(self, {1}):\n    return {2} + '{3}'\n",
        "c": "int {0}(int {1}) {{\n\treturn {2}; // {3}\n}}\n",
    }
    form = begin.get(language, begin["python"])
    return "".join(
        form.format(f"f{chance.randrange(999)}", *(chance.choice(words) + str(chance.randrange(99)) for _ in range(3)))
        for _ in range(lines // 2)
    )


def texts(count: int = 8, language: str = "python", ending: str = "py") -> list[Row]:
    return [
        {
            "path": f"pkg/mod_{number}.{ending}", "package": f"python/p{number % 4}", "language": language,
            "licence": "MIT", "text": code(f"{language}{number}", language=language), "split": "train",
        }
        for number in range(count)
    ]  # fmt: skip
