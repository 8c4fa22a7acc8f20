"""Who bought an order, through which app, where, and what a country asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .execution import PageRequest, Run
from .metafields import Metafield, namespace_of
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
    """The customer record, from ``first_name``, ``last_name``, ``email``, ``phone``, ``metafields`` … of the control call."""
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
        custom=_custom(f"gid://shopify/Customer/{number}", given.get("metafields") or {}, order),
    )


def _custom(owner: str, given: dict[str, str], order: Order) -> list[Metafield]:
    """Metafields from ``namespace.key`` → text."""
    rows, stamp = [], order.created_at
    for index, (name, value) in enumerate(given.items()):
        namespace, _, key = name.rpartition(".")
        number = order.shop.id_base + 800_000_000 + order.number * 100 + index
        gid = f"gid://shopify/Metafield/{number}"
        rows.append(Metafield(gid, number, owner, namespace, key, "single_line_text_field", value, stamp, stamp))
    return rows


def _custom_of(row: Order | Person) -> list[Metafield]:
    return _custom(row.gid, row.metafields, row) if isinstance(row, Order) else list(row["custom"])


def _metafield(row: Order | Person, arguments: dict[str, Any], run: Run) -> Metafield | None:
    named = namespace_of(arguments, run.world.app_number), arguments["key"]
    return next((one for one in _custom_of(row) if (one.namespace, one.key) == named), None)


def _metafields(row: Order | Person, request: PageRequest, run: Run) -> Page:
    namespace, keys = request.rest.get("namespace"), request.rest.get("keys")
    wanted = [
        one
        for one in _custom_of(row)
        if namespace in (None, one.namespace) and (keys is None or f"{one.namespace}.{one.key}" in keys)
    ]
    return listed(wanted, request)


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
FULL: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = {
    ("Order", "localizedFields"): _localized,
    ("Order", "metafield"): _metafield,
    ("Order", "metafields"): _metafields,
    ("Customer", "metafield"): _metafield,
    ("Customer", "metafields"): _metafields,
}
TYPE_NAMES = {"Person": "Customer", "Business": "PurchasingCompany"}
MAPPINGS = frozenset(
    ["Company", "CompanyLocation", "CompanyLocationTaxSettings", "CustomerPhoneNumber", "OrderApp", "PurchasingCompany"]
)
