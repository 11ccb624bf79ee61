"""Forms of tokens that say by themselves what they are: what one begins with, and what follows.

As their issuers and public secret scanners (gitleaks, GitHub secret scanning) describe them.
"""

from __future__ import annotations

import re

_BASE64URL = "[A-Za-z0-9_-]"

_BEGINNINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("AKIA", "ASIA", "ABIA", "ACCA"), r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"[A-Za-z0-9]{20,255}"),
    (("github_pat_",), r"[A-Za-z0-9_]{22,255}"),
    (tuple(f"gl{kind}-" for kind in ("pat", "oas", "dt", "rt", "ptt", "ft", "soat", "cbt", "agent", "imt", "ffct")),
     f"{_BASE64URL}{{20,300}}"),
    (tuple(f"xox{kind}-" for kind in "abceoprs"), r"[A-Za-z0-9-]{10,300}"),
    (("xapp-",), r"[A-Za-z0-9-]{10,300}"),
    (("hooks.slack.com/services/", "hooks.slack.com/workflows/"), r"[A-Za-z0-9/_-]{20,200}"),
    (tuple(f"{kind}_{stage}_" for kind in ("sk", "rk", "pk") for stage in ("live", "test")), r"[A-Za-z0-9]{10,255}"),
    (("whsec_",), r"[A-Za-z0-9+/=]{20,255}"),
    (("AIza",), f"{_BASE64URL}{{35}}"),
    (("GOCSPX-",), f"{_BASE64URL}{{20,60}}"),
    (("ya29.",), f"{_BASE64URL}{{20,1000}}"),
    (("sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-"), f"{_BASE64URL}{{20,300}}"),
    (("sk-",), r"[A-Za-z0-9]{32,128}(?![A-Za-z0-9_-])"),
    (("hf_", "api_org_"), r"[A-Za-z0-9]{30,60}(?![A-Za-z0-9_])"),
    (("npm_",), r"[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    (("pypi-",), f"{_BASE64URL}{{40,300}}"),
    (("SG.",), rf"{_BASE64URL}{{16,32}}\.{_BASE64URL}{{30,60}}"),
    (("dop_v1_", "doo_v1_", "dor_v1_"), r"[a-f0-9]{64}"),
    (("shpat_", "shpca_", "shppa_", "shpss_"), r"[a-fA-F0-9]{32}"),
    (("dapi",), r"[a-f0-9]{32}"),
    (("hvs.", "hvb.", "hvr."), f"{_BASE64URL}{{24,300}}"),
    (("AGE-SECRET-KEY-1",), r"[A-Z0-9]{58}"),
    (("eyJ",), rf"{_BASE64URL}{{5,1000}}\.{_BASE64URL}{{10,4000}}(?:\.{_BASE64URL}{{0,2000}})?"),
)  # fmt: skip

SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (beginning, re.compile(re.escape(beginning) + f"(?P<value>{rest})"))
    for beginnings, rest in _BEGINNINGS
    for beginning in beginnings
)
"""What a token begins with, and the whole of it with its secret part as `value`."""
