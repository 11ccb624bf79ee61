"""Whatever an editor sends, the settings are complete and right, and each problem is one sentence."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.settings import DEFAULTS, Settings, read_settings, wire_name

NAMES = [wire_name(field.name) for field in dataclasses.fields(Settings)]

numbers = st.integers(-(10**12), 10**12) | st.just(10**400) | st.floats()
scalars = st.none() | st.booleans() | numbers | st.text(max_size=60)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
names = st.sampled_from([*NAMES, "lingCoder", "lingCoder.maxLines"]) | st.text(max_size=60)
sections = st.dictionaries(names, values, max_size=5)


def check(sent: object) -> tuple[dict[str, object], list[str]]:
    """What differs from the defaults, and the sentences."""
    used, problems = read_settings(sent)
    changed = {
        field.name: getattr(used, field.name)
        for field in dataclasses.fields(Settings)
        if getattr(used, field.name) != getattr(DEFAULTS, field.name)
    }
    return changed, problems


@given(values | sections | st.fixed_dictionaries({"lingCoder": sections | values}))
def test_settings_are_always_complete_and_right(sent: object) -> None:
    """Nothing raises; what is used would be accepted again, word for word."""
    used, problems = read_settings(sent)
    again = {wire_name(name): value for name, value in dataclasses.asdict(used).items()}
    assert read_settings(again) == (used, [])
    assert all(type(value) is type(getattr(DEFAULTS, name)) for name, value in dataclasses.asdict(used).items())
    assert all(len(problem) < 300 and "\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    "sent", [None, {}, {"lingCoder": None}, {"lingCoder": {}}, {"maxLines": None}, {"other": 1, "lingCoder": {}}]
)
def test_nothing_configured_is_no_problem(sent: object) -> None:
    """Editors send null where nothing is set, and sections that are not ours beside ours."""
    assert read_settings(sent) == (DEFAULTS, [])


@pytest.mark.parametrize(
    "sent", [{"maxLines": 3}, {"lingCoder": {"maxLines": 3}}, {"lingCoder.maxLines": 3}, {"maxLines": 3.0}]
)
def test_settings_come_in_several_shapes(sent: object) -> None:
    """Bare, as a section, by flat names, and from editors that know one kind of number."""
    assert check(sent) == ({"max_lines": 3}, [])
    assert type(read_settings(sent)[0].max_lines) is int


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"maxLines": 0}, "`lingCoder.maxLines` must be a whole number from 1 to 1000, got 0; 12 is used"),
        ({"maxLines": 10**30}, f"`lingCoder.maxLines` must be a whole number from 1 to 1000, got {10**30}; 12 is used"),
        ({"maxLines": 1e300}, "`lingCoder.maxLines` must be a whole number from 1 to 1000, got 1e+300; 12 is used"),
        ({"maxLines": True}, "`lingCoder.maxLines` must be a whole number from 1 to 1000, got true; 12 is used"),
        ({"maxLines": "9"}, '`lingCoder.maxLines` must be a whole number from 1 to 1000, got "9"; 12 is used'),
        ({"maxLines": 1.5}, "`lingCoder.maxLines` must be a whole number from 1 to 1000, got 1.5; 12 is used"),
        ({"maxLines": [1]}, "`lingCoder.maxLines` must be a whole number from 1 to 1000, got a list; 12 is used"),
        ({"enabled": 1}, "`lingCoder.enabled` must be true or false, got 1; true is used"),
        ({"model": {}}, '`lingCoder.model` must be a text, got an object; "" is used'),
        ({"disabledPaths": "*.csv"}, '`lingCoder.disabledPaths` must be a list of texts, got "*.csv"; [] is used'),
        ({"disabledPaths": ["a", 1]}, "`lingCoder.disabledPaths` must be a list of texts, got a list; [] is used"),
        ({"disabledLanguages": [" "]}, "`lingCoder.disabledLanguages` must be a list of texts, got a list; [] is used"),
        ({"maxLine": 1}, "`lingCoder.maxLine` is unknown and was ignored"),
        ({"x" * 90: 1}, f"`lingCoder.{'x' * 39}…` is unknown and was ignored"),
        ([], "settings must be an object, got a list; they were ignored"),
        ({"lingCoder": "on"}, 'settings must be an object, got "on"; they were ignored'),
    ],
)
def test_problems_are_sentences(sent: object, sentence: str) -> None:
    """They say what was set, what can be set and what is used; the rest of the settings is as it was."""
    assert check(sent) == ({}, [sentence])


def test_lists_cannot_be_changed_afterwards() -> None:
    """What was sent is copied: settings are compared, and may be a key."""
    sent = ["*.csv", "/vendor/"]
    used, _ = read_settings({"disabledPaths": sent})
    sent.clear()
    assert used.disabled_paths == ("*.csv", "/vendor/")
    assert hash(used) != hash(DEFAULTS)


def test_one_bad_value_spoils_no_other() -> None:
    """What can be used is used."""
    assert check({"maxLines": "x", "enabled": False})[0] == {"enabled": False}


def test_settings_are_laid_over_those_before() -> None:
    """What is not sent stays, and a bad value leaves the one before."""
    base = Settings(max_lines=5, model="m.gguf")
    used, problems = read_settings({"maxLines": -1, "enabled": False}, base)
    assert used == Settings(max_lines=5, model="m.gguf", enabled=False)
    assert problems[0].endswith("got -1; 5 is used")


def test_names_on_the_wire() -> None:
    """camelCase, as the README has them."""
    assert NAMES[:5] == ["enabled", "model", "fimTemplate", "maxPromptTokens", "maxNewTokens"]
    assert len(set(NAMES)) == len(NAMES)
