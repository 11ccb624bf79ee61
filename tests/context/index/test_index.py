"""The index: what it knows after a build, what survives, and that it never says what it must not."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from lsp_server.context.ignore import MOST_BYTES, IgnoreRules
from lsp_server.context.index import building, reading, schema
from lsp_server.context.index.building import Progress, build, drop_excluded, update
from lsp_server.context.index.location import CACHE_VARIABLE, index_file
from lsp_server.context.index.lookup import Index
from lsp_server.context.index.store import Store
from tests.context.planted import EVERYTHING, leaks


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def built(root: Path, file: Path | None = None) -> Index:
    store = Store(file)
    run(store, root)
    return Index(store)


def run(store: Store, root: Path) -> Progress:
    last = Progress(0, 0)
    for step in build(store, root):
        last = step
    return last


def names(index: Index) -> set[str]:
    return {each.definition.name for each in index.definitions_in(sorted(index.store.stamps()))}


SHOP = {
    "shop/__init__.py": "from .cart import Cart\n",
    "shop/cart.py": "class Cart:\n    def add(self, item: str) -> None:\n        self.items.append(item)\n",
    "main.py": "from shop import Cart\n\ncart = Cart()\n",
    "README.md": "no code",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "root", SHOP)


def test_it_knows_definitions_imports_and_text(root: Path) -> None:
    """After a build."""
    index = built(root)
    assert names(index) == {"Cart", "add", "cart"}
    (add,) = index.definitions_named(["add"], 5)
    assert (add.path, add.definition.container, add.definition.first_line) == ("shop/cart.py", "Cart", 2)
    assert [(each.module, each.name) for each in index.imports_of("main.py")] == [("shop", "Cart")]
    assert [passage.path for passage in index.similar(["items"], 5)] == ["shop/cart.py"]
    assert index.users_of(["Cart"]) == {"Cart": 2}
    assert not index.exists("README.md")


def test_answers_come_while_it_is_being_built(root: Path) -> None:
    """From what is there: after each step a little more."""
    store = Store(None)
    index = Index(store)
    seen = [len(names(index)) for _ in build(store, root)]
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == 3


def test_a_build_can_be_left_and_taken_up(root: Path) -> None:
    """What is not taken is not done; the next build does the rest."""
    store = Store(None)
    assert any(step.done_files for step in build(store, root))  # leaves after the first file
    assert 0 < len(store.stamps()) < 3
    assert run(store, root) == Progress(3, 3)
    assert len(store.stamps()) == 3


def test_only_what_changed_is_read_again(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By size and time, then by content."""
    file = tmp_path / "index.sqlite"
    built(root, file).store.close()
    read: list[str] = []
    facts = reading.facts

    def noted(path: str, content: bytes) -> object:
        read.append(path)
        return facts(path, content)

    monkeypatch.setattr(building, "facts", noted)
    os.utime(root / "main.py", ns=(1, 1))
    (root / "shop" / "cart.py").write_text("def other(): ...\n", encoding="utf-8")
    (root / "shop" / "__init__.py").unlink()
    index = built(root, file)
    assert read == ["shop/cart.py"]
    assert names(index) == {"other", "cart"}
    assert not index.exists("shop/__init__.py")
    assert index.store.stamp("main.py") == (len(SHOP["main.py"]), 1, reading.digest(SHOP["main.py"].encode()))


def test_one_saved_file(root: Path) -> None:
    """Its rows are replaced; those of a deleted file go."""
    index, rules = built(root), IgnoreRules(root)
    (root / "shop" / "cart.py").write_text("class Basket: ...\n", encoding="utf-8")
    update(index.store, rules, "shop/cart.py")
    assert names(index) == {"Basket", "cart"}
    (root / "shop" / "cart.py").unlink()
    update(index.store, rules, "shop/cart.py")
    assert names(index) == {"cart"}
    assert index.similar(["basket", "items"], 5) == []


def test_what_is_ignored_later_goes_at_once(root: Path) -> None:
    """With all of its rows."""
    index, rules = built(root), IgnoreRules(root)
    (root / ".lingcoderignore").write_text("shop/\n", encoding="utf-8")
    assert drop_excluded(index.store, rules) == ["shop/__init__.py", "shop/cart.py"]
    assert names(index) == {"cart"}
    assert index.similar(["items"], 5) == []


def test_nothing_of_excluded_files_and_no_secret_is_in_the_file(root: Path, tmp_path: Path) -> None:
    """Looked for in the bytes of the database, whatever is asked."""
    write(
        root,
        {".gitignore": "private/\n", "private/a.py": "hidden_name = 1\n", ".env": EVERYTHING, "conf.py": EVERYTHING},
    )
    (root / "link.py").symlink_to(root / "private" / "a.py")
    file = tmp_path / "index.sqlite"
    index = built(root, file)
    assert index.exists("conf.py")
    index.store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("index.sqlite*")).decode("latin-1")
    assert "shop/cart.py" in content
    assert "hidden_name" not in content
    assert not leaks(content)


def test_bad_files_do_not_end_a_build(root: Path) -> None:
    """Not text, not UTF-8, too large, too long in the line, circles of links."""
    (root / "latin.py").write_bytes("def größe(): ...\n".encode("latin-1"))
    (root / "binary.py").write_bytes(b"\0\1\2")
    (root / "huge.py").write_bytes(b"x = 1\n" * MOST_BYTES)
    write(root, {"minified.js": "var a=1;" * 1000, "empty.py": "", "odd name\n.py": "def odd(): ...\n"})
    (root / "circle").symlink_to(root)
    index = built(root)
    assert {"odd", "Cart"} <= names(index)
    assert not index.exists("binary.py")
    assert not index.exists("huge.py")
    assert index.definitions_in(["minified.js"]) == []


def test_a_file_that_vanishes_while_it_is_read(root: Path) -> None:
    """Found by the walk, gone when its turn comes."""
    store = Store(None)
    for step in build(store, root):
        if step.all_files and not step.done_files:
            continue
        (root / "shop" / "cart.py").unlink(missing_ok=True)
    assert "shop/cart.py" not in store.stamps()


def test_the_cap_is_said(root: Path) -> None:
    """More files than are indexed: the first ones, and a word about it."""
    *_, last = build(Store(None), root, most_files=2)
    assert last == Progress(2, 2, is_capped=True)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"", None])
def test_a_broken_database_is_made_anew(root: Path, tmp_path: Path, content: bytes | None) -> None:
    """Whatever the file holds; `None`: a good one with its middle overwritten."""
    file = tmp_path / "index.sqlite"
    built(root, file).store.close()
    if content is None:
        good = bytearray(file.read_bytes())
        good[4096:] = b"\xff" * (len(good) - 4096)
        content = bytes(good)
    file.write_bytes(content)
    store = Store(file)
    run(store, root)
    if store.is_broken:  # found out while working: the next build begins anew
        run(store, root)
    assert names(Index(store)) == {"Cart", "add", "cart"}


def test_another_version_s_database_is_made_anew(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are gone, the file stays."""
    file = tmp_path / "index.sqlite"
    built(root, file).store.close()
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    store = Store(file)
    assert store.stamps() == {}
    assert run(store, root) == Progress(3, 3)


def test_without_a_place_on_the_disk_it_works_in_memory(root: Path, tmp_path: Path) -> None:
    """A cache folder that cannot be made."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    store = Store(tmp_path / "taken" / "index.sqlite")
    assert not store.is_on_disk
    assert run(store, root) == Progress(3, 3)
    assert names(Index(store)) == {"Cart", "add", "cart"}


def test_a_disk_that_is_full_ends_the_build_with_a_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is there still answers."""
    store = Store(None)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "put", full)
    assert run(store, root).problem == "The index cannot be written: database or disk is full."
    assert Index(store).similar(["items"], 5) == []


def test_two_servers_of_one_workspace(root: Path, tmp_path: Path) -> None:
    """Both build at once, both answer, nothing is there twice."""
    write(root, {f"made_{number}.py": f"def made_{number}(): ...\n" for number in range(60)})
    file = tmp_path / "index.sqlite"
    stores = [Store(file), Store(file)]
    threads = [threading.Thread(target=run, args=(store, root)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        assert len(store.stamps()) == 63
        assert store.rows("SELECT count(*) FROM definitions") == [(63,)]
        assert store.rows("PRAGMA integrity_check") == [("ok",)]
        store.close()


BUILDER = """
    import sys
    from pathlib import Path
    from lsp_server.context.index.building import build
    from lsp_server.context.index.store import Store
    for step in build(Store(Path(sys.argv[2])), Path(sys.argv[1])):
        print(step.done_files, flush=True)
"""


@pytest.mark.end_to_end
def test_it_survives_kill_9(root: Path, tmp_path: Path) -> None:
    """What was written before is there and whole; the next build does the rest."""
    write(root, {f"made_{number}.py": f"def made_{number}(): ...\n" * 5 for number in range(300)})
    file = tmp_path / "index.sqlite"
    command = [sys.executable, "-c", textwrap.dedent(BUILDER), str(root), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 40:
            pass
        process.kill()
    store = Store(file)
    assert 40 <= len(store.stamps()) < 303
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
    assert run(store, root) == Progress(303, 303)
    assert len(names(Index(store))) == 303
    store.close()


def test_a_question_that_takes_too_long_finds_nothing(root: Path) -> None:
    """And the next one is answered again."""
    index = built(root)
    slow = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n LIMIT 1"
    with index.store.hurrying(lambda: True):
        assert index.store.rows(slow) == []
    assert index.exists("main.py")


def test_where_it_lies(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's cache, one file a workspace, the same by whatever path one comes."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    (tmp_path / "by-link").symlink_to(root)
    assert index_file(root) == index_file(tmp_path / "by-link")
    assert index_file(root).parent == tmp_path / "cache" / "index"
    assert index_file(root) != index_file(tmp_path)


def test_a_locked_database(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else holds it: an open index answers and says that it cannot be written, a new one works in memory."""
    monkeypatch.setattr(schema, "BUSY_LIMIT_MS", 10)
    file = tmp_path / "index.sqlite"
    index = built(root, file)
    (root / "new.py").write_text("new = 1\n", encoding="utf-8")
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert run(index.store, root).problem == "The index cannot be written: database is locked."
    assert names(index) == {"Cart", "add", "cart"}
    assert not Store(file).is_on_disk
    holder.execute("ROLLBACK")
    holder.close()
    assert run(index.store, root) == Progress(4, 4)
