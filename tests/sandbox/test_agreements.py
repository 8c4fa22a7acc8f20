"""Agreements: when which units were ordered, added, taken off and refunded."""

from __future__ import annotations

from typing import Any

from tests.sandbox.client import App

ASKED = """query ($id: ID!, $first: Int = 10, $after: String) { order(id: $id) {
  edited
  agreements(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes {
    __typename id happenedAt reason
    ... on RefundAgreement { refund { id } }
    sales(first: 10) { nodes {
      id actionType lineType quantity
      ... on ProductSale { lineItem { id } }
      ... on GiftCardSale { lineItem { id } }
    } }
  } }
} }"""


def told(app: App, number: int, **variables: Any) -> dict[str, Any]:
    """The agreements of an order."""
    gid = app.control("GET", f"orders/{number}")["gid"]
    return dict(app.ask(ASKED, {"id": gid, **variables}).data["order"]["agreements"])


def units(agreements: dict[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
    """What each is, and its sales."""
    return [
        (each["__typename"], [(sale["actionType"], sale["quantity"]) for sale in each["sales"]["nodes"]])
        for each in agreements["nodes"]
    ]


def placed(app: App, *lines: dict[str, Any]) -> int:
    """An order."""
    return int(app.control("POST", "orders", {"lines": list(lines) or [{"sku": "APA", "quantity": 4}]})["id"])


def edit(app: App, number: int, **what: Any) -> None:
    """Edit it, a minute after what came before."""
    app.control("POST", "clock", {"advance": 60})
    app.control("POST", f"orders/{number}/edit", what)


def test_an_order_is_agreed_when_it_is_placed(app: App) -> None:
    found = told(app, placed(app))["nodes"]

    assert units({"nodes": found}) == [("OrderAgreement", [("ORDER", 4)])]
    assert found[0]["reason"] == "ORDER"


def test_each_edit_is_dated_and_names_its_units(app: App) -> None:
    number = placed(app)
    edit(app, number, set=[{"line": 1, "quantity": 6}])
    edit(app, number, set=[{"line": 1, "quantity": 5, "restock": False}])
    edit(app, number, add=[{"sku": "CEAI", "quantity": 3}])

    agreements = told(app, number)

    assert units(agreements) == [
        ("OrderAgreement", [("ORDER", 4)]),
        ("OrderEditAgreement", [("ORDER", 2)]),
        ("OrderEditAgreement", [("RETURN", -1)]),
        ("OrderEditAgreement", [("ORDER", 3)]),
    ]
    times = [each["happenedAt"] for each in agreements["nodes"]]
    assert times == sorted(set(times))


def test_what_an_edit_puts_back_is_told_once(app: App) -> None:
    number = placed(app)
    edit(app, number, set=[{"line": 1, "quantity": 3}])

    assert len(app.control("GET", f"orders/{number}")["refunds"]) == 1
    assert units(told(app, number))[1:] == [("OrderEditAgreement", [("RETURN", -1)])]


def test_a_refund_is_an_agreement_of_its_own(app: App) -> None:
    number = placed(app)
    refunded = {"lines": [{"line": 1, "quantity": 2, "restock_type": "CANCEL"}]}
    app.control("POST", f"orders/{number}/refund", refunded)

    last = told(app, number)["nodes"][-1]

    assert units({"nodes": [last]}) == [("RefundAgreement", [("RETURN", -2)])]
    assert last["refund"]["id"] == app.control("GET", f"orders/{number}")["refunds"][0]["gid"]


def test_agreements_come_in_pages(app: App) -> None:
    number = placed(app)
    for quantity in (5, 6, 7):
        edit(app, number, set=[{"line": 1, "quantity": quantity}])

    first = told(app, number, first=3)
    rest = told(app, number, first=3, after=first["pageInfo"]["endCursor"])

    assert (len(first["nodes"]), first["pageInfo"]["hasNextPage"]) == (3, True)
    assert (len(rest["nodes"]), rest["pageInfo"]["hasNextPage"]) == (1, False)


def test_gift_cards_are_sales_of_their_own_kind(app: App) -> None:
    number = placed(app, {"title": "Card cadou", "price": "50", "gift_card": True})

    (sale,) = told(app, number)["nodes"][0]["sales"]["nodes"]

    assert sale["lineType"] == "GIFT_CARD"
    assert sale["lineItem"]["id"]
