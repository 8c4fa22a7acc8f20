"""What a control handler gets, how it finds rows, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.shopify.catalogue import Shop
from sandbox.shopify.rows import Item, Location

if TYPE_CHECKING:
    from sandbox.app import Sandbox


class ControlError(Exception):
    """The control call can't be carried out: cause and remedy, for a person."""

    def __init__(self, cause: str, remedy: str, status: int = 400) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.status = status


@dataclass
class Ask:
    """One control call: the sandbox, the parts of its path, its query and its JSON body."""

    sandbox: Sandbox
    parts: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]

    def shop(self) -> Shop:
        """The shop that body or query names; the only one when there is just one."""
        name = self.body.get("shop") or self.query.get("shop")
        return shop_named(self.sandbox, name)

    def need(self, name: str) -> Any:
        """A value that the body must have."""
        if name not in self.body:
            raise ControlError(
                f"The body has no {name!r}.", f"Send JSON with {name!r}; GET /_control/ lists all calls."
            )
        return self.body[name]


def shop_named(sandbox: Sandbox, name: object) -> Shop:
    """A shop by name or domain. Raises `ControlError`."""
    if not name:
        if len(sandbox.shops) == 1:
            return next(iter(sandbox.shops.values()))
        raise ControlError(
            "The call does not say which shop.", f"Add shop: one of {', '.join(sandbox.shops) or 'none yet'}."
        )
    text = str(name)
    shop = sandbox.shops.get(text) or sandbox.shops.get(f"{text}.myshopify.com")
    if shop is None:
        raise ControlError(f"There is no shop {text!r}.", f"Use one of: {', '.join(sandbox.shops) or 'none yet'}.", 404)
    return shop


def item_of(shop: Shop, described: dict[str, Any]) -> Item:
    """The inventory item that ``item`` (id or number) or ``sku`` names. Raises `ControlError` when none or several do."""
    if described.get("item") is not None:
        text = str(described["item"])
        row = shop.by_gid.get(text if text.startswith("gid://") else f"gid://shopify/InventoryItem/{text}")
        if isinstance(row, Item):
            return row
        raise ControlError(f"{shop.domain} has no inventory item {text!r}.", "GET /_control/levels lists them.", 404)
    if described.get("sku") is None:
        raise ControlError("A row names neither 'sku' nor 'item'.", "Add one of the two.")
    sku = str(described["sku"])
    rows = [item for item in shop.items_by_sku.get(sku.casefold(), ()) if item.sku == sku]
    if len(rows) == 1:
        return rows[0]
    if rows:
        ids = ", ".join(item.gid for item in rows)
        raise ControlError(f"SKU {sku} is on {len(rows)} items of {shop.domain}.", f"Name one by 'item': {ids}.")
    raise ControlError(f"{shop.domain} has no SKU {sku!r}.", "GET /_control/levels lists what it has.", 404)


def location_of(shop: Shop, name: object) -> Location:
    """A location by id, number or name; the first one when nothing is said. Raises `ControlError`."""
    if name is None:
        if shop.locations:
            return shop.locations[0]
        raise ControlError(f"{shop.domain} has no location.", "Open the shop again with locations.")
    text = str(name)
    for location in shop.locations:
        if text in (location.gid, str(location.number), location.name):
            return location
    names = ", ".join(location.name for location in shop.locations)
    raise ControlError(f"{shop.domain} has no location {text!r}.", f"Use one of: {names}.", 404)


def whole(value: object, name: str) -> int:
    """A whole number. Raises `ControlError`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ControlError(f"{name} is {value!r}, not a whole number.", f"Send {name} as a JSON integer.")
    return value


def rows_of(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects, empty when left out. Raises `ControlError`."""
    rows = body.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ControlError(f"'{name}' is not a list of objects.", f'Send "{name}": [{{…}}].')
    return rows
