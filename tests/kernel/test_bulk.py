"""Many rows by one statement: the same rows, ids and refusals as one by one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DataError, transaction
from django.db.models import Model

from connectors.models import Store
from orders.models import SalesOrder, SalesOrderLine
from orders.models.sales import LineKind
from syncconsole.kernel import bulk
from tests.factories.connectors import StoreFactory
from tests.orders.shapes import line, sold, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def sale() -> SalesOrder:
    store: Store = StoreFactory()
    return told(store, sold(line(1, ref="line/1"), line(1, ref="line/2")))


def values(row: Model) -> dict[str, object]:
    return type(row)._default_manager.values().get(pk=row.pk)


def test_what_is_inserted_is_what_was_given_in_its_order(sale: SalesOrder) -> None:
    rows = [
        SalesOrderLine(order=sale, ref="fee", position=9, kind=LineKind.FEE, title='a "b", {c}\\', quantity=1,
                       current_quantity=1, net=Decimal("1.5"), taxes=[{"rate": None}]),
        SalesOrderLine(order=sale, ref="tip", position=8, kind="tip", title="", quantity=1, current_quantity=0, net=2),
    ]  # fmt: skip

    bulk.insert(rows)

    first, second = SalesOrderLine.objects.order_by("pk").reverse()[:2][::-1]
    assert [(row.ref, row.title, row.kind, row.net, row.taxes, row.variant_id) for row in (first, second)] == [
        ("fee", 'a "b", {c}\\', "fee", Decimal("1.5"), [{"rate": None}], None),
        ("tip", "", "tip", Decimal(2), [], None),
    ]
    assert [row.pk for row in rows] == [first.pk, second.pk]
    assert not rows[0]._state.adding


def test_a_row_that_is_there_gets_the_new_values_under_its_own_id(sale: SalesOrder) -> None:
    sale.gateways, sale.number = ["card, or {cash}", 'so "said"', ""], "#new"
    before = sale.pk

    bulk.insert([sale], unique=("incoming",))

    assert (sale.pk, SalesOrder.objects.count()) == (before, 1)
    kept = values(sale)
    assert (kept["gateways"], kept["number"], kept["shipping_methods"]) == (sale.gateways, "#new", [])


def test_what_is_saved_are_these_fields_of_these_rows(sale: SalesOrder) -> None:
    one, two = sale.lines.order_by("ref")
    one.title, one.quantity, one.taxes, two.title = "One", 7, [], "Two"
    before = {row.pk: values(row) for row in (one, two)}

    bulk.save([one, two], ("title", "taxes"))

    assert values(one) == before[one.pk] | {"title": "One", "taxes": []}
    assert values(two) == before[two.pk] | {"title": "Two"}


def test_a_text_without_room_is_refused_not_cut_off(sale: SalesOrder) -> None:
    sale.number = "#" * 121
    with pytest.raises(DataError), transaction.atomic():
        bulk.save([sale], ("number",))
    with pytest.raises(DataError), transaction.atomic():
        bulk.insert([sale], unique=("incoming",))


def test_nothing_costs_nothing(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        bulk.insert([])
        bulk.save([], ("number",))
