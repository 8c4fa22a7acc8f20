"""Options of products (Size, Colour …) and their values. Both keep their ids through renaming and reordering."""

from __future__ import annotations

from collections.abc import Iterable

MOST_OPTIONS = 3
MOST_VALUES = 100
LONGEST_NAME = 255
DEFAULT_OPTION = "Title"
NOTHING_CHOSEN = ("Default Title",)  # the option values of a product's only variant while it has no options of its own

_VALUES_PER_OPTION = 100_000  # ids of two options' values never coincide


class Option:
    """One option of a product. `values` is every value it knows, in order, name → its place in the count of all it ever had."""

    __slots__ = ("made", "name", "number", "values")

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.values: dict[str, int] = {}
        self.made = 0

    @property
    def gid(self) -> str:
        """Its global id."""
        return f"gid://shopify/ProductOption/{self.number}"

    def value_gid(self, name: str) -> str:
        """The global id of one of its values."""
        return f"gid://shopify/ProductOptionValue/{self.number * _VALUES_PER_OPTION + self.values[name]}"

    def value_of_gid(self, gid: str) -> str | None:
        """The name of the value that an id names, or None when it is not one of this option's."""
        return next((name for name in self.values if self.value_gid(name) == gid), None)

    def know(self, name: str) -> None:
        """Take a value in, last, unless it is there already."""
        if name not in self.values:
            self.made += 1
            self.values[name] = self.made

    def forget(self, name: str) -> None:
        """Drop a value; its id is never used again."""
        del self.values[name]

    def rename(self, names: dict[str, str]) -> None:
        """Give values other names (old → new); ids and order stay."""
        self.values = {names.get(name, name): place for name, place in self.values.items()}

    def arrange(self, names: Iterable[str]) -> None:
        """Put the named values first, in this order."""
        self.values = {name: self.values[name] for name in dict.fromkeys([*names, *self.values])}
