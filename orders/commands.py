"""What commands about orders share."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db.models import QuerySet, TextChoices
from django.db.models.functions import Upper

from connectors.commands import named_store
from connectors.models import Store
from orders import shipping
from orders.models import IncomingOrder, OrderStock, Wave
from orders.shipping import ShippingRefused, Units, Wanted
from syncconsole.kernel.commands import DecidingCommand, JsonCommand, Refused, Report
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

ASKED: Final = re.compile(r"(?P<row>.+)=(?P<quantity>[0-9]{1,9})/(?P<of>[0-9]{1,9})")


def named_order(store: Store, number: str) -> IncomingOrder:
    """The order of `store` with this number, with or without #, or this reference. Raises Refused where there is none, or
    several have the number."""
    term = number.strip().upper()
    orders = IncomingOrder.objects.filter(store=store).select_related("store").defer("snapshot")
    by_number = orders.annotate(folded=Upper("name")).filter(folded__in={term, f"#{term}", term.removeprefix("#")})
    found: list[IncomingOrder] = [*by_number[:10]] or [*orders.filter(ref=number.strip())]
    if not found:
        raise Refused(f"{store} has no order {number}.", "Check the number, or import the store's orders first.")
    if len(found) > 1:
        refs = ", ".join(each.ref for each in found)
        raise Refused(
            f"{len(found)} orders of {store} have the number {number}.", f"Name one by its reference: {refs}."
        )
    return found[0]


def named_wave(number: int) -> Wave:
    """The wave with this number. Raises Refused."""
    wave = Wave.objects.select_related("location", "created_by").filter(pk=number).first()
    if wave is None:
        raise Refused(f"There is no wave {number}.", "The command `waves` lists them.")
    return wave


def named_line(word: str, lines: Mapping[int, str]) -> int:
    """The number of the line that `word` names by its number or its SKU. `lines`: number → SKU. Raises Refused where it
    names none, or several."""
    named = [number for number, sku in lines.items() if word in (str(number), sku)]
    if len(named) != 1:
        some = "Several lines of the order are" if named else "No line of the order is"
        numbers = ", ".join(map(str, named or lines)) or "none"
        raise Refused(f"{some} {word}.", f"Name one by its number: {numbers}.")
    return named[0]


class StoreListCommand(DecidingCommand):
    """Base of lists with a decision, of all stores or of one. Override `listed` instead of `rows`, and set `states`, those
    that `--state` lets through, where the rows have a state."""

    states: ClassVar[type[TextChoices] | None] = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", nargs="?", help="Slug: of this store alone.")
        if self.states:
            parser.add_argument("--state", choices=self.states.values)

    def rows(self, options: dict[str, Any]) -> QuerySet[Any]:
        rows = self.listed(options)
        if options["store"]:
            rows = self.of_store(rows, named_store(options["store"]))
        return rows.filter(state=options["state"]) if options.get("state") else rows

    def listed(self, options: dict[str, Any]) -> QuerySet[Any]:
        """Those of all stores, in the order they are listed."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it lists.")

    def of_store(self, rows: QuerySet[Any], store: Store) -> QuerySet[Any]:
        """Those of one store."""
        return rows.filter(store=store)


class OrderCommand(JsonCommand):
    """Base of commands about one order of a store."""

    permission = shipping.SHIP_RIGHT
    refusals: tuple[type[Exception], ...] = (ShippingRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("order", help="Number of the order, with or without #, or its reference.")

    @staticmethod
    def order(options: dict[str, Any]) -> IncomingOrder:
        """The order that the options name. Raises Refused."""
        return named_order(named_store(options["store"]), options["order"])


class GoodsCommand(OrderCommand):
    """Base of commands about goods of one order: those that it holds, unless `goods` and `units_of` say otherwise.
    Without `--units` and `--all` they list them."""

    held: ClassVar[str] = "held"
    """What the goods are, as people call it."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--units",
            nargs="+",
            default=[],
            metavar="LINE=N/HELD",
            help="So many of those listed, e.g. TS-BLK-M=1/2; a line is named by SKU or by its number as listed.",
        )
        which.add_argument("--all", action="store_const", const="all", dest="whole", help="All of those listed.")
        self.further(which)

    def further(self, which: Any) -> None:
        """Other words for what is done, in place of `--units` and `--all`; they are kept in `whole`, too."""

    def goods(self, row: IncomingOrder) -> Sequence[OrderStock]:
        """The rows that the command is about."""
        return shipping.holding(row)

    def units_of(self, stock: OrderStock) -> int:
        """How many units of a row it is about."""
        return stock.held

    def book(self, row: IncomingOrder, wanted: Wanted, actor: User | None, options: dict[str, Any]) -> tuple[int, str]:
        """Do it to these goods. Returns the units, and what became of them in words."""
        raise NotImplementedError(f"{type(self).__name__} does not say what becomes of the goods.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        row = self.order(options)
        goods = self.goods(row)
        if not options["units"] and not options["whole"]:
            return Report(self._told(row, goods, units=0), self._lines(goods) or [f"{row}: no goods are {self.held}."])
        if options["whole"]:
            wanted = {stock.pk: Units(self.units_of(stock), of=self.units_of(stock)) for stock in goods}
        else:
            skus = {stock.pk: stock.variant.sku for stock in goods}
            wanted = dict(asked_units(text, skus) for text in options["units"])
        units, said = self.book(row, wanted, actor, options)
        line = f"{row} of {row.store}: {plural(units, 'unit is,units are')} {said}."
        return Report(self._told(row, self.goods(row), units=units), [line])

    def _told(self, row: IncomingOrder, goods: Sequence[OrderStock], *, units: int) -> dict[str, Any]:
        lines = [
            {
                "line": stock.pk,
                "sku": stock.variant.sku,
                "item": stock.variant.label,
                "location": stock.location.code,
                "held": stock.held,
                "shipped_here_first": stock.ahead,
                "let_go": stock.dispatched,
                "in_doubt": stock.in_doubt,
            }
            for stock in goods
        ]
        return {"store": row.store.slug, "order": row.name, "ref": row.ref, "units": units, "lines": lines}

    def _lines(self, goods: Sequence[OrderStock]) -> list[str]:
        return [
            f"{stock.pk:>8}  {self.units_of(stock)} {self.held} at {stock.location}: {stock.variant.label}"
            for stock in goods
        ]


def asked_units(text: str, skus: Mapping[int, str]) -> tuple[int, Units]:
    """One `LINE=N/HELD` as (line, units). `skus`: of the lines there are. Raises Refused where it names none, or several."""
    asked = ASKED.fullmatch(text)
    if asked is None:
        raise Refused(f"{text} does not say how many of what.", "Write LINE=N/HELD, e.g. TS-BLK-M=1/2.")
    return named_line(asked["row"], skus), Units(int(asked["quantity"]), of=int(asked["of"]))
