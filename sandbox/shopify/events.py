"""What happens to stock, places and the shop itself, said to whoever listens, and how webhooks tell it (reference §7.3).

Call these while the shop's lock is held, after the change. They cost nothing while nobody listens."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .bundles import followers
from .catalogue import Shop
from .rows import AVAILABLE, Item, Level, Location
from .topics import Topic

Payload = dict[str, Any]


def level_moved(shop: Shop, level: Level) -> None:
    """A quantity of a level changed: ``inventory_levels/update``, and ``products/update`` of its product; bundles follow."""
    _tell_moved(shop, level)
    _follow(shop, level)


def _tell_moved(shop: Shop, level: Level) -> None:
    if shop.listeners and level.active:
        shop.happened("inventory_levels/update", level)
        shop.happened("products/update", level.item.variant.product)


def _follow(shop: Shop, level: Level) -> None:
    """Let the bundles of a component follow what became of its level, and tell it."""
    for bundle in followers(shop, level) if shop.bundled_in else ():
        _tell_moved(shop, bundle)


def level_connected(shop: Shop, level: Level) -> None:
    """An item is stocked at a location from now on."""
    if shop.listeners:
        shop.happened("inventory_levels/connect", level)
    _follow(shop, level)


def level_disconnected(shop: Shop, level: Level) -> None:
    """An item is no longer stocked at a location."""
    if shop.listeners:
        shop.happened("inventory_levels/disconnect", level)
    _follow(shop, level)


@lru_cache(maxsize=4096)
def local_time(shop_zone: str, stamp: str) -> str:
    """A UTC stamp with the shop's own offset, as REST-shaped payloads write it: ``2026-11-21T12:00:00+02:00``."""
    return datetime.fromisoformat(stamp).astimezone(ZoneInfo(shop_zone)).isoformat(timespec="seconds")


def _level(shop: Shop, level: Level) -> Payload:
    return {
        "inventory_item_id": level.item.number,
        "location_id": level.location.number,
        "available": level.quantities[AVAILABLE] if level.item.tracked else None,
        "updated_at": local_time(shop.time_zone, level.updated_at),
        "admin_graphql_api_id": level.gid,
    }


def _level_gone(shop: Shop, level: Level) -> Payload:
    return {"inventory_item_id": level.item.number, "location_id": level.location.number}


def _item(shop: Shop, item: Item) -> Payload:
    return {
        "id": item.number,
        "sku": item.sku,
        "created_at": local_time(shop.time_zone, item.created_at),
        "updated_at": local_time(shop.time_zone, item.updated_at),
        "requires_shipping": item.requires_shipping,
        "cost": None if item.cost is None else f"{item.cost:.2f}",
        "country_code_of_origin": None,
        "province_code_of_origin": None,
        "harmonized_system_code": None,
        "tracked": item.tracked,
        "country_harmonized_system_codes": [],
        "weight_value": item.weight_value,
        "weight_unit": item.weight_unit.lower(),
        "admin_graphql_api_id": item.gid,
    }


def _item_gone(shop: Shop, item: Item) -> Payload:
    return {"id": item.number, "admin_graphql_api_id": item.gid}


def _location(shop: Shop, place: Location) -> Payload:
    address = place.address
    return {
        "id": place.number,
        "name": place.name,
        "address1": address.get("address1"),
        "address2": address.get("address2"),
        "city": address.get("city"),
        "zip": address.get("zip"),
        "province": address.get("province"),
        "country": address.get("countryCode"),
        "phone": address.get("phone"),
        "created_at": local_time(shop.time_zone, place.created_at),
        "updated_at": local_time(shop.time_zone, place.updated_at),
        "country_code": address.get("countryCode"),
        "country_name": address.get("country"),
        "province_code": address.get("provinceCode"),
        "legacy": place.service is not None,
        "active": place.active,
        "admin_graphql_api_id": place.gid,
    }


def _location_gone(shop: Shop, place: Location) -> Payload:
    return {"id": place.number}


def _shop(shop: Shop, row: Any) -> Payload:
    return {
        "id": shop.id_base + 1,
        "name": shop.name,
        "email": f"owner@{shop.domain}",
        "domain": shop.domain,
        "myshopify_domain": shop.domain,
        "currency": shop.currency,
        "iana_timezone": shop.time_zone,
        "plan_name": shop.plan,
        "taxes_included": True,
        "primary_location_id": shop.locations[0].number if shop.locations else None,
    }


def _told(shop: Shop, row: Payload) -> Payload:
    """The row is the payload: whoever announces it has built it."""
    return row


STOCK_EVENTS = Topic(
    payloads={
        "inventory_levels/update": _level,
        "inventory_levels/connect": _level,
        "inventory_levels/disconnect": _level_gone,
        "inventory_items/create": _item,
        "inventory_items/update": _item,
        "inventory_items/delete": _item_gone,
        "locations/create": _location,
        "locations/update": _location,
        "locations/activate": _location,
        "locations/deactivate": _location,
        "locations/delete": _location_gone,
        "shop/update": _shop,
        "app/uninstalled": _shop,
        "app/scopes_update": _told,
        "customers/data_request": _told,
        "customers/redact": _told,
        "shop/redact": _told,
    }
)
"""What happens to stock, places, the shop and the app's installation."""
