"""The table of layouts, row by row, and the ladder that chooses one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.window import View
from lsp_server.engine.base import ModelInfo, Special, Text
from lsp_server.errors import TemplateMismatch
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import PREFIX_ONLY, TEMPLATES, FimTemplate, choose_template

SPM = FimTemplate("spm", "<pre>", "<suf>", "<mid>", suffix_first=True)
ROWS = (*TEMPLATES.values(), SPM)
SPELLINGS = sorted({str(token) for row in ROWS for token in (*row.markers, *row.stop)})

code = st.lists(st.sampled_from([*SPELLINGS, "<role>", "<|endoftext|>", "def f():", "\n", " "]), max_size=6).map(
    "".join
)
each_row = pytest.mark.parametrize("template", ROWS, ids=lambda row: row.name)


def model(*fim: int | None) -> ModelInfo:
    prefix, suffix, middle = fim
    return ModelInfo("m", "", 4096, prefix, suffix, middle, has_chat_template=False)


@each_row
def test_rows_are_whole(template: FimTemplate) -> None:
    """All three markers or none, all different, under the row's own name, and with a source for the table's rows."""
    assert len(set(template.markers)) == len(template.markers)
    assert len(template.markers) in (0, 3)
    assert template is SPM or (TEMPLATES[template.name] is template and template.source)


@each_row
def test_markers_never_reach_the_user(template: FimTemplate) -> None:
    """Every marker a prompt uses also ends generation, once."""
    stops = render.stop_tokens(template)
    assert set(template.markers) | set(template.stop) == set(stops)
    assert len(stops) == len(set(stops))


@each_row
@given(head=code, view=st.builds(View, code, code, code, st.just(0)))
def test_text_of_the_user_stays_text(template: FimTemplate, head: str, view: View) -> None:
    """The only control tokens in a prompt are the row's markers, in its order, whatever the code looks like."""
    prompt = render.render(template, head, view)
    specials = [part.token for part in prompt if isinstance(part, Special)]
    texts = [part.text for part in prompt if isinstance(part, Text)]
    if template is PREFIX_ONLY:
        assert prompt == (Text(head + view.prefix + view.middle),)
        return
    around = [template.suffix, template.prefix] if template.suffix_first else [template.prefix, template.suffix]
    assert specials == [*around, template.middle]
    wanted = [view.suffix, head + view.prefix] if template.suffix_first else [head + view.prefix, view.suffix]
    assert texts == [text for text in (*wanted, view.middle) if text]


@each_row
def test_the_row_of_a_name_is_chosen(template: FimTemplate) -> None:
    """The setting goes before what the model's file says."""
    if template is not SPM:
        assert choose_template(template.name, model(1, 2, 3)) is template


def test_the_models_own_tokens_come_next() -> None:
    """Ids, so that no spelling is guessed; all of them end generation."""
    chosen = choose_template("auto", model(11, 12, 13))
    assert chosen.markers == render.stop_tokens(chosen) == (11, 12, 13)


@pytest.mark.parametrize("fim", [(None, None, None), (1, 2, None), (None, 2, 3), (1, None, 3)])
def test_a_model_that_names_no_tokens_continues_the_text(fim: tuple[int | None, ...]) -> None:
    """Nothing is guessed, also where one of the three is missing."""
    assert choose_template("auto", model(*fim)) is PREFIX_ONLY


def test_token_zero_is_a_token() -> None:
    """An id of 0 is no missing one."""
    assert choose_template("auto", model(0, 1, 2)).markers == (0, 1, 2)


@pytest.mark.parametrize("setting", ["qwne", "", "Auto"])
def test_an_unknown_row_is_a_sentence(setting: str) -> None:
    """It says what was set and what can be."""
    with pytest.raises(TemplateMismatch) as caught:
        choose_template(setting, model(1, 2, 3))
    assert str(caught.value).startswith(f"`lingCoder.fimTemplate` is {setting!r}; known: auto, prefix-only, qwen")
