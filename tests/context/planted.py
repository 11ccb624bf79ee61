"""Made-up secrets of every form that is known, put together here so that no scanner takes this file for a leak."""

from __future__ import annotations

_RANDOM = "a8Xk29fjLq02mZpQ17bTvR5nWc3sYd6hGe4u"

_LINE = (_RANDOM * 2)[:64]

TOKENS = {
    "aws": "AKIA" + "Q3EGRIVXTNBH7LKZ",
    "github": "ghp_" + _RANDOM,
    "github, fine-grained": "github_pat_" + _RANDOM,
    "gitlab": "glpat-" + _RANDOM[:20],
    "slack": "xoxb-" + "1234567890-" + _RANDOM,
    "slack hook": "https://hooks.slack.com/services/" + "T0ABC1234/B0DEF5678/" + _RANDOM[:24],
    "stripe": "sk_live_" + _RANDOM[:24],
    "google": "AIza" + _RANDOM[:35],
    "openai": "sk-proj-" + _RANDOM,
    "anthropic": "sk-ant-" + "api03-" + _RANDOM,
    "older key": "sk-" + _RANDOM + _RANDOM[:12],
    "hugging face": "hf_" + _RANDOM[:34],
    "npm": "npm_" + _RANDOM,
    "pypi": "pypi-" + _RANDOM * 2,
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + _RANDOM,
    "vault": "hvs." + _RANDOM,
}

IN_CODE = {
    "a key in code": f'api_key = "{_RANDOM}"',
    "a key in json": f'{{"client_secret": "{_RANDOM}"}}',
    "a key in a shell": f"export SERVICE_TOKEN={_RANDOM}",
    "a header": f'headers = {{"Authorization": "Bearer {_RANDOM}"}}',
    "a password": 'connect(password="tr0ub4dor&3")',
    "a url": "postgres://admin:tr0ub4dor-3@db.internal/prod",
    "a hexadecimal key": 'SECRET_KEY: "9f86d081884c7d659a2feaa0c55ad015"',
    "a private key": "-----BEGIN RSA "
    + f"PRIVATE KEY-----\n{_LINE}\n{_LINE}\nZz9=\n-----END RSA "
    + "PRIVATE KEY-----",
}
SECRET_PARTS = (_RANDOM[:20], "Q3EGRIVXTNBH7LKZ", "tr0ub4dor", "9f86d081884c", "T0ABC1234")
"""What must not be found in anything that leaves a file."""

EVERYTHING = "\n".join([*(f"# {token}" for token in TOKENS.values()), *IN_CODE.values()])


def leaks(text: str) -> list[str]:
    """The secrets that a text gives away."""
    return [part for part in SECRET_PARTS if part in text]
