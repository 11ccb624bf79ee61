"""Secret values are found, replaced by something of the same form, and nothing else is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.secret_files import is_secret_file
from lsp_server.context.secrets import holds_secret, redacted
from tests.context.planted import EVERYTHING, IN_CODE, TOKENS, leaks

PACKAGE = Path(__file__).parents[2] / "lsp_server"


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_is_known_by_its_form(token: str) -> None:
    """Wherever it stands, whatever the name beside it."""
    for text in (token, f"value = {token!r}", f"see {token}, and so on", f"curl -H 'X: {token}'\n"):
        assert holds_secret(text)
        assert not leaks(redacted(text))


@pytest.mark.parametrize("code", IN_CODE.values(), ids=IN_CODE)
def test_a_value_is_known_by_the_name_beside_it(code: str) -> None:
    """In code, data, shells and headers."""
    assert not leaks(redacted(code)), redacted(code)


def test_the_form_stays() -> None:
    """A model that reads the stand-in still sees what kind of thing stands there."""
    assert redacted("AKIA" + "Q3EGRIVXTNBH7LKZ") == "AKIAX0XXXXXXXXXX0XXX"
    assert redacted('password = "hunter2"') == 'password = "xxxxxx0"'


@pytest.mark.parametrize(
    "code",
    [
        'token_type = "client_credentials"',
        "token: str = field(default_factory=make_token)",
        'password = "password"',
        'secret = os.environ["SERVICE_SECRET_KEY_2"]',
        "api_key = ${API_KEY_FROM_THE_ENVIRONMENT_1}",
        'api_key = "your-api-key-goes-here-1234"',
        "password = getpass.getpass(prompt)",
        "secret_key = base64_encoded_secret_value2",
        'commit = "9f86d081884c7d659a2feaa0c55ad0159f86d081"',
        'id = "123e4567-e89b-12d3-a456-426614174000"',
        'if "-----BEGIN PRIVATE KEY-----" in text:\n    return load(text)',
        'url = f"postgres://{user}:{password}@{host}/db"',
        'class = "sk-estimator-doc-link"',
        "http://user:password@proxy:port and http://user:your-password@proxy",
        'for token in tokenize("some text, 16 words"):',
        "hf_hub_download(repository, file_name_of_the_model)",
    ],
)
def test_ordinary_code_stays(code: str) -> None:
    """Names, stand-ins, hashes and expressions are no secrets."""
    assert redacted(code) == code


def test_our_own_code_stays() -> None:
    """No false alarm in a hundred files that speak of tokens, keys and passwords on every page."""
    alarms = [path.name for path in PACKAGE.rglob("*.py") if holds_secret(path.read_text(encoding="utf-8"))]
    assert not alarms


FRAGMENTS = st.sampled_from(
    [*TOKENS.values(), *IN_CODE.values(), "secret", "token=", '"', "'", "\n", " ", "://u:", "@"]
)


@given(st.lists(FRAGMENTS | st.text(max_size=20), max_size=20).map("".join))
def test_redacting_keeps_places_and_needs_no_second_time(text: str) -> None:
    """The same length, the same line ends, and a stand-in stays what it is."""
    once = redacted(text)
    assert len(once) == len(text)
    assert [place for place, each in enumerate(once) if each in "\r\n"] == [
        place for place, each in enumerate(text) if each in "\r\n"
    ]
    assert redacted(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "token ",
        'password="',
        "-----BEGIN PRIVATE KEY-----",
        "://a:",
        "eyJ",
        "secret_",
        "sk-",
        "apikey=",
        "İtoken=",
    ],
)
def test_time_is_linear(unit: str) -> None:
    """Ten times the text takes about ten times as long, not a hundred times."""
    texts = unit * (20_000 // len(unit)), unit * (200_000 // len(unit))
    short_s, long_s = (min(_seconds(text) for _ in range(3)) for text in texts)
    assert long_s < 40 * short_s + 0.05


def _seconds(text: str) -> float:
    began_s = time.thread_time()
    redacted(text)
    return time.thread_time() - began_s


def test_many_secrets_in_one_text() -> None:
    """One after the other, none shields the next."""
    assert not leaks(redacted(EVERYTHING))


@pytest.mark.parametrize(
    "path",
    [".env", "app/.env.production", "prod.env", ".envrc", "deploy/id_ed25519", "tls/server.key", "tls/server.pem",
     "client.p12", ".ssh/config", ".aws/config", ".npmrc", ".netrc", "config/secrets.yml", "credentials.json",
     "service-account-prod.json", "terraform.tfvars", "terraform.tfstate", ".ENV", "server.key.bak", "a\\.env",
     "example.pem", "my-credentials.toml", "api_keys.json", "credentials", ".env.local~", "passwords.txt"],
)  # fmt: skip
def test_files_that_hold_secrets(path: str) -> None:
    """By name, in any folder, in any case, copies too."""
    assert is_secret_file(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", ".env.sample", "example.env", ".env.template", "secrets.py", "credentials.go", "token.rs",
     "environment.py", "keys.ts", "src/key.c", "id_rsa.pub", "secrets.schema.json", "README.md", "tokenizer.json",
     "tokens.py", "special-token-in-code.txt", "keyboard.json", "main.py"],
)  # fmt: skip
def test_files_that_may_be_read(path: str) -> None:
    """Examples are written to be shown; code that deals with secrets is code."""
    assert not is_secret_file(path)
