"""`release_goods STORE ORDER`: goods of an order are let go without being sent, and can be sold again everywhere."""

from __future__ import annotations

from typing import Any

from orders import shipping
from orders.commands import GoodsCommand
from orders.models import IncomingOrder
from orders.shipping import Wanted
from syncconsole.kernel.commands import acting_person
from syncconsole.kernel.models import User


class Command(GoodsCommand):
    help = "Let goods of an order go without fulfilment, all or some; without --all and --units, list what it holds."

    def book(self, row: IncomingOrder, wanted: Wanted, actor: User | None, options: dict[str, Any]) -> tuple[int, str]:
        person = acting_person(actor, "Letting goods go")
        return shipping.dispatch(row, wanted, by=person), "let go and can be sold again"
