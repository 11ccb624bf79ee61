"""How each family of models was trained to fill in the middle: one row a family.

Published Ling-Coder-Lite files name no fill-in-the-middle tokens, so no row guesses them. What is used is decided by a
ladder: the user's setting, then the tokens that the model's own file names, then prefix-only.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.engine.base import ModelInfo
from lsp_server.errors import TemplateMismatch

Token = str | int


@dataclass(frozen=True, slots=True)
class FimTemplate:
    """Control tokens and their order. PSM is prefix, suffix, middle; SPM puts the suffix first."""

    name: str
    prefix: Token | None
    suffix: Token | None
    middle: Token | None
    suffix_first: bool = False
    stop: tuple[Token, ...] = ()
    """Tokens that end generation besides the model's own end token."""
    source: str = ""
    """Where the layout is documented."""

    @property
    def markers(self) -> tuple[Token, ...]:
        """The control tokens of the layout; empty for prefix-only."""
        return tuple(token for token in (self.prefix, self.suffix, self.middle) if token is not None)


def _row(name: str, pre: str, suf: str, mid: str, source: str, *more_stops: str) -> FimTemplate:
    return FimTemplate(name, pre, suf, mid, stop=(pre, suf, mid, *more_stops), source=source)


PREFIX_ONLY = FimTemplate("prefix-only", None, None, None, source="the model only continues the text")

TEMPLATES: dict[str, FimTemplate] = {
    template.name: template
    for template in (
        PREFIX_ONLY,
        _row(
            "qwen", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "Qwen2.5-Coder README",
            "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>",
        ),
        _row("starcoder", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "arXiv 2305.06161"),
        _row("deepseek", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "DeepSeek-Coder README"),
        _row("codellama", "▁<PRE>", "▁<SUF>", "▁<MID>", "arXiv 2308.12950", "▁<EOT>"),
        _row(
            "codegemma", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "CodeGemma model card",
            "<|file_separator|>",
        ),
    )
}  # fmt: skip


def choose_template(setting: str, model: ModelInfo) -> FimTemplate:
    """The layout for this model: the setting, else the model's own tokens, else prefix-only.

    Raises:
        TemplateMismatch: the setting names no row.
    """
    if setting != "auto":
        if setting not in TEMPLATES:
            raise TemplateMismatch(f"`lingCoder.fimTemplate` is {setting!r}; known: auto, {', '.join(TEMPLATES)}.")
        return TEMPLATES[setting]
    if model.fim_prefix is None or model.fim_suffix is None or model.fim_middle is None:
        return PREFIX_ONLY
    tokens = (model.fim_prefix, model.fim_suffix, model.fim_middle)
    return FimTemplate("model", *tokens, stop=tokens, source="token names in the model file")
