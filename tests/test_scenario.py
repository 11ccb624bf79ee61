"""The form of scenarios: what is written is read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.scenario import CARET, Scenario, ScenarioError, read, write

TEXT = st.text(alphabet=st.one_of(st.sampled_from("=\\\n\r\tab █x1"), st.characters(codec=None)), max_size=40).map(
    lambda text: text.replace(CARET, "")
)


@given(TEXT, TEXT, TEXT, st.booleans())
def test_what_is_written_is_read_again(before: str, after: str, model: str, shown: bool) -> None:
    """Whatever the texts hold."""
    document = before + CARET + after
    scenario = Scenario(
        "Something is true.",
        document,
        model,
        document + model if shown else None,
        "" if shown else "empty",
        {"path": "a.py"},
    )
    again = read(write(scenario))
    assert (again.title, again.document, again.model_says) == (scenario.title, document, model)
    assert (again.shown, again.silent, again.option("path")) == (scenario.shown, scenario.silent, "a.py")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no section"),
        ("=== file\n█\n=== model\n\n=== shown\n█\n", "the first line"),
        ("True.\n=== file\n█\n=== model\n", "needs the sections"),
        ("True.\n=== file\nx\n=== model\ny\n=== shown\n█\n", "one █ each"),
        ("True.\ncolour: red\n=== file\n█\n=== model\n\n=== silent empty\n", "'colour: red' is no option"),
    ],
)
def test_what_is_no_scenario(text: str, why: str) -> None:
    """The reason is said."""
    with pytest.raises(ScenarioError, match=why):
        read(text)


def test_settings() -> None:
    """By their names on the wire."""
    scenario = Scenario(
        "t", "█", "", options={"setting": "maxLines=3, enabled=false, suggestAt=key, disabledPaths=[/a *.b]"}
    )
    assert scenario.settings == {
        "maxLines": 3,
        "enabled": False,
        "suggestAt": "key",
        "disabledPaths": ["/a", "*.b"],
    }
