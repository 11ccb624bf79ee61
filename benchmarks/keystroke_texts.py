"""Files of 10,000 lines to type in: made of functions that differ in their names, one language each."""

from __future__ import annotations

from dataclasses import dataclass

PYTHON = '''\
class Basket{n}(Container):
    """Holds items until somebody pays for them."""

    limit = {n}

    def __init__(self, name: str, items: list[Item] | None = None) -> None:
        self.name, self._items = name, items or []
        self._total = None  # counted when somebody asks

    @property
    def total(self) -> float:
        """Sum of all prices, with their taxes."""
        if self._total is None:
            self._total = sum(item.price * (1 + item.tax) for item in self._items if not item.free)
        return self._total

    def add(self, item: Item, *, times: int = 1) -> "Basket{n}":
        """Put an item in; more than `limit` do not fit."""
        for _ in range(times):
            if len(self._items) >= self.limit:
                raise ValueError(f"no more than {{self.limit}} items fit into {{self.name!r}}")
            self._items.append(item)
        self._total = None
        return self


def report_{n}(baskets, *, width=80):
    """One line a basket."""
    lines = []
    for index, basket in enumerate(baskets):
        try:
            lines.append("%4d %s %10.2f" % (index, basket.name.ljust(width - 16), basket.total))
        except (AttributeError, TypeError) as error:
            print("not a basket:", basket, error)
    return "\\n".join(lines)


'''

TYPESCRIPT = """\
export interface Item{n} {{ name: string; price: number; tax?: number }}

/** Holds items until somebody pays for them. */
export class Basket{n}<T extends Item{n}> extends Container {{
  private total: number | undefined;

  constructor(readonly name: string, private readonly items: T[] = []) {{
    super();
  }}

  get sum(): number {{
    if (this.total === undefined) {{
      this.total = this.items.reduce((sum, item) => sum + item.price * (1 + (item.tax ?? 0)), 0);
    }}
    return this.total;
  }}

  async add(item: T, times = 1): Promise<this> {{
    for (let i = 0; i < times; i++) {{
      if (this.items.length >= {n}) throw new Error(`no more than {n} items fit into ${{this.name}}`);
      this.items.push(item);
    }}
    this.total = undefined;
    return this;
  }}
}}

export function report{n}(baskets: Basket{n}<Item{n}>[], width = 80): string {{
  const lines: string[] = [];
  for (const [index, basket] of baskets.entries()) {{
    lines.push(`${{index}} ${{basket.name.padEnd(width - 16)}} ${{basket.sum.toFixed(2)}}`);
  }}
  return lines.join("\\n");
}}

"""

RUST = """\
/// Holds items until somebody pays for them.
#[derive(Debug, Clone, Default)]
pub struct Basket{n}<'a> {{
    pub name: &'a str,
    items: Vec<Item>,
    total: Option<f64>,
}}

impl<'a> Basket{n}<'a> {{
    pub fn new(name: &'a str) -> Self {{
        Self {{ name, ..Default::default() }}
    }}

    /// Sum of all prices, with their taxes.
    pub fn total(&mut self) -> f64 {{
        let items = &self.items;
        *self.total.get_or_insert_with(|| items.iter().filter(|item| !item.free).map(|item| item.price).sum())
    }}

    pub fn add(&mut self, item: Item, times: usize) -> Result<&mut Self, Error> {{
        for _ in 0..times {{
            if self.items.len() >= {n} {{
                return Err(Error::Full(format!("no more than {{}} items fit into {{:?}}", {n}, self.name)));
            }}
            self.items.push(item.clone());
        }}
        self.total = None;
        Ok(self)
    }}
}}

pub fn report_{n}(baskets: &mut [Basket{n}]) -> String {{
    let mut lines = Vec::with_capacity(baskets.len());
    for (index, basket) in baskets.iter_mut().enumerate() {{
        match basket.total() {{
            total if total > 0.0 => lines.push(format!("{{index:4}} {{}} {{total:10.2}}", basket.name)),
            _ => continue,
        }}
    }}
    lines.join("\\n")
}}

"""

C = """\
#define LIMIT_{n} {n}

struct basket_{n} {{
    const char *name;
    struct item *items;
    size_t count, room;
    double total; /* below zero: not counted yet */
}};

static double basket_{n}_total(struct basket_{n} *basket) {{
    if (basket->total < 0) {{
        basket->total = 0;
        for (size_t i = 0; i < basket->count; i++)
            basket->total += basket->items[i].price * (1 + basket->items[i].tax);
    }}
    return basket->total;
}}

int basket_{n}_add(struct basket_{n} *basket, const struct item *item, unsigned times) {{
    while (times-- > 0) {{
        if (basket->count >= LIMIT_{n} || basket->count == basket->room) {{
            fprintf(stderr, "no more than %d items fit into %s\\n", LIMIT_{n}, basket->name);
            return -1;
        }}
        basket->items[basket->count++] = *item;
    }}
    basket->total = -1;
    return 0;
}}

void report_{n}(struct basket_{n} *baskets, size_t count, FILE *out) {{
    for (size_t index = 0; index < count; index++) {{
        switch (baskets[index].count) {{
        case 0:
            continue;
        default:
            fprintf(out, "%4zu %s %10.2f\\n", index, baskets[index].name, basket_{n}_total(&baskets[index]));
        }}
    }}
}}

"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and what somebody types behind one of its lines."""

    language: str
    ending: str
    unit: str
    before: str
    """The caret goes to the end of the line in the middle of the file that begins so."""
    typed: str

    def text(self, lines: int) -> str:
        """About so many lines."""
        count = lines // self.unit.count("\n") + 1
        return "".join(self.unit.format(n=number) for number in range(1, count + 1))


SAMPLES = (
    Sample(
        "python", "py", PYTHON, '    return "\\n".join(lines)',
        "\n\n\ndef cheapest(baskets, key=None):\n    best = None\n    for basket in baskets:\n"
        '        if best is None or basket.total < best["total"]:\n'
        '            best = {"name": basket.name, "total": basket.total}  # the first of equals\n    return best\n',
    ),
    Sample(
        "typescript", "ts", TYPESCRIPT, '  return lines.join("\\n");',
        "\n}\n\nexport function cheapest(baskets: Item1[]): Item1 | undefined {\n  let best: Item1 | undefined;\n"
        "  for (const basket of baskets) {\n    if (!best || basket.price < best.price) {\n"
        "      best = { ...basket, name: `best of ${baskets.length}` }; // the first of equals\n    }\n  }\n"
        "  return best;",
    ),
    Sample(
        "rust", "rs", RUST, '    lines.join("\\n")',
        '\n}\n\npub fn cheapest<\'a>(baskets: &\'a mut [Basket1<\'a>]) -> Option<&\'a str> {\n'
        "    let mut best = f64::MAX;\n"
        "    let mut name = None;\n    for basket in baskets.iter_mut() {\n        if basket.total() < best {\n"
        "            best = basket.total(); // the first of equals\n            name = Some(basket.name);\n        }\n"
        "    }\n    name",
    ),
    Sample(
        "c", "c", C, "    basket->total = -1;",
        '\n    if (times > 0) {\n        char text[64] = "";\n        for (int i = 0; i < 3; i++) {\n'
        '            snprintf(text, sizeof text, "%d of %u", i, times); /* the first of equals */\n'
        "            puts(text);\n        }\n    }",
    ),
)  # fmt: skip
