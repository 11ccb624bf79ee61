"""What the engine is asked: the prompt in the model's layout, and where its answer ends."""

from __future__ import annotations

from lsp_server.context.anchors import Anchors, TokenBudget
from lsp_server.context.window import View
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.engine.base import Engine, GenerateRequest, ModelInfo
from lsp_server.postprocess.rule import Candidate
from lsp_server.postprocess.within_the_line_limit import single_line
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import FimTemplate, choose_template
from lsp_server.settings import Settings

_SPARE_TOKENS = 8
"""For the control tokens of a template."""


class Layout:
    """How a document is asked about with these settings and this model.

    Raises:
        TemplateMismatch: when it is made: the settings name a template that the model has no tokens for.
    """

    def __init__(self, snapshot: DocumentSnapshot, settings: Settings, model: ModelInfo) -> None:
        self.lines = (snapshot.caret_line + 1, snapshot.caret_line + 1)
        """First and last line that the prompt shows, 1-based; right after a request was made."""
        self._snapshot, self._settings = snapshot, settings
        self._template: FimTemplate = choose_template(settings.fim_template, model)
        self._max_new_tokens = min(settings.max_new_tokens, model.context_tokens // 2)
        room_tokens = max(_SPARE_TOKENS, model.context_tokens - self._max_new_tokens - _SPARE_TOKENS)
        prompt_tokens = min(settings.max_prompt_tokens, room_tokens)
        head = render.header(snapshot.path, snapshot.language_id, self._template)
        # A very long path must not take the room of the code.
        self._head = head if len(head.encode("utf-8", "replace")) <= prompt_tokens // 2 else ""
        head_tokens = len(self._head.encode("utf-8", "replace"))  # at most: a token has at least one byte
        self._room = prompt_tokens - head_tokens, room_tokens - head_tokens

    @property
    def template_name(self) -> str:
        """The template in use."""
        return self._template.name

    async def ask(
        self, engine: Engine, anchors: Anchors, suffix_tokens: int | None = None, *, settle: bool = False
    ) -> GenerateRequest:
        """The request; an anchor is placed where it is due.

        Args:
            engine: counts tokens.
            anchors: of all documents.
            suffix_tokens: what of the text after the caret is read at most; `None` for the usual share.
            settle: as for `Anchors.view`.
        """
        budget = self._budget(suffix_tokens)
        return self._asking(await anchors.view(self._snapshot, budget, engine.count_tokens, settle=settle))

    def ask_again(self, anchors: Anchors) -> GenerateRequest | None:
        """The request, where the present anchor still serves; `None` where a new one is due."""
        view = anchors.follow(self._snapshot, self._budget(None))
        return None if view is None else self._asking(view)

    def _budget(self, suffix_tokens: int | None) -> TokenBudget:
        return TokenBudget.within(*self._room, suffix_tokens)

    def _asking(self, view: View) -> GenerateRequest:
        self.lines = (view.first_line + 1, self._snapshot.caret_line + 1 + view.suffix.rstrip("\n").count("\n"))
        single = single_line(Candidate("", self._snapshot, self._settings.max_lines))
        return GenerateRequest(
            prompt=render.render(self._template, self._head, view),
            lane=self._snapshot.uri,
            max_new_tokens=self._max_new_tokens,
            stop_texts=render.stop_texts(self._template, view.suffix, single_line=single),
            stop_tokens=render.stop_tokens(self._template),
            heal=True,
        )
