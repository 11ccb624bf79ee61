"""What somebody who types wants to see stays as the model said it, in every language that has a grammar."""

from __future__ import annotations

import pytest

from tests.postprocess.taking import taken

PYTHON = [
    ("def f(x):\n    if x█\n", " > 3:\n        return 1"),
    ("def f(x):\n    if x█\n", " > 3:\n        return 1\n    else:\n        return 2"),
    ("def f(x):\n    try:█\n", "\n        return g(x)\n    except KeyError:\n        return None"),
    ("def f(a, b):█\n", "\n    c = a + b\n\n    return c"),
    ("def f(a, b):\n    █\n", "return a + b"),
    ("def f(a, b):\n    █\n\n\ndef g():\n    pass\n", '"""The sum of both."""\n    return a + b'),
    ('def f(a, b):\n    """The sum█\n', ' of both."""\n    return a + b'),
    ("x = {█\n", '\n    "a": 1,\n    "b": [1, 2],\n}'),
    ("x = {█}\n", '"a": 1, "b": 2'),
    ("result = foo(█\n", "\n    a,\n    b=2,\n)"),
    ("foo(\n    a,\n    █\n)\n", "b=2,\n    c=3,"),
    ("import os\n█\n", "import re\nimport sys"),
    ("import os\n\n█\n", "def f():\n    return os.getcwd()"),
    ("class A:\n    █\n", "def __init__(self, x):\n        self.x = x"),
    ("class A:█\n", "\n    def __init__(self, x):\n        self.x = x"),
    ("class A:\n    @property█\n", "\n    def x(self):\n        return self._x"),
    ("class A:\n    █\n", "@property\n    def x(self):\n        return self._x"),
    ("# sort by name█\n", "\nitems.sort(key=lambda item: item.name)"),
    ("def f(items):\n    # the cheapest one\n    █\n", "return min(items, key=lambda item: item.price)"),
    ("for x in xs:\n    total += █\n", "x.price * x.count"),
    ("squares = [█]\n", "x * x for x in range(10)"),
    ("with open(path) as file:\n    █\n", "for line in file:\n        print(line)"),
    ("def f(x):\n    match x:█\n", "\n        case 1:\n            return a\n        case _:\n            return b"),
    ("text = (█\n", '\n    "one "\n    "two"\n)'),
    ("if a:\n    b()\nel█\n", "se:\n    c()"),
    ("x = a if a else █\n", "b"),
    ('print(f"{█}")\n', "name!r"),
    ("def f(x) -> █:\n    return x\n", "int"),
    ("    # a half-written thought about█\nx = 1\n", " nothing"),
    ("assert f(1) == 1\nassert f(2) == 2\n█\n", "assert f(3) == 3\nassert f(4) == 4"),
    ("def f(x):\n    return (\n        x.filter(a)█\n    )\n", "\n        .order_by(b)"),
]

TYPESCRIPT = [
    ("function f(x: number) {█\n}\n", "\n  return x + 1;"),
    ("function f(x: number) {\n  █\n}\n", "if (x > 3) {\n    return 1;\n  } else {\n    return 2;\n  }"),
    ("function f(x: number) {\n  if (█)\n}\n", "x > 3"),
    ("const y = xs█\n", "\n  .filter((x) => x > 1)\n  .map((x) => x * 2);"),
    ("const y = xs.map(█)\n", "(x) => x * 2"),
    ("const y = xs.map((x) => {█});\n", " return x * 2; "),
    ("const options = {\n  a: 1,\n  █\n};\n", "b: { c: 2 },\n  d: [3],"),
    ("export interface A {\n  █\n}\n", "name: string;\n  age?: number;"),
    ("class A {\n  █\n}\n", "constructor(private x: number) {}"),
    ("class A {\n  █\n}\n", "get x(): number {\n    return this._x;\n  }"),
    ("import { a } from './a';\n█\n", "import { b } from './b';"),
    ("const text = `hello ${█}`;\n", "name"),
    ("switch (x) {\n  case 1:█\n}\n", "\n    return a;"),
    ("async function f() {\n  try {\n    █\n  } finally {\n  }\n}\n", "await g();"),
    ("/** The sum█ */\n", " of both"),
    ("describe('f', () => {\n  it('adds', () => {\n    █\n  });\n});\n", "expect(f(1, 2)).toBe(3);"),
    ("const a = b█\n", "\n  ? c\n  : d;"),
    ("type A = █\n", "| 'x'\n  | 'y';"),
    ("@Component({█})\nclass A {}\n", " selector: 'a' "),
]

TSX = [
    ("const A = () => {\n  return (\n    <div>\n      █\n    </div>\n  );\n};\n", "<span>{name}</span>"),
    ("const A = () => {\n  return (\n    <ul>\n      █\n    </ul>\n  );\n};\n",
     "{items.map((item) => (\n        <li key={item.id}>{item.name}</li>\n      ))}"),
    ("const A = () => <Button █ />;\n", "onClick={() => go()}"),
    ("const A = () => <p>Don't {█}</p>;\n", "stop"),
]  # fmt: skip

GO = [
    ("package a\n\nfunc f(x int) int {\n\t█\n}\n", "if x > 3 {\n\t\treturn 1\n\t}\n\treturn 2"),
    ("package a\n\nfunc f() error {\n\terr := g()\n\tif err█\n\treturn nil\n}\n", " != nil {\n\t\treturn err\n\t}"),
    ("package a\n\nimport (\n\t\"fmt\"\n\t█\n)\n", '"os"'),
    ("package a\n\ntype A struct {\n\t█\n}\n", "Name string `json:\"name\"`\n\tAge  int"),
    ("package a\n\nfunc f() {\n\tgo func() {█}()\n}\n", " g() "),
    ("package a\n\nfunc f(x int) {\n\tswitch x {\n\t█\n\t}\n}\n", "case 1:\n\t\ta()\n\tdefault:\n\t\tb()"),
    ("package a\n\n█\n", "func f() {\n\tg()\n}"),
]  # fmt: skip

RUST = [
    ("fn f(x: i32) -> i32 {\n    █\n}\n", "match x {\n        1 => 2,\n        _ => 3,\n    }"),
    ("fn f(x: A) -> i32 {\n    match x {\n        █\n    }\n}\n", "A::B => 2,\n        A::C { d, .. } => d,"),
    ("fn f<'a>(x: &'a str) -> &'a str {\n    █\n}\n", "x.trim()"),
    ("fn f() {\n    let v: Vec<_> = xs█\n}\n", "\n        .iter()\n        .map(|x| x + 1)\n        .collect();"),
    ("#[derive(Debug)]\n█\n", "struct A {\n    x: i32,\n}"),
    ("impl A {\n    █\n}\n", "pub fn new() -> Self {\n        Self { x: 1 }\n    }"),
    ('fn f() {\n    println!("{}", █);\n}\n', "x"),
    ("fn f() {\n    if let Some(x) = y█\n}\n", " {\n        g(x);\n    }"),
    ("fn f() {\n    let c = '█';\n}\n", "("),
    ("/// The sum█\nfn f() {}\n", " of both"),
]  # fmt: skip

C = [
    ("int f(int x) {\n    █\n}\n", "if (x > 3)\n        return 1;\n    return 2;"),
    ("int f(int x)\n{\n    for (int i = 0; i < x; i++)█\n}\n", "\n    {\n        g(i);\n    }"),
    ("int f(int x)\n{\n    for (int i = 0; █)\n}\n", "i < x; i++"),
    ("#define MAX(a, b) █\n", "((a) > (b) ? (a) : (b))"),
    ("#ifdef A█\n#endif\n", "_B"),
    ("struct a {\n    int x;\n    █\n};\n", "char *name;\n    struct a *next;"),
    ("int f(int x)\n{\n    switch (x) {\n    █\n    }\n}\n", "case 1:\n        a();\n    default:\n        b();"),
    ("#include <stdio.h>\n█\n", "#include <stdlib.h>\n#include <string.h>"),
    ("void f(void)\n{\n    g();\n    █\n}\n", "if (x)\n        goto out;\nout:\n    return;"),
    ('printf("%d█\\n", x);\n', " items"),
]  # fmt: skip

CPP = [
    ("class A {\npublic:\n    █\n};\n", "A() = default;\n    explicit A(int x) : x_(x) {}"),
    ("std::vector<int> v█\n", " = {1, 2, 3};"),
    ("void f() {\n    std::sort(v.begin(), v.end(), █);\n}\n", "[](int a, int b) { return a > b; }"),
    ("template <typename T>\n█\n", "T f(T x) {\n    return x;\n}"),
    ("namespace a {\n\n█\n\n}  // namespace a\n", "int f() {\n    return 1;\n}"),
]

JAVA = [
    ("class A {\n    @Override█\n}\n", "\n    public String toString() {\n        return name;\n    }"),
    ("class A {\n    int f(int x) {\n        █\n    }\n}\n", "return x + 1;"),
    ("class A {\n    int x = xs.stream()█\n}\n", "\n            .map(x -> x + 1)\n            .sum();"),
    ("class A {\n    private final int x;\n    █\n}\n", "private final String name;"),
    (
        "class A {\n    A() {\n        try {\n            g();\n        }█\n    }\n}\n",
        " catch (IOException e) {\n            h(e);\n        }",
    ),
]  # fmt: skip

OTHERS = [
    ("ruby", "def f(x)█\n", "\n  x + 1\nend"),
    ("ruby", "xs.each do |x|\n  █\nend\n", "puts x"),
    ("lua", "if x then█\n", "\n  y()\nelse\n  z()\nend"),
    ("shellscript", "case $1 in\n█\nesac\n", "a) echo a ;;\n*) echo b ;;"),
    ("shellscript", "if [ -f a ]█\n", "; then\n  b\nfi"),
    ("yaml", "on:\n  push:█\n", "\n    branches: [main]"),
    ("json", '{\n  "a": 1█\n}\n', ',\n  "b": 2'),
    ("markdown", "1) first\n█\n", "2) second"),
    ("plaintext", "It's what we█\n", " don't (or do) like :)"),
    ("html", "<ul>\n  █\n</ul>\n", "<li>One</li>\n  <li>Two</li>"),
    ("css", "a {\n  █\n}\n", "color: red;\n  margin: 0;"),
]

CASES = [
    *(("python", *case) for case in PYTHON),
    *(("typescript", *case) for case in TYPESCRIPT),
    *(("typescriptreact", *case) for case in TSX),
    *(("go", *case) for case in GO),
    *(("rust", *case) for case in RUST),
    *(("c", *case) for case in C),
    *(("cpp", *case) for case in CPP),
    *(("java", *case) for case in JAVA),
    *OTHERS,
]


@pytest.mark.parametrize(("language", "marked", "model_says"), CASES)
def test_a_good_suggestion_stays_as_it_is(language: str, marked: str, model_says: str) -> None:
    """Nothing is cut, moved or replaced."""
    assert taken(marked, model_says, language=language) == marked.replace("█", model_says.rstrip() + "█")
