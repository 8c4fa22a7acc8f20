"""Who bought an order, as far as the shop tells; what it refuses is said, and costs nothing else of the order."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from connectors.ports.buyers import Address
from connectors.ports.errors import CredentialsRejected
from connectors.ports.orders import RemoteOrder
from connectors.shopify.adapter import ShopifyStore
from tests.connectors.shopify.answers import answer
from tests.connectors.shopify.order_answers import ORDER, bag, line, movement, order, orders, page, tax, versions, work

CUSTOMER = {
    "id": "gid://shopify/Customer/9",
    "firstName": "Ana",
    "lastName": "Pop",
    "taxExempt": False,
    "defaultEmailAddress": {"emailAddress": "ana@example.com"},
    "defaultPhoneNumber": {"phoneNumber": "+40700000001"},
}
STREET = {
    "name": "Ana Pop",
    "company": "Pop SRL",
    "address1": "Str. Lungă 1",
    "address2": None,
    "city": "Cluj-Napoca",
    "province": "Cluj",
    "provinceCode": "CJ",
    "zip": "400001",
    "countryCodeV2": "RO",
    "phone": None,
}


def read(store: ShopifyStore, api: respx.Route, *refused: list[str], **parts: Any) -> RemoteOrder:
    """The order of one answer in which the fields at the paths `refused` are denied, as Shopify does it."""
    reply = orders(order(**parts))
    api.side_effect = [_denied(reply, [["nodes", 0, *path] for path in refused]) if refused else reply]
    found = store.read_order(ORDER)
    assert found is not None
    return found


def _denied(reply: httpx.Response, paths: list[list[Any]], code: str = "ACCESS_DENIED") -> httpx.Response:
    body = json.loads(reply.content)
    body["errors"] = [{"message": "Not approved.", "path": path, "extensions": {"code": code}} for path in paths]
    return httpx.Response(200, json=body, headers=reply.headers)


def test_a_buyer_is_told_with_both_addresses(store: ShopifyStore, api: respx.Route) -> None:
    found = read(
        store,
        api,
        customer=CUSTOMER,
        email="comenzi@example.com",
        phone="+40700000002",
        billingAddress=STREET,
        shippingAddress={**STREET, "city": "Turda"},
        note="Sunați înainte",
    )

    assert found.customer_ref == "gid://shopify/Customer/9"
    assert found.customer is not None
    assert (found.customer.first_name, found.customer.last_name) == ("Ana", "Pop")
    assert (found.customer.email, found.customer.phone) == ("ana@example.com", "+40700000001")
    assert (found.email, found.phone, found.note) == ("comenzi@example.com", "+40700000002", "Sunați înainte")
    assert found.billing_address == Address(
        "Ana Pop", "Pop SRL", "Str. Lungă 1", "", "Cluj-Napoca", "Cluj", "CJ", "400001", "RO", ""
    )
    assert found.shipping_address is not None
    assert found.shipping_address.city == "Turda"
    assert found.withheld == ()


def test_a_company_is_told_with_the_tax_id_of_its_place(store: ShopifyStore, api: respx.Route) -> None:
    place = {"id": "l1", "name": "Cluj", "externalId": "C-1", "taxSettings": {"taxRegistrationId": "RO123"}}
    buyer = {"company": {"id": "c1", "name": "Pop SRL", "externalId": None}, "location": place}

    company = read(store, api, purchasingEntity=buyer).company

    assert company is not None
    assert (company.name, company.location_name, company.tax_id) == ("Pop SRL", "Cluj", "RO123")
    assert (company.external_id, company.location_external_id) == ("", "C-1")


def test_a_person_who_bought_is_no_company(store: ShopifyStore, api: respx.Route) -> None:
    assert read(store, api, purchasingEntity={}).company is None


def test_what_was_written_beside_an_order_is_told_word_for_word(store: ShopifyStore, api: respx.Route) -> None:
    field = {"key": "TAX_CREDENTIAL_IT", "countryCode": "IT", "purpose": "TAX", "title": "Codice", "value": "RSS"}
    found = read(
        store,
        api,
        customAttributes=[{"key": "CUI", "value": "RO123"}, {"key": "Cadou", "value": None}],
        localizedFields=page(field),
        lineItems=page(line(customAttributes=[{"key": "Gravură", "value": "Ană"}])),
    )

    assert [(one.key, one.value) for one in found.attributes] == [("CUI", "RO123"), ("Cadou", "")]
    assert [(one.key, one.value) for one in found.lines[0].attributes] == [("Gravură", "Ană")]
    assert [(one.key, one.country, one.purpose, one.value) for one in found.localized] == [
        ("tax_credential_it", "IT", "tax", "RSS")
    ]


def test_localized_fields_beyond_the_first_page_are_followed(store: ShopifyStore, api: respx.Route) -> None:
    def field(number: int) -> dict[str, str]:
        key = f"TAX_CREDENTIAL_{number}"
        return {"key": key, "countryCode": "IT", "purpose": "TAX", "title": key, "value": str(number)}

    api.side_effect = [
        orders(order(localizedFields=page(field(1), more="c1"))),
        answer({"order": {"localizedFields": page(field(2))}}),
        versions(1),
    ]

    found = store.read_order(ORDER)

    assert found is not None
    assert [one.value for one in found.localized] == ["1", "2"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (["customer"], "customer"),
        (["email"], "email"),
        (["phone"], "phone"),
        (["note"], "note"),
        (["billingAddress"], "billing_address"),
        (["shippingAddress"], "shipping_address"),
        (["purchasingEntity", "company"], "company"),
    ],
)
def test_what_the_shop_does_not_let_us_read_is_named_and_the_rest_is_read(
    path: list[str], name: str, store: ShopifyStore, api: respx.Route
) -> None:
    shown: dict[str, Any] = {
        "customer": CUSTOMER,
        "email": "a@b.c",
        "phone": "1",
        "note": "n",
        "billingAddress": STREET,
    }
    shown |= {"shippingAddress": STREET, "purchasingEntity": None, path[0]: None}

    found = read(store, api, path, **shown)

    assert found.withheld == (name,)
    assert getattr(found, name) is None
    assert len(found.lines) == 1


def test_a_part_of_the_customer_that_is_refused_is_told_from_one_that_is_empty(
    store: ShopifyStore, api: respx.Route
) -> None:
    refused = [["customer", "firstName"], ["customer", "defaultEmailAddress", "emailAddress"]]
    hidden = {**CUSTOMER, "firstName": None, "defaultEmailAddress": None, "defaultPhoneNumber": None}

    found = read(store, api, *refused, customer=hidden)

    assert found.withheld == ("customer",)
    assert found.customer is not None
    assert (found.customer.first_name, found.customer.last_name) == (None, "Pop")
    assert (found.customer.email, found.customer.phone) == (None, "")


def test_each_order_of_a_read_says_only_what_was_refused_of_itself(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [_denied(orders(order(1), order(2)), [["nodes", 1, "email"]])]

    first, second = store.read_orders([ORDER, "gid://shopify/Order/2"])

    assert first is not None
    assert second is not None
    assert (first.withheld, first.email) == ((), "")
    assert (second.withheld, second.email) == (("email",), None)


@pytest.mark.parametrize("path", [["nodes", 0, "fulfillmentOrders"], ["nodes", 0], None])
def test_a_missing_scope_for_anything_else_still_stops_the_store(
    path: list[Any] | None, store: ShopifyStore, api: respx.Route
) -> None:
    api.side_effect = [_denied(orders(order()), [["nodes", 0, "email"], path] if path else [["orders"]])]

    with pytest.raises(CredentialsRejected):
        store.read_order(ORDER)


def test_a_discount_is_told_by_its_code_or_title(store: ShopifyStore, api: respx.Route) -> None:
    def share(amount: str, **application: str) -> dict[str, Any]:
        return {"allocatedAmountSet": bag(amount), "discountApplication": application}

    shares = [
        share("5.00", __typename="DiscountCodeApplication", code="VARA"),
        share("1.00", __typename="AutomaticDiscountApplication", title="Vrac"),
        share("0.50", __typename="ScriptDiscountApplication"),
    ]

    found = read(store, api, lineItems=page(line(discountAllocations=shares))).lines[0].discounts

    assert [(one.kind, one.name, one.amount.shop.amount) for one in found] == [
        ("code", "VARA", Decimal("5.00")),
        ("automatic", "Vrac", Decimal("1.00")),
        ("", "", Decimal("0.50")),
    ]


def test_cash_on_delivery_is_money_that_the_merchant_collects_and_is_still_pending(
    store: ShopifyStore, api: respx.Route
) -> None:
    cod = movement(
        1,
        "SALE",
        "PENDING",
        gateway="Cash on Delivery (COD)",
        formattedGateway="Ramburs",
        manualPaymentGateway=True,
    )

    (paid,) = read(store, api, transactions=[cod]).transactions

    assert (paid.manual, paid.gateway, paid.gateway_title, paid.status) == (
        True,
        "Cash on Delivery (COD)",
        "Ramburs",
        "pending",
    )


def test_fees_holds_and_the_till_are_told(store: ShopifyStore, api: respx.Route) -> None:
    fee = {"id": "f1", "name": "Ramburs", "price": bag("5.00"), "taxLines": [tax("0.87")]}
    held = {**work(1, "gid://shopify/Location/55"), "fulfillmentHolds": [{"reason": "AWAITING_RETURN_ITEMS"}]}

    found = read(
        store,
        api,
        additionalFees=[fee],
        fulfillmentOrders=page(held),
        app={"name": "Point of Sale"},
        retailLocation={"id": "gid://shopify/Location/56"},
    )

    assert [(one.name, one.price.shop.amount, one.taxes[0].price.shop.amount) for one in found.fees] == [
        ("Ramburs", Decimal("5.00"), Decimal("0.87"))
    ]
    assert found.fulfilment_orders[0].holds == ("awaiting_return_items",)
    assert (found.channel, found.retail_location_ref) == ("Point of Sale", "gid://shopify/Location/56")


def test_a_field_is_known_by_its_whole_name_however_the_shop_gives_it(store: ShopifyStore, api: respx.Route) -> None:
    whole = {"namespace": "custom", "key": "custom.cui", "value": "RO1"}
    parted = {"namespace": "custom", "key": "reg", "value": "J40"}
    api.side_effect = [answer({"nodes": [{"id": ORDER, "metafields": {"nodes": [whole, parted]}}, None]})]

    found = store.read_fields([ORDER, "order/gone"], ["order.custom.reg", "order.custom.cui", "order.custom.none"])

    assert [(one.key, one.value) for one in found[ORDER]] == [("order.custom.reg", "J40"), ("order.custom.cui", "RO1")]


def test_fields_of_a_customer_that_the_shop_withholds_are_left_out(store: ShopifyStore, api: respx.Route) -> None:
    reply = answer({"nodes": [{"id": ORDER, "customer": None}]})
    api.side_effect = [_denied(reply, [["nodes", 0, "customer"]])]

    assert store.read_fields([ORDER], ["customer.custom.cui"]) == {ORDER: ()}
