"""Which files an import leads to, language by language."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

import pytest

from lsp_server.context.import_paths import Target, nearest_first, resolve, siblings
from lsp_server.context.imports import Import
from lsp_server.context.project_files import roots


@dataclass
class Folder:
    """Implements `Files` for a list of paths."""

    paths: tuple[str, ...]
    project: dict[str, str] = field(default_factory=dict)

    def exists(self, path: str) -> bool:
        return path in self.paths

    def ending_with(self, tail: str) -> tuple[str, ...]:
        return tuple(path for path in self.paths if path == tail or path.endswith("/" + tail))

    def in_folder(self, folder: str) -> tuple[str, ...]:
        return tuple(path for path in self.paths if posixpath.dirname(path) == folder)

    def roots(self, kind: str) -> tuple[tuple[str, str], ...]:
        found = [(posixpath.dirname(path), root) for path, text in self.project.items() for root in roots(path, text)]
        return tuple((folder, text) for folder, (each, text) in found if each == kind)


def check(written: str, path: str, grammar: str, *paths: str, project: dict[str, str] | None = None) -> str:
    """Where `module|name` leads: `a b|name`, or nothing."""
    module, _, name = written.partition("|")
    target = resolve(Import(module, name, name, 1), path, grammar, Folder((*paths, path), project or {}))
    return "" if target is None else " ".join(target.paths) + (f"|{target.name}" if target.name else "")


@pytest.mark.parametrize(
    ("written", "path", "expected"),
    [
        ("shop.cart|Cart", "main.py", "src/shop/cart.py|Cart"),
        ("shop|cart", "main.py", "src/shop/cart.py"),
        ("shop|Cart", "main.py", "src/shop/__init__.py|Cart"),
        ("shop.cart", "main.py", "src/shop/cart.py"),
        (".|cart", "src/shop/pay.py", "src/shop/cart.py"),
        (".cart|Cart", "src/shop/pay.py", "src/shop/cart.py|Cart"),
        ("..cart|*", "src/shop/deep/pay.py", "src/shop/cart.py|*"),
        ("..|Cart", "src/shop/deep/pay.py", "src/shop/__init__.py|Cart"),
        ("....x|y", "src/shop/pay.py", ""),
        ("os.path|join", "main.py", ""),
    ],
)
def test_python(written: str, path: str, expected: str) -> None:
    """Packages, submodules and dots; the standard library is not in the workspace."""
    assert check(written, path, "python", "src/shop/__init__.py", "src/shop/cart.py") == expected


def test_of_two_modules_of_one_name_the_nearer_one() -> None:
    """As when two services of one repository have a `config.py` each."""
    paths = ("a/config.py", "b/config.py", "b/deep/config.py")
    assert check("config|X", "b/main.py", "python", *paths) == "b/config.py|X"
    assert nearest_first(paths, "b/main.py") == ["b/config.py", "b/deep/config.py", "a/config.py"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("./cart|Cart", "src/cart.ts|Cart"),
        ("./cart.js|Cart", "src/cart.ts|Cart"),
        ("./pay|pay", "src/pay/index.tsx|pay"),
        ("../lib/a|a", "lib/a.js|a"),
        ("@/pay|pay", "src/pay/index.tsx|pay"),
        ("shop-core/cart|Cart", "packages/core/src/cart.ts|Cart"),
        ("shop-core|Cart", "packages/core/src/index.ts|Cart"),
        ("react|useState", ""),
        ("../../../x|x", ""),
    ],
)
def test_typescript(written: str, expected: str) -> None:
    """Relative paths, endings, index files, aliases of `tsconfig.json`, packages of the same repository."""
    paths = ("src/cart.ts", "src/pay/index.tsx", "lib/a.js", "packages/core/src/cart.ts", "packages/core/src/index.ts")
    project = {
        "tsconfig.json": '{ // ours\n "compilerOptions": { "paths": { "@/*": ["./src/*"], }, } }',
        "packages/core/package.json": '{"name": "shop-core"}',
        "package.json": "{ broken",
    }
    assert check(written, "src/main.ts", "typescript", *paths, project=project) == expected


def test_go() -> None:
    """By the module's name in `go.mod`; tests of a package are no part of it."""
    paths = ("cart/a.go", "cart/b.go", "cart/a_test.go")
    project = {"go.mod": "module example.com/shop // ours\n\ngo 1.22\n"}
    assert check("example.com/shop/cart", "main.go", "go", *paths, project=project) == "cart/a.go cart/b.go"
    assert check("example.com/shops/cart", "main.go", "go", *paths, project=project) == ""
    assert check("fmt", "main.go", "go", *paths, project=project) == ""


@pytest.mark.parametrize(
    ("written", "path", "expected"),
    [
        ("crate::cart|Cart", "src/main.rs", "src/cart.rs|Cart"),
        ("crate::pay::card|Card", "src/cart.rs", "src/pay/card.rs|Card"),
        ("super|Pay", "src/pay/card.rs", "src/pay/mod.rs|Pay"),
        ("self::pay", "src/main.rs", "src/pay/mod.rs"),
        ("crate|cart", "src/pay/card.rs", "src/cart.rs"),
        ("crate::cart|*", "src/main.rs", "src/cart.rs|*"),
        ("other_crate::a|A", "src/main.rs", "other/src/a.rs|A"),
        ("std::io|Read", "src/main.rs", ""),
    ],
)
def test_rust(written: str, path: str, expected: str) -> None:
    """Modules in files and folders, and crates of the same workspace."""
    paths = ("src/main.rs", "src/cart.rs", "src/pay/mod.rs", "src/pay/card.rs", "other/src/a.rs", "other/src/lib.rs")
    project = {"other/Cargo.toml": '[package]\nname = "other-crate"\n'}
    assert check(written, path, "rust", *(each for each in paths if each != path), project=project) == expected


def test_c_and_java() -> None:
    """Includes beside the file go first; a package is a folder."""
    assert check("a.h", "src/main.c", "c", "src/a.h", "include/a.h") == "src/a.h"
    assert check("lib/b.h", "src/main.c", "cpp", "include/lib/b.h") == "include/lib/b.h"
    assert check("stdio.h", "src/main.c", "c", "src/a.h") == ""
    paths = ("src/shop/Cart.java", "src/shop/pay/Card.java", "src/shop/pay/Cash.java")
    assert check("shop|Cart", "src/app/Main.java", "java", *paths) == "src/shop/Cart.java"
    assert check("shop.Cart|of", "src/app/Main.java", "java", *paths) == "src/shop/Cart.java|of"
    pay = "src/shop/pay/Card.java src/shop/pay/Cash.java|*"
    assert check("shop.pay|*", "src/app/Main.java", "java", *paths) == pay


def test_other_languages() -> None:
    """A file of the same kind whose path ends alike."""
    assert check("shop/cart", "main.rb", "ruby", "lib/shop/cart.rb") == "lib/shop/cart.rb"
    assert check("shop.cart", "main.lua", "lua", "shop/cart.lua") == "shop/cart.lua"


def test_a_file_does_not_import_itself() -> None:
    """Nothing is gained from showing it."""
    assert resolve(Import("a", "x", "x", 1), "a.py", "python", Folder(("a.py",))) is None
    assert resolve(Import("a", "x", "x", 1), "b.py", "python", Folder(("a.py",))) == Target(("a.py",), "x")


def test_names_in_reach_without_an_import() -> None:
    """Those of the same package, where a folder is one."""
    folder = Folder(("shop/a.go", "shop/b.go", "shop/c.md", "b.go"))
    assert siblings("shop/a.go", "go", folder) == ("shop/a.go", "shop/b.go")
    assert siblings("shop/a.py", "python", folder) == ()
