"""What a prompt shows beside its window: the right things, always the same, nothing that must not leave its file."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.context.question import ContextPiece, Question
from lsp_server.context.recent import Recent, RecentPlace
from lsp_server.context.sources import Context, deadline
from lsp_server.prompt.chunks import chunks
from tests.context.planted import EVERYTHING, leaks
from tests.context.workspace import ask, by_characters, question, write

SHOP = {
    "shop/__init__.py": "from .cart import Cart\nfrom .pay import *\n",
    "shop/base.py": "class Base:\n    def reset(self) -> None:\n        pass\n",
    "shop/cart.py": (
        "from .base import Base\n\n\nclass Cart(Base):\n    def add_item(self, item: str) -> int:\n        return 1\n\n"
        "    def total_price(self) -> float:\n        return 2.0\n\n\ndef unrelated_thing():\n    pass\n"
    ),
    "shop/pay.py": "def pay_bill(amount: float) -> bool:\n    return True\n",
    "shop/other.py": "def send_parcel(to: str) -> None:\n    pass\n",
    "web/other.py": "def send_parcel(to: str) -> None:\n    pass  # another one\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "root", SHOP)


async def text_of(root: Path, marked: str, path: str = "main.py", budget_tokens: int = 1000) -> str:
    return chunks((await ask(question(root, path, marked), budget_tokens)).pieces)


async def test_what_is_imported_is_shown_as_signatures(root: Path) -> None:
    """Through packages that pass names on; members under the head of their class; no bodies."""
    text = await text_of(root, "from shop import Cart, pay_bill\n\ncart = Cart()\ncart.█\n")
    assert "# shop/cart.py\nclass Cart(Base):\n    def add_item(self, item: str) -> int:" in text
    assert "# shop/pay.py\ndef pay_bill(amount: float) -> bool:" in text
    assert "return" not in text


async def test_what_stands_near_is_found_by_name_the_nearest_first(root: Path) -> None:
    """Without an import, as before one is written."""
    context = await ask(question(root, "shop/main.py", "parcel = send_parcel(█)\n"), 40)
    assert [piece.path for piece in context.pieces if "send_parcel" in piece.text][:1] == ["shop/other.py"]


async def test_a_small_budget_gets_the_best(root: Path) -> None:
    """And what had no room is named."""
    context = await ask(
        question(root, "main.py", "from shop import Cart\nfrom shop.other import send_parcel\n\nCart().█\n"), 22
    )
    assert [piece.path for piece in context.pieces] == ["shop/cart.py"]
    assert "shop/other.py" in {each.path for each in context.left_out}


@pytest.mark.parametrize("budget_tokens", [0, 1, 10, 50, 200, 1000])
async def test_the_budget_is_kept(root: Path, budget_tokens: int) -> None:
    """With headers and all, counted by the counter that was given."""
    marked = "from shop import Cart, pay_bill\nfrom shop.other import send_parcel\n\ncart = Cart()\ncart.█\n"
    text = await text_of(root, marked, budget_tokens=budget_tokens)
    assert (await by_characters((text,)))[0] <= budget_tokens


async def test_the_same_question_gets_the_same_answer(root: Path) -> None:
    """Byte for byte, from an index that was filled anew."""
    marked = "from shop import Cart, pay_bill\nimport web.other\n\ncart = Cart()\ncart.add_item(█)\n"
    assert len({await text_of(root, marked) for _ in range(3)}) == 1


async def test_dependencies_come_first(root: Path) -> None:
    """A file that another one imports stands before it, as in the training data of code models."""
    write(root, {"a.py": "from z import Zebra\n\n\nclass Ape(Zebra): ...\n", "z.py": "class Zebra: ...\n"})
    context = await ask(question(root, "main.py", "from a import Ape\nfrom z import Zebra\n\nx = Ape(█\n"))
    assert [piece.path for piece in context.pieces if piece.kind == "definition"] == ["z.py", "a.py"]


async def test_several_definitions_in_one_line(root: Path) -> None:
    """None hides the other."""
    write(root, {"kinds.h": "enum kind { APPLE_PIE, APPLE_CAKE };\nint apple_size; int apple_core(int apple);\n"})
    text = await text_of(root, '#include "kinds.h"\n\nint apple = APPLE_PIE + APPLE_CAKE + apple_core(█\n', "main.c")
    assert "// kinds.h\n" in text
    assert all(name in text for name in ("APPLE_PIE", "APPLE_CAKE", "int apple_core(int apple);", "int apple_size;"))


async def test_similar_code_is_shown(root: Path) -> None:
    """By rare names that are shared."""
    body = "    quux = frobnicate(wibble)\n    return wobble(quux, wibble)\n"
    write(root, {"old.py": f"def one():\n{body}", "older.py": f"def two():\n{body}"})
    context = await ask(question(root, "main.py", "def three():\n    quux = frobnicate(wibble)\n    wobble\n    █\n"))
    assert {piece.path for piece in context.pieces if piece.kind == "similar"} <= {"old.py", "older.py"}
    assert [piece.kind for piece in context.pieces].count("similar") >= 1


LONG = "import os\nimport sys\n\n\nclass Cart:\n    def add(self, item):\n" + "        pass\n" * 80 + "        █\n"


async def test_heads_and_imports_stay_when_the_window_is_cut(root: Path) -> None:
    """Whoever reads the middle of a method must know whose it is."""
    context = await ask(question(root, "main.py", LONG, shown=(50, 87)))
    assert [(piece.kind, piece.lines, piece.text) for piece in context.pieces] == [
        ("imports", (1, 2), "import os\nimport sys"),
        ("scope", (5, 5), "class Cart:"),
        ("scope", (6, 6), "    def add(self, item):"),
    ]
    assert (await ask(question(root, "main.py", LONG))).pieces == ()


def place(path: str, text: str, kind: str = "edit", first_line: int = 1) -> RecentPlace:
    return RecentPlace(path, kind, first_line, tuple(text.splitlines(keepends=True)))


async def test_recent_places_are_shown_the_newest_last(root: Path) -> None:
    """What changes most stands nearest to the window; what the window shows is not shown twice."""
    recent = (place("a.py", "new = 1\n"), place("b.py", "old = 1\n"), place("c.py", "seen = 1\n", "view"),
              place("main.py", "shown = 1\n"))  # fmt: skip
    context = await ask(question(root, "main.py", "shown = 1\n█", recent=recent))
    assert [(piece.kind, piece.path) for piece in context.pieces] == [
        ("view", "c.py"),
        ("edit", "b.py"),
        ("edit", "a.py"),
    ]
    assert ("main.py", "it is in the window") in {(each.path, each.why) for each in context.left_out}


async def test_late_sources_are_left_out(root: Path) -> None:
    """One deadline for all; what was in time stays, and it is said what was not."""
    clock = itertools.count()
    recent = (place("a.py", "new = 1\n"),)
    late = question(root, "main.py", "from shop import Cart\nCart█\n", recent=recent, is_late=lambda: next(clock) > 6)
    context = await ask(late)
    assert [piece.kind for piece in context.pieces] == ["edit"]
    assert {each.why for each in context.left_out} == {"out of time"}


def test_a_deadline_goes_by_a_clock() -> None:
    """In milliseconds from the moment it is made."""
    now_s = 1.0
    is_late = deadline(150, lambda: now_s)
    now_s = 1.149
    assert not is_late()
    now_s = 1.151
    assert is_late()


# ---- what must not leave its file

SECRET = (
    f'"""Keys."""\n{EVERYTHING}\n\ndef wibble_wobble(quux, frobnicate):\n    """Uses {EVERYTHING.splitlines()[0]}"""\n'
)
CALLER = "from settings import wibble_wobble\n\nquux = frobnicate\nwibble_wobble(quux, █)\n"


def everything_of(context: Context) -> str:
    return chunks(context.pieces) + repr(context)


async def test_no_secret_arrives_from_any_source(root: Path) -> None:
    """Definitions, chunks, recent places, heads and imports of the current file: all are redacted."""
    key_lines = EVERYTHING.splitlines()[-3:-1]
    write(root, {"settings.py": SECRET, "copy.py": SECRET, "values.py": "\n".join(
        f'{line.split("=")[0].split(":")[0].strip()} = 1' for line in ("quux", "frobnicate"))})  # fmt: skip
    recent = (place("copy.py", EVERYTHING), place("copy.py", "\n".join(key_lines), "view", 90), place("b.py", SECRET))
    current = f"import os  # {EVERYTHING.splitlines()[0]}\ndef f(password='tr0ub4dor&3'):\n" + "    pass\n" * 60
    asked = question(root, "main.py", current + CALLER, recent=recent, shown=(50, 70))
    context = await ask(asked, 20_000)
    assert {"definition", "edit", "imports", "scope"} <= {piece.kind for piece in context.pieces}
    assert not leaks(everything_of(context))


FORBIDDEN = {
    ".gitignore": "private/\n*.local.py\n",
    ".lingcoderignore": "legacy/\n",
    "private/settings.py": SECRET,
    "settings.local.py": SECRET,
    "legacy/settings.py": SECRET,
    ".env": EVERYTHING,
    "deploy/server.key": EVERYTHING,
    "config/secrets.yml": EVERYTHING,
}


@pytest.mark.parametrize("path", [path for path in FORBIDDEN if not path.endswith("ignore")])
async def test_nothing_of_an_excluded_file_arrives(root: Path, path: str) -> None:
    """Not even its name among the definitions; from no source, recent edits included."""
    write(root, FORBIDDEN)
    recent = (place(path, "innocent_looking = 1\n"), place(path, "innocent_looking = 2\n", "view", 40))
    context = await ask(question(root, "main.py", CALLER, recent=recent), 20_000)
    assert "innocent_looking" not in everything_of(context)
    assert "def wibble_wobble" not in everything_of(context)
    assert path in {each.path for each in context.left_out}


async def test_what_is_ignored_after_it_was_indexed_does_not_arrive(root: Path) -> None:
    """The rules are asked when a prompt is made, whatever the index still holds."""
    asked = question(root, "main.py", "from shop.cart import Cart\nCart█\n")
    (root / ".gitignore").write_text("shop/\n", encoding="utf-8")
    context = await ask(asked)
    assert context.pieces == ()
    assert ("shop/cart.py", "ignored by .gitignore") in {(each.path, each.why) for each in context.left_out}


async def test_an_ignore_file_that_cannot_be_read_closes_its_folder(root: Path) -> None:
    """Fail closed."""
    asked = question(root, "main.py", "from shop.cart import Cart\nCart█\n")
    (root / "shop" / ".gitignore").mkdir()
    assert (await ask(asked)).pieces == ()


async def test_in_a_workspace_that_is_not_trusted_only_the_current_file_speaks(root: Path) -> None:
    """No index, no rules: nothing of another file, and the reason is given."""
    recent = (place("a.py", "new = 1\n"),)
    asked: Question = replace(question(root, "main.py", LONG, shown=(50, 87), recent=recent), index=None, rules=None)
    context = await ask(asked)
    assert {piece.path for piece in context.pieces} == {"main.py"}
    assert ("a.py", "the workspace is not trusted") in {(each.path, each.why) for each in context.left_out}


async def test_an_excluded_file_gets_no_context(root: Path) -> None:
    """Whoever edits `.env` is asked nothing and told nothing."""
    context = await ask(question(root, ".env", "KEY=█\n", recent=(place("a.py", "new = 1\n"),)))
    assert context.pieces == ()
    assert [each.why for each in context.left_out] == ["its name says that it holds secrets"]


# ---- recent places


def test_edits_near_each_other_are_one_place() -> None:
    """The newest text counts, other places stay, and there are not too many of them."""
    recent = Recent()
    lines = [f"line {number}\n" for number in range(100)]
    recent.edited("a.py", 50, lines)
    recent.viewed("a.py", 52, lines)
    recent.viewed("b.py", 1, lines)
    lines[51] = "changed\n"
    recent.edited("a.py", 51, lines)
    assert [(each.path, each.kind) for each in recent.places()] == [("a.py", "edit"), ("b.py", "view")]
    assert "changed\n" in recent.places()[0].lines
    for number in range(40):
        recent.viewed(f"{number}.py", 0, lines)
    assert len(recent.places()) == 16
    recent.forget("39.py")
    assert recent.places()[0].path == "38.py"


def test_chunks_have_one_header_a_file(root: Path) -> None:
    """In the comment of its language, and in one line whatever the file is called."""
    pieces = [
        ContextPiece("x", path, (1, 1), text, "") for path, text in (("a.ts", "1"), ("a.ts", "2"), ("b\nc.py", "3"))
    ]
    assert chunks(pieces) == "// a.ts\n1\n\n2\n\n# b c.py\n3\n\n"
    assert chunks([]) == ""
