"""Whatever somebody writes, in whatever language: the sources answer, within the budget, and always the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsp_server.context.ignore import IgnoreRules
from lsp_server.context.index.building import build
from lsp_server.context.index.lookup import Index
from lsp_server.context.index.store import Store
from lsp_server.context.question import Question
from lsp_server.context.recent import RecentPlace
from lsp_server.documents.languages import language_of
from lsp_server.prompt.chunks import chunks
from tests.context.workspace import ask, by_characters, write
from tests.marked import CARET, snapshot

FILES = {
    "a.py": "from b import *\nfrom . import c\nclass Cart(Base):\n    def add(self): ...\n",
    "b.py": "from a import Cart\nfrom c import thing\n",
    "c/__init__.py": "from .d import *\nfrom ..a import Cart\n",
    "x.ts": 'export * from "./y";\nexport class Shape { area(): number { return 1 } }\n',
    "y.ts": 'export * from "./x";\nexport const side = 1;\n',
    "m.go": 'package m\nimport "m/n"\ntype Cart struct { Items int }\n',
    "l.rs": "use crate::l::*;\npub mod n;\npub struct Cart;\n",
    "h.h": '#include "h.h"\nint add(int item);\n',
    "S.java": "package s;\nimport s.*;\nclass S { void add() { } }\n",
}
WORDS = (
    "Cart", "add", "self.", "from a import Cart\n", "import b\n", 'import * as x from "./x";\n', '#include "h.h"\n',
    "use crate::l::Cart;\n", "import s.S;\n", "cart = Cart()\n", "cart.", "class X(", "def f(", "{", "}", "\n",
    "\n    ", "::", "->", '"', "é😀", "\r\n", "\0", "\x0c", "\u2028", "from . import", "from ", "😀 OR AND NEAR(",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=25).map("".join)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, IgnoreRules]:
    root: Path = write(tmp_path_factory.mktemp("workspace"), FILES)
    store = Store(None)
    for _ in build(store, root):
        pass
    return Index(store), IgnoreRules(root)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    before=TEXTS,
    after=TEXTS,
    path=st.sampled_from(
        ["n.py", "c/n.py", "n.ts", "n.go", "n.rs", "n.c", "n.cpp", "s/N.java", "n.rb", "n.txt", "c/n.tsx"]
    ),
    first_shown=st.integers(1, 30),
    budget_tokens=st.integers(0, 300),
)
async def test_no_text_is_too_odd(
    workspace: tuple[Index, IgnoreRules], before: str, after: str, path: str, first_shown: int, budget_tokens: int
) -> None:
    """Half-written imports, circles of them, characters of every kind."""
    here = snapshot(before + CARET + after, path=path, language=language_of(path))
    recent = (RecentPlace("a.py", "edit", 1, (before[:50],)), RecentPlace(path, "view", 3, (after[:50], "\n")))
    asked = Question(here, (first_shown, first_shown + 10), *workspace, recent)
    first, second = (
        await ask(asked, budget_tokens),
        await ask(Question(here, asked.shown, *workspace, recent), budget_tokens),
    )
    assert first == second
    assert (await by_characters((chunks(first.pieces),)))[0] <= budget_tokens
    assert all(piece.lines[0] <= piece.lines[1] for piece in first.pieces)
