"""Orders and refunds as Shopify tells them: nothing cut off, nothing guessed, money to the last decimal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
import respx

from connectors.ports.errors import ConnectorUnavailable, FeatureNotSupported, RequestRejected
from connectors.ports.money import Money
from connectors.ports.orders import LineEdit, RemoteOrder
from connectors.shopify import orders as reading
from connectors.shopify.adapter import ShopifyStore
from tests.connectors.shopify.answers import answer
from tests.connectors.shopify.order_answers import (
    BUCHAREST,
    CLUJ,
    NINE,
    ORDER,
    agreement,
    agreements,
    bag,
    line,
    movement,
    order,
    orders,
    overview,
    page,
    refund,
    refund_line,
    sale,
    tax,
    versions,
    work,
    work_line,
)

SERVER_TIME = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
ReadOne = Callable[..., RemoteOrder]


@pytest.fixture
def read(store: ShopifyStore, api: respx.Route) -> ReadOne:
    """The order of one answer; of one that may have been edited, with what was agreed of it."""

    def read_one(*agreed: dict[str, Any], more: str | None = None, **parts: Any) -> RemoteOrder:
        api.side_effect = [orders(order(**parts)), agreements(*agreed, more=more), versions(1)]
        found = store.read_order(ORDER)
        assert found is not None
        return found

    return read_one


def asked(api: respx.Route) -> list[dict[str, Any]]:
    return [json.loads(call.request.content) for call in api.calls]


def operations(api: respx.Route) -> list[str]:
    return [question["operationName"] for question in asked(api)]


# --- what an order says


@pytest.mark.parametrize(
    ("restock", "restocked", "location"),
    [
        ("CANCEL", True, BUCHAREST),
        ("CANCEL", False, None),
        ("RETURN", True, CLUJ),
        ("NO_RESTOCK", False, None),
        ("LEGACY_RESTOCK", True, None),
    ],
)
def test_a_refunded_line_says_whether_and_where_it_went_back_to_stock(
    restock: str, restocked: bool, location: str | None, read: ReadOne
) -> None:
    lines = page(refund_line(restock, restocked=restocked, location=location))

    found = read(refunds=[refund(refundLineItems=lines)]).refunds[0].lines[0]

    assert (found.restock, found.restocked, found.location_ref) == (restock.lower(), restocked, location or "")
    assert (found.subtotal.shop.amount, found.tax.shop.amount) == (Decimal("90.00"), Decimal("15.62"))


def test_a_goodwill_refund_has_an_adjustment_and_no_lines(read: ReadOne) -> None:
    adjustment = {"id": "a1", "reason": "CUSTOMER", "amountSet": bag("-10.00"), "taxAmountSet": bag("-2.10")}

    found = read(refunds=[refund(orderAdjustments=page(adjustment))]).refunds[0]

    assert found.lines == ()
    assert [(one.reason, one.amount.shop.amount, one.tax.shop.amount) for one in found.adjustments] == [
        ("customer", Decimal("-10.00"), Decimal("-2.10"))
    ]


def test_a_refund_is_not_money_that_moved(read: ReadOne) -> None:
    pending = movement(2, "REFUND", "PENDING", parentTransaction={"id": "gid://shopify/OrderTransaction/1"})

    without, waiting = read(refunds=[refund(1), refund(2, transactions=page(pending))]).refunds

    assert without.transactions == ()
    assert [(one.kind, one.status) for one in waiting.transactions] == [("refund", "pending")]
    assert waiting.transactions[0].parent_ref == "gid://shopify/OrderTransaction/1"


def test_shipping_and_duties_given_back_are_part_of_a_refund(read: ReadOne) -> None:
    shipping = {
        "id": "s1",
        "shippingLine": {"id": "ship/1"},
        "subtotalAmountSet": bag("15.00"),
        "taxAmountSet": bag("3.15"),
    }
    duty = {"amountSet": bag("7.00"), "originalDuty": {"id": "duty/1"}}

    found = read(refunds=[refund(refundShippingLines=page(shipping), duties=[duty])]).refunds[0]

    assert (found.shipping[0].shipping_line_ref, found.shipping[0].subtotal.shop.amount) == ("ship/1", Decimal(15))
    assert (found.duties[0].duty_ref, found.duties[0].amount.shop.amount) == ("duty/1", Decimal(7))


def test_taxes_are_taken_as_the_store_computed_them(read: ReadOne) -> None:
    found = read(taxesIncluded=True, lineItems=page(line(price=bag("121.00"), taxLines=[tax("20.99", 0.21)])))

    assert found.taxes_included
    assert (found.lines[0].taxes[0].rate, found.lines[0].taxes[0].price.shop.amount) == (
        Decimal("0.21"),
        Decimal("20.99"),
    )


def test_an_amount_keeps_both_currencies_and_each_its_own_rate(read: ReadOne) -> None:
    sold = bag("497.51", presentment=("100.00", "EUR"))
    back = bag("498.02", presentment=("100.00", "EUR"))

    found = read(presentmentCurrencyCode="EUR", totalPriceSet=sold, refunds=[refund(totalRefundedSet=back)])

    assert found.total.shop == Money(Decimal("497.51"), "RON")
    assert found.total.presentment == found.refunds[0].total.presentment == Money(Decimal("100.00"), "EUR")
    assert found.refunds[0].total.shop.amount == Decimal("498.02")


@pytest.mark.parametrize(("amount", "currency"), [("1200", "JPY"), ("1.255", "KWD"), ("0.10", "RON")])
def test_amounts_keep_the_decimals_of_their_currency(amount: str, currency: str, read: ReadOne) -> None:
    found = read(currencyCode=currency, totalPriceSet=bag(amount, currency))

    assert str(found.total.shop.amount) == amount


def test_an_edited_order_keeps_removed_lines_with_what_is_left_of_them(read: ReadOne) -> None:
    removed = line(1, quantity=3, currentQuantity=0)

    found = read(edited=True, lineItems=page(removed, line(2)))

    assert found.edited
    assert [(one.quantity, one.current_quantity) for one in found.lines] == [(3, 0), (1, 1)]


ADDED, TAKEN_OFF = "2026-11-21T08:10:00Z", "2026-11-21T08:20:00Z"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_an_edited_order_says_when_its_units_were_added_and_taken_off(read: ReadOne) -> None:
    found = read(
        agreement("ORDER_EDIT", sale(-1), sale(2, 2), at=TAKEN_OFF),
        agreement("ORDER", sale(4), at="2026-11-21T08:00:00Z"),
        agreement("ORDER_EDIT", sale(3), at=ADDED),
        edited=True,
    )

    one, two = "gid://shopify/LineItem/1", "gid://shopify/LineItem/2"
    assert found.edits == (
        LineEdit(one, 3, at(ADDED)),
        LineEdit(one, -1, at(TAKEN_OFF)),
        LineEdit(two, 2, at(TAKEN_OFF)),
    )


def test_units_taken_off_are_told_by_the_action_whatever_the_sign(read: ReadOne) -> None:
    found = read(agreement("ORDER_EDIT", sale(-2), sale(1, 2) | {"actionType": "RETURN"}), edited=True)

    assert [edit.quantity for edit in found.edits] == [-2, -1]


def test_what_moves_no_units_is_no_edit(read: ReadOne) -> None:
    shipping = {"actionType": "ORDER", "quantity": 1, "lineItem": None}
    cheaper = sale(1, actionType="UPDATE")
    uncounted = sale(1, quantity=None)

    assert read(agreement("ORDER_EDIT", shipping, cheaper, uncounted), edited=True).edits == ()


def test_refunds_tell_of_their_units_themselves(read: ReadOne) -> None:
    assert read(agreement("REFUND", sale(-2)), agreement("RETURN", sale(-1)), edited=True).edits == ()


def test_lines_of_an_exchange_are_added_whether_or_not_the_order_counts_as_edited(read: ReadOne) -> None:
    back = {
        "id": "gid://shopify/Return/1",
        "name": "#1001-R1",
        "status": "OPEN",
        "createdAt": ADDED,
        "returnLineItems": page(),
        "exchangeLineItems": page({"id": "gid://shopify/ExchangeLineItem/1", "quantity": 1, "lineItems": []}),
    }
    found = read(agreement("RETURN", sale(-1), sale(1, 2), at=ADDED), returns=page(back))

    assert found.edits == (LineEdit("gid://shopify/LineItem/2", 1, at(ADDED)),)


@pytest.mark.parametrize("cut", ["agreements", "sales"])
def test_edits_that_are_not_told_to_the_end_are_not_told(cut: str, read: ReadOne) -> None:
    agreed = agreement("ORDER_EDIT", sale(1), more="c" if cut == "sales" else None)

    assert read(agreed, more="c" if cut == "agreements" else None, edited=True).edits == ()


def test_agreements_are_asked_for_edited_orders_alone_and_together(store: ShopifyStore, api: respx.Route) -> None:
    edited = [order(1, edited=True), order(2), order(3, edited=True)]
    api.side_effect = [orders(*edited), agreements(agreement("ORDER_EDIT", sale(1))), versions(1, 3)]

    found = store.read_orders([f"gid://shopify/Order/{number}" for number in (1, 2, 3)])

    assert operations(api) == ["OrdersByIds", "OrderAgreements", "OrderVersions"]
    assert asked(api)[1]["variables"]["ids"] == ["gid://shopify/Order/1", "gid://shopify/Order/3"]
    assert [len(one.edits) if one else None for one in found] == [1, 0, 0]


def test_an_order_edited_while_its_agreements_were_read_is_read_again(store: ShopifyStore, api: respx.Route) -> None:
    later = "2026-11-21T09:00:05Z"
    first = [orders(order(edited=True)), agreements(), versions(1, at=later)]
    api.side_effect = [*first, orders(order(edited=True, updatedAt=later)), agreements(), versions(1, at=later)]

    found = store.read_order(ORDER)

    assert found is not None
    assert found.updated_at == at(later)


def test_a_cancelled_order_says_when_and_why_and_may_have_no_refund(read: ReadOne) -> None:
    found = read(cancelledAt=NINE, cancelReason="INVENTORY", transactions=[movement(kind="VOID")])

    assert (found.cancelled_at, found.cancel_reason) == (dt.datetime.fromisoformat(NINE), "inventory")
    assert (found.refunds, found.transactions[0].kind) == ((), "void")


def test_selling_a_gift_card_and_paying_with_one_are_told_apart(read: ReadOne) -> None:
    found = read(lineItems=page(line(isGiftCard=True)), transactions=[movement(gateway="gift_card")])

    assert found.lines[0].is_gift_card
    assert found.transactions[0].gateway == "gift_card"


def test_a_line_outlives_its_variant(read: ReadOne) -> None:
    found = read(lineItems=page(line(variant=None, sku=None))).lines[0]

    assert (found.variant_ref, found.item_ref, found.sku) == ("", "", "")
    assert found.product_ref


def test_a_component_names_its_bundle(read: ReadOne) -> None:
    gift = [{"key": "ambalaj", "value": "cadou"}]
    group = {"id": "g1", "title": "Set", "quantity": 2, "variantId": "v9", "customAttributes": gift}

    bundle = read(lineItems=page(line(lineItemGroup=group))).lines[0].bundle

    assert bundle is not None
    assert (bundle.ref, bundle.quantity, bundle.variant_ref) == ("g1", 2, "v9")
    assert [(one.key, one.value) for one in bundle.attributes] == [("ambalaj", "cadou")]


def test_cash_rounding_and_tips_are_told_beside_the_lines(read: ReadOne) -> None:
    rounding = {"paymentSet": bag("0.02"), "refundSet": bag("-0.01")}
    found = read(
        totalCashRoundingAdjustment=rounding,
        totalTipReceivedSet=bag("5.00"),
        transactions=[movement(amountRoundingSet=bag("0.02"))],
    )

    assert (found.rounding_paid.shop.amount, found.rounding_refunded.shop.amount) == (Decimal("0.02"), Decimal("-0.01"))
    assert found.total_tip.shop.amount == Decimal(5)
    assert found.transactions[0].rounding is not None


def test_what_is_still_to_be_sent_is_told_for_each_location(read: ReadOne) -> None:
    here = work(1, BUCHAREST, work_line(1, total=3, remaining=1))
    there = work(
        2, CLUJ, work_line(2, total=2, remaining=2, item="item/2"), work_line(3, total=1, remaining=1, item=None)
    )

    found = read(fulfillmentOrders=page(here, there)).fulfilment_orders

    held = {(one.location_ref, row.item_ref): row.remaining_quantity for one in found for row in one.lines}
    assert held == {(BUCHAREST, "item/1"): 1, (CLUJ, "item/2"): 2, (CLUJ, ""): 1}


def test_goods_sent_and_goods_on_their_way_back_name_their_lines(read: ReadOne) -> None:
    row = {"id": "fl1", "quantity": 2, "lineItem": {"id": "line/1"}}
    sent = {
        "id": "f1",
        "name": "#1001.1",
        "status": "SUCCESS",
        "createdAt": NINE,
        "updatedAt": NINE,
        "location": {"id": CLUJ},
        "trackingInfo": [{"company": "FAN", "number": "123"}],
        "fulfillmentLineItems": page(row),
    }
    counts = {"quantity": 1, "processedQuantity": 1, "refundedQuantity": 0}
    back = {
        "id": "r1",
        "name": "#1001-R1",
        "status": "OPEN",
        "createdAt": NINE,
        "closedAt": None,
        "returnLineItems": page(
            {"id": "rl1", **counts, "fulfillmentLineItem": {"lineItem": {"id": "line/1"}}}, {"id": "rl2", **counts}
        ),
        "exchangeLineItems": page({"id": "x1", "quantity": 1, "lineItems": [{"id": "line/2"}]}),
    }

    found = read(fulfillments=[sent], returns=page(back))

    assert [(one.location_ref, one.lines[0].line_ref, one.tracking[0].number) for one in found.fulfilments] == [
        (CLUJ, "line/1", "123")
    ]
    assert [row.line_ref for row in found.returns[0].lines] == ["line/1", ""]
    assert found.returns[0].exchanges[0].line_refs == ("line/2",)


def test_a_whole_order_survives_being_kept_as_json(read: ReadOne) -> None:
    found = read(
        refunds=[refund(refundLineItems=page(refund_line("RETURN", restocked=True, location=CLUJ)))],
        totalPriceSet=bag("1.255", "KWD"),
    )

    assert msgspec.json.decode(msgspec.json.encode(found), type=RemoteOrder) == found


# --- nothing is cut off


def test_lines_beyond_the_first_page_are_followed_to_the_last(store: ShopifyStore, api: respx.Route) -> None:
    def lines(start: int, stop: int, more: str | None) -> httpx.Response:
        return answer({"order": {"lineItems": page(*(line(number) for number in range(start, stop)), more=more)}})

    api.side_effect = [
        orders(order(lineItems=page(*(line(number) for number in range(20)), more="c20"))),
        lines(20, 120, "c120"),
        lines(120, 220, "c220"),
        lines(220, 263, None),
        versions(1),
    ]

    found = store.read_order(ORDER)

    assert found is not None
    assert [one.ref for one in found.lines] == [f"gid://shopify/LineItem/{number}" for number in range(263)]
    assert [question["variables"]["after"] for question in asked(api)[1:4]] == ["c20", "c120", "c220"]


def test_every_page_below_an_order_is_followed(store: ShopifyStore, api: respx.Route) -> None:
    row = refund_line("RETURN", restocked=True, location=CLUJ, number=2)
    api.side_effect = [
        orders(
            order(
                refunds=[refund(refundLineItems=page(row, more="a"), transactions=page(movement(2), more="b"))],
                fulfillmentOrders=page(work(1, CLUJ, work_line(1, total=1, remaining=1), more="c"), more="d"),
            )
        ),
        answer({"order": {"fulfillmentOrders": page(work(2, BUCHAREST, more="e"))}}),
        answer({"refund": {"refundLineItems": page(row)}}),
        answer({"refund": {"transactions": page(movement(3))}}),
        answer({"fulfillmentOrder": {"lineItems": page(work_line(2, total=1, remaining=1))}}),
        answer({"fulfillmentOrder": {"lineItems": page(work_line(3, total=1, remaining=1))}}),
        versions(1),
    ]

    found = store.read_order(ORDER)

    assert found is not None
    assert (len(found.refunds[0].lines), len(found.refunds[0].transactions)) == (2, 2)
    assert [len(one.lines) for one in found.fulfilment_orders] == [2, 1]


def test_an_order_that_changed_while_its_pages_were_read_is_read_again(store: ShopifyStore, api: respx.Route) -> None:
    first = orders(order(lineItems=page(line(1), more="c")))
    rest = answer({"order": {"lineItems": page(line(2))}})
    later = "2026-11-21T09:00:05Z"
    api.side_effect = [first, rest, versions(1, at=later), orders(order(updatedAt=later))]

    found = store.read_order(ORDER)

    assert found is not None
    assert (found.updated_at.second, [one.ref for one in found.lines]) == (5, ["gid://shopify/LineItem/1"])


def test_an_order_that_never_rests_is_not_kept_in_pieces(store: ShopifyStore, api: respx.Route) -> None:
    torn = [
        orders(order(lineItems=page(line(1), more="c"))),
        answer({"order": {"lineItems": page(line(2))}}),
        versions(1, at="2026-11-21T09:00:05Z"),
    ]
    api.side_effect = [*torn, *torn, *torn]

    with pytest.raises(ConnectorUnavailable, match="changed while"):
        store.read_order(ORDER)


@pytest.mark.parametrize("field", ["transactions", "refunds"])
def test_a_full_list_is_not_taken_for_all_there_is(field: str, store: ShopifyStore, api: respx.Route) -> None:
    rows = [movement(number) if field == "transactions" else refund(number) for number in range(250)]
    api.side_effect = [orders(order(**{field: rows}))]

    with pytest.raises(RequestRejected, match=f"#1001 has 250 {field}"):
        store.read_order(ORDER)


# --- many orders at a time


def test_orders_are_read_together_in_the_order_asked_and_missing_ones_say_so(
    store: ShopifyStore, api: respx.Route
) -> None:
    api.side_effect = [orders(order(3), None, order(1))]

    found = store.read_orders(["gid://shopify/Order/3", "gid://shopify/Order/2", "gid://shopify/Order/1"])

    assert [one.number if one else None for one in found] == [1003, None, 1001]
    assert operations(api) == ["OrdersByIds"]


def test_an_order_named_twice_is_asked_for_once(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [orders(order(1))]

    assert len(store.read_orders([ORDER, ORDER])) == 2
    assert asked(api)[0]["variables"]["ids"] == [ORDER]


@pytest.mark.parametrize("count", [0, 26])
def test_one_read_names_1_to_25_orders(count: int, store: ShopifyStore, api: respx.Route) -> None:
    with pytest.raises(FeatureNotSupported):
        store.read_orders([ORDER] * count)
    assert not api.called


# --- what changed


def changed(*rows: tuple[int, str], more: str | None = None) -> httpx.Response:
    nodes = [{"id": f"gid://shopify/Order/{number}", "updatedAt": at} for number, at in rows]
    return answer({"orders": page(*nodes, more=more)})


def recent() -> dt.datetime:
    """A moment that is certainly within what is shown, with a fraction of a second."""
    return (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).replace(microsecond=250_000)


def test_the_feed_is_read_page_by_page_as_it_is_used(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [changed((1, NINE), more="c1"), changed((2, "2026-11-21T09:00:01Z"))]
    pages = store.iter_changed_orders(recent())

    first = next(pages)

    assert (first.orders[0].ref, first.read_at) == (ORDER, SERVER_TIME)
    assert api.call_count == 1
    assert [one.ref for page in pages for one in page.orders] == ["gid://shopify/Order/2"]
    assert [question["variables"]["after"] for question in asked(api)] == [None, "c1"]


def test_nothing_changed_is_one_empty_page_with_the_servers_time(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [changed()]

    (only,) = store.iter_changed_orders(recent())

    assert (only.orders, only.read_at) == ((), SERVER_TIME)


def test_bounds_are_whole_seconds_that_leave_nothing_out(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [changed()]
    since = recent()

    list(store.iter_changed_orders(since, until=since))

    low = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    high = (since + dt.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert asked(api)[0]["variables"]["query"] == f"updated_at:>='{low}' AND updated_at:<='{high}'"


def test_a_feed_deeper_than_a_connection_goes_on_from_its_last_second(
    store: ShopifyStore, api: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CONNECTION_DEPTH", 252)
    day = recent().strftime("%Y-%m-%d")
    api.side_effect = [
        changed((1, f"{day}T09:00:01Z"), (2, f"{day}T09:00:02Z"), (3, f"{day}T09:00:02Z"), more="c3"),
        changed((2, f"{day}T09:00:02Z"), (3, f"{day}T09:00:02Z"), (4, f"{day}T09:00:03Z")),
    ]

    read = [one.ref[-1] for page in store.iter_changed_orders(recent() - dt.timedelta(days=2)) for one in page.orders]

    assert read == ["1", "2", "3", "2", "3", "4"]
    second = asked(api)[1]["variables"]
    assert (second["after"], second["query"]) == (None, f"updated_at:>='{day}T09:00:02Z'")


def test_a_second_with_more_orders_than_can_be_paged_is_said_and_not_looped(
    store: ShopifyStore, api: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CONNECTION_DEPTH", 250)
    second = recent().replace(microsecond=0)
    api.side_effect = [changed((1, second.isoformat()), more="c")]

    with pytest.raises(FeatureNotSupported, match="in bulk"):
        list(store.iter_changed_orders(second))


@pytest.mark.parametrize("since", [None, dt.datetime(2026, 9, 1, tzinfo=dt.UTC)])
def test_a_history_that_would_be_cut_off_in_silence_is_refused(
    since: dt.datetime | None, store: ShopifyStore, api: respx.Route
) -> None:
    api.side_effect = [overview("read_orders")]

    with pytest.raises(FeatureNotSupported) as refused:
        next(store.iter_changed_orders(since))

    assert "read_all_orders" in refused.value.remedy
    assert operations(api) == ["Overview"]


def test_with_read_all_orders_the_whole_history_is_listed(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [overview("read_orders", "read_all_orders"), changed((1, "2019-01-01T00:00:00Z"))]

    (only,) = store.iter_changed_orders(None)

    assert len(only.orders) == 1
    assert asked(api)[1]["variables"]["query"] is None


def test_the_window_is_counted_from_the_servers_time(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [overview("read_orders")]

    window = store.orders_window()

    assert (window.days, window.since) == (60, SERVER_TIME - dt.timedelta(days=60))
