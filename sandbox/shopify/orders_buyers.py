"""Who bought an order, through which app, where, and what a country asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .execution import PageRequest, Run
from .orders import Order
from .orders_pages import listed
from .pages import Page

_APPS = {
    "web": (580111, "Online Store"),
    "pos": (129785, "Point of Sale"),
    "shopify_draft_order": (1354745, "Draft Orders"),
}


class Person(dict[str, Any]):
    """A `Customer` that bought for himself."""


class Business(dict[str, Any]):
    """A `PurchasingCompany`: a company, and which of its places bought."""


def customer(order: Order) -> Person | None:
    """The customer record, from ``first_name``, ``last_name``, ``email``, ``phone`` … of the control call."""
    given = order.customer
    if given is None:
        return None
    number = int(given.get("id", order.shop.id_base + 700_000_000 + order.number))
    first, last = given.get("first_name"), given.get("last_name")
    name = " ".join(part for part in (first, last) if part) or given.get("name") or given.get("email") or "Customer"
    email, phone = given.get("email"), given.get("phone")
    return Person(
        id=f"gid://shopify/Customer/{number}",
        legacyResourceId=str(number),
        displayName=name,
        firstName=first,
        lastName=last,
        defaultEmailAddress={"emailAddress": email} if email else None,
        defaultPhoneNumber={"phoneNumber": phone} if phone else None,
        taxExempt=bool(given.get("tax_exempt")),
        createdAt=order.created_at,
        updatedAt=order.created_at,
    )


def _purchaser(order: Order) -> Person | Business | None:
    given = order.company
    if given is None:
        return customer(order)
    number = int(given.get("id", order.shop.id_base + 600_000_000 + order.number))
    settings = {"taxRegistrationId": given.get("tax_id"), "taxExempt": order.tax_exempt}
    return Business(
        company={
            "id": f"gid://shopify/Company/{number}",
            "name": given.get("name", ""),
            "externalId": given.get("external_id"),
        },
        location={
            "id": f"gid://shopify/CompanyLocation/{number}",
            "name": given.get("location") or given.get("name", ""),
            "externalId": given.get("location_external_id"),
            "taxSettings": settings,
        },
    )


def _app(order: Order) -> dict[str, str] | None:
    known = _APPS.get(order.source_name)
    return {"id": f"gid://shopify/OrderApp/{known[0]}", "name": known[1]} if known else None


def _till(order: Order) -> Any:
    """Where a sale at the till was made: where its goods were."""
    if order.source_name != "pos" or not order.fulfillment_orders:
        return None
    return order.fulfillment_orders[0].location


def _localized(order: Order, request: PageRequest, run: Run) -> Page:
    rows = [Localized(order, key, value) for key, value in order.localized_fields.items()]
    countries, purposes = request.rest.get("countryCodes"), request.rest.get("purposes")
    wanted = [
        row
        for row in rows
        if (not countries or row.country_code in countries) and (not purposes or row.purpose in purposes)
    ]
    return listed(wanted, request)


class Localized:
    """One field, such as TAX_CREDENTIAL_IT: its purpose begins the key and its country ends it."""

    def __init__(self, order: Order, key: str, value: str) -> None:
        self.gid = f"{order.gid}/{key}"  # the place in a page; not shown
        self.key, self.value = key, value
        self.purpose, self.country_code = key.partition("_")[0], key.rpartition("_")[2]
        self.title = key.rpartition("_")[0].replace("_", " ").capitalize()


PLAIN: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("Order", "customer"): customer,
    ("Order", "purchasingEntity"): _purchaser,
    ("Order", "app"): _app,
    ("Order", "retailLocation"): _till,
    ("Order", "additionalFees"): lambda row: [],  # the simulator's shops charge none
}
FULL: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = {("Order", "localizedFields"): _localized}
TYPE_NAMES = {"Person": "Customer", "Business": "PurchasingCompany"}
MAPPINGS = frozenset(
    ["Company", "CompanyLocation", "CompanyLocationTaxSettings", "CustomerPhoneNumber", "OrderApp", "PurchasingCompany"]
)
