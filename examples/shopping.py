"""A small program to complete: the demo asks for what belongs in the marked place."""

from __future__ import annotations  # <- here

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One thing in a basket."""

    name: str
    price_cents: int
    count: int = 1


def total_cents(basket: list[Item]) -> int:
    """The price of everything in the basket."""
    total = 0
    for item in basket:
        total += item.price_cents * item.count
    return total


def receipt(basket: list[Item]) -> str:
    """One line for each item, and the total."""
    lines = [f"{item.count} x {item.name}: {item.price_cents / 100:.2f}" for item in basket]
    return "\n".join([*lines, f"Total: {total_cents(basket) / 100:.2f}"])


if __name__ == "__main__":
    print(receipt([Item("apple", 30, count=4), Item("bread", 249)]))
