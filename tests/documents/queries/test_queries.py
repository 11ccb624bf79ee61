"""What the queries find in each language: definitions with their signatures, imports, scopes, names in use.

In a marked text `«...»` is a signature and the line says whose: the tests take the marks out and look for them again.
"""

from __future__ import annotations

import re

import pytest

from lsp_server.context.definitions import Definition, definitions
from lsp_server.context.imports import imports
from lsp_server.documents import queries
from lsp_server.documents.syntax import Syntax, parse

MARKS = re.compile("[«»]")


def parsed(text: str, language: str) -> Syntax:
    syntax = parse(language, None, text.splitlines(keepends=True))
    assert syntax is not None
    return syntax


def found_in(text: str, language: str) -> list[Definition]:
    syntax = parsed(text, language)
    return definitions(syntax, queries.structure(syntax.grammar, syntax.root))


def check(marked: str, language: str) -> list[str]:
    """Compare the signatures with the marks; the names found, each after its container."""
    found = found_in(MARKS.sub("", marked), language)
    signatures = [" ".join(each.signature.split()) for each in found]
    assert signatures == [" ".join(each.split()) for each in re.findall("«([^»]*)»", marked)]
    return [f"{each.container}.{each.name}" if each.container else each.name for each in found]


def test_python() -> None:
    """Decorators belong to the signature, what is local to a function does not count."""
    marked = (
        "«LIMIT: int = 3»\n"
        "«type Pair = tuple[int, int]»\n"
        '«@dataclass(frozen=True)\nclass Cart(Base):»\n    """Doc."""\n\n    «items: list[str] = field()»\n\n'
        "    «@property\n    async def total(\n        self, tax: float = 0.1\n    ) -> float:»\n"
        "        local = 1\n        def inner(): ...\n        return local\n"
        "«def pay(cart):» return cart\n"
    )
    assert check(marked, "python") == ["LIMIT", "Pair", "Cart", "Cart.items", "Cart.total", "pay"]


@pytest.mark.parametrize("language", ["javascript", "typescript", "typescriptreact"])
def test_javascript(language: str) -> None:
    """Functions in constants are functions; `export` belongs to the signature."""
    marked = (
        "«export default function start(port)» { const local = 1; function inner() {} }\n"
        "«class Cart extends Base» { «static of(a)» { } «total = 1»; «get size()» { return 1 } }\n"
        "«export const add = async (a, b) =>» a + b\n"
        "«const LIMIT = 3;»\n"
        "«function* walk()» { }\n"
    )
    assert check(marked, language) == ["start", "Cart", "Cart.of", "Cart.total", "Cart.size", "add", "LIMIT", "walk"]


def test_typescript() -> None:
    """Types as well as values."""
    marked = (
        "«export interface Shape<T> extends Base» { «area: number»; «scale(by: number): void» }\n"
        "«export type Pair = [number, number];»\n"
        "«export enum Kind { A, B }»\n"
        "«export abstract class Circle implements Shape» {\n"
        " «constructor(private r: number)» {}\n «abstract grow(): void»;\n}\n"
        "«declare function load(path: string): string;»\n"
    )
    names = [
        "Shape",
        "Shape.area",
        "Shape.scale",
        "Pair",
        "Kind",
        "Circle",
        "Circle.constructor",
        "Circle.grow",
        "load",
    ]
    assert check(marked, "typescript") == names


def test_go() -> None:
    """Methods belong to the type of their receiver."""
    marked = (
        "package shop\n"
        "«type Cart struct» {\n\t«Items []string»\n}\n"
        "«type Payer interface» {\n\t«Pay(sum int) error»\n}\n"
        "«type Handler = func(int)»\n"
        "const (\n\t«Limit = 3»\n)\n"
        "«var Default = New()»\n"
        "«func New() *Cart» { x := 1; return &Cart{} }\n"
        "«func (c *Cart) Add(item string) error» { return nil }\n"
        "«func (l List[T]) Len() int» { return 0 }\n"
    )
    names = ["Cart", "Cart.Items", "Payer", "Payer.Pay", "Handler", "Limit", "Default", "New", "Cart.Add", "List.Len"]
    assert check(marked, "go") == names


def test_rust() -> None:
    """What stands in an `impl` belongs to its type."""
    marked = (
        "«pub struct Cart<T>» {\n    «pub items: Vec<T>»,\n}\n"
        "«enum Kind { A, B(u8) }»\n"
        "«pub trait Pay» {\n    «fn pay(&self) -> u8;»\n    «fn twice(&self)» {}\n}\n"
        "impl<T> Cart<T> {\n    «pub fn new() -> Self» { todo!() }\n}\n"
        "impl Pay for Kind {\n    «fn pay(&self) -> u8» { 1 }\n}\n"
        "«const LIMIT: u8 = 1;»\n"
        "«pub mod inner» {\n    «pub fn deep()» {}\n}\n"
        "«macro_rules! shout { () => {} }»\n"
    )
    names = ["Cart", "Cart.items", "Kind", "Pay", "Pay.pay", "Pay.twice", "Cart.new", "Kind.pay", "LIMIT", "inner",
             "inner.deep", "shout"]  # fmt: skip
    assert check(marked, "rust") == names


def test_c() -> None:
    """Names stand deep in declarators."""
    marked = (
        "«#define LIMIT 3\n»"
        "«#define TWICE(x) (2 * (x))\n»"
        "«struct cart» { «int size;» };\n"
        "«enum kind { «A», B}»;\n"
        "«int add(struct cart *cart, int item);»\n"
        "«static char *name(int which)» { int local = 0; return 0; }\n"
        "«extern int total;»\n"
    ).replace("{ «A», B}", "{ A, B }")
    names = [each.name for each in found_in(MARKS.sub("", marked), "c")]
    assert names == ["LIMIT", "TWICE", "cart", "size", "kind", "A", "B", "add", "name", "total"]
    signature = {
        each.name: each.signature for each in found_in("typedef struct { int a; } pair;\nint *f(int a) {}", "c")
    }
    assert signature == {"pair": "typedef struct pair;", "a": "int a;", "f": "int *f(int a)"}


def test_cpp() -> None:
    """Templates belong to the signature, and a definition outside of its class to the class."""
    marked = (
        "«namespace shop» {\n"
        "«template <typename T> class Cart : public Base» {\n"
        " «Cart();»\n «int size() const;»\n «void add(T item)» {}\n};\n"
        "}\n"
        "«int shop::Cart::size() const» { return 1; }\n"
        "«using Pair = int;»\n"
        "«template <class T> T twice(T a)» { return a; }\n"
    )
    names = ["shop", "shop.Cart", "Cart.Cart", "Cart.size", "Cart.add", "Cart.size", "Pair", "twice"]
    assert check(marked, "cpp") == names


def test_java() -> None:
    """Annotations belong to the signature."""
    marked = (
        "package shop;\n"
        "«public class Cart<T> extends Base» {\n  «private final int size = 1;»\n  «public Cart(int size)» { }\n"
        "  «@Override public void add(T item) throws Full» { int local = 1; }\n}\n"
        "«interface Payer» { «void pay();» }\n"
        "«record Pair(int a, int b)» { }\n"
        "«enum Kind» { «A», «B»; «int code()» { return 1; } }\n"
    )
    names = ["Cart", "Cart.size", "Cart.Cart", "Cart.add", "Payer", "Payer.pay", "Pair", "Kind", "Kind.A", "Kind.B",
             "Kind.code"]  # fmt: skip
    assert check(marked, "java") == names


@pytest.mark.parametrize(
    ("language", "marked", "names"),
    [
        ("ruby", "«module Shop»\n «class Cart < Base»\n  «def add(item)»\n   1\n  end\n end\nend\n",
         ["Shop", "Shop.Cart", "Cart.add"]),
        ("php", "<?php\n«class Cart» { «public function add(int $a): int» { return 1; } }\n", ["Cart", "Cart.add"]),
        ("csharp", "«namespace Shop» { «class Cart» { «public int Add(int a)» { return 1; } } }\n",
         ["Shop", "Shop.Cart", "Cart.Add"]),
        ("kotlin", "«class Cart(val x: Int)» { «fun add(a: Int): Int» { return 1 } }\n", ["Cart", "Cart.add"]),
        ("swift", "«class Cart: Base» { «func add(a: Int) -> Int» { return 1 } }\n", ["Cart", "Cart.add"]),
        ("lua", "«function add(item)» return 1 end\n", ["add"]),
    ],
)  # fmt: skip
def test_grammars_without_a_query(language: str, marked: str, names: list[str]) -> None:
    """By the shape of their nodes."""
    assert check(marked, language) == names


IMPORTS = [
    ("python", "import a.b as c, d\nfrom ..y import q as r, s\nfrom m import *\n",
     ["a.b||c", "d||d", "..y|q|r", "..y|s|s", "m|*|"]),
    ("javascript", 'import a, {b as c} from "./x";\nimport * as n from "y";\nconst r = require("./s");\n'
     'const q = load("./t");\n',
     ["./x|default|a", "./x|b|c", "y||n", "./s||r"]),
    ("typescript", 'export * from "./z";\nexport { q } from "./r";\nimport type { T } from "./t";\n',
     ["./z|*|", "./r|q|q", "./t|T|T"]),
    ("go", 'import (\n "fmt"\n x "a/b"\n)\n', ["fmt||fmt", "a/b||x"]),
    ("rust", "use std::{fs, io::{self, Read as R}};\nmod a;\nuse crate::b::*;\n",
     ["std|fs|fs", "std|io|io", "std::io|Read|R", "self::a||a", "crate::b|*|"]),
    ("c", '#include "a.h"\n#include <sys/b.h>\n', ["a.h||", "sys/b.h||"]),
    ("java", "import a.b.C;\nimport static a.D.e;\nimport a.c.*;\n", ["a.b|C|C", "a.D|e|e", "a.c|*|"]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "expected"), IMPORTS, ids=[row[0] for row in IMPORTS])
def test_imports(language: str, text: str, expected: list[str]) -> None:
    """Module, name and what the file calls it."""
    syntax = parsed(text, language)
    found = imports(syntax, queries.structure(syntax.grammar, syntax.root))
    assert sorted(f"{each.module}|{each.name}|{each.local}" for each in found) == sorted(expected)


def test_names_in_use() -> None:
    """Of a part of the file, not those in comments and strings."""
    text = 'first = 1\nsecond = first + "third"  # fourth\n'
    syntax = parsed(text, "python")
    nodes = queries.references(syntax.grammar, syntax.root, text.index("second"), len(text))
    assert [syntax.text_between(syntax.start_of(node), syntax.end_of(node)) for node in nodes] == ["second", "first"]


@pytest.mark.parametrize("grammar", queries.grammars())
def test_each_query_says_what_is_promised(grammar: str) -> None:
    """It compiles, and has definitions, scopes, imports and references."""
    source = queries.source(grammar)
    assert all(capture in source for capture in ("@definition.", "@scope", "@import", "@reference", "@name"))
    assert queries.structure(grammar, parsed("", grammar if grammar != "tsx" else "typescriptreact").root) == []


@pytest.mark.parametrize("grammar", queries.grammars())
def test_broken_code_is_read_as_far_as_it_goes(grammar: str) -> None:
    """No failure on what a language is not."""
    for text in ("((((", "class {{{ def fn func \n import", "#define", "export default", "\0\ud800"):
        found_in(text, grammar if grammar != "tsx" else "typescriptreact")
