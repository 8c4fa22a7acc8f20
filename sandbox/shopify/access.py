"""Tokens, scopes and API versions (reference §1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ALL_SCOPES = (
    "read_products",
    "write_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "write_locations",
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_fulfillments",
    "write_fulfillments",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "write_assigned_fulfillment_orders",
    "read_third_party_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "read_customers",
    "read_files",
    "write_files",
    "read_draft_orders",
    "write_draft_orders",
    "read_publications",
    "write_publications",
    "read_returns",
    "write_returns",
)

SUPPORTED_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
CANDIDATE_VERSIONS = ("2027-01", "unstable")
STABLE_VERSION = "2026-10"

_ITEMS = frozenset({"read_inventory", "read_products"})
_PLACES = frozenset({"read_locations", "read_inventory", "read_products"})
_PRODUCTS = frozenset({"read_products"})
_INVENTORY = frozenset({"read_inventory"})
_LOCATIONS = frozenset({"read_locations"})

# Any one of the scopes opens the field.
REQUIRED_SCOPES: dict[tuple[str, str], frozenset[str]] = {
    **{
        ("QueryRoot", name): _PRODUCTS
        for name in (
            "product",
            "productByIdentifier",
            "products",
            "productsCount",
            "productVariant",
            "productVariants",
            "productVariantsCount",
        )
    },
    **{("QueryRoot", name): _ITEMS for name in ("inventoryItem", "inventoryItems", "inventoryProperties")},
    **{("QueryRoot", name): _PLACES for name in ("location", "locations", "locationsCount")},
    ("QueryRoot", "inventoryLevel"): _INVENTORY,
    **{
        ("Location", name): _LOCATIONS
        for name in ("address", "createdAt", "deactivatedAt", "fulfillmentService", "fulfillsOnlineOrders", "updatedAt")
    },
    ("Location", "inventoryLevel"): _INVENTORY,
    ("Location", "inventoryLevels"): _INVENTORY,
    ("InventoryItem", "inventoryLevel"): _INVENTORY,
    ("InventoryItem", "inventoryLevels"): _INVENTORY,
    ("InventoryItem", "variant"): _PRODUCTS,
    ("InventoryItem", "variants"): _PRODUCTS,
    ("ProductVariant", "inventoryItem"): _ITEMS,
    ("Mutation", "inventorySetQuantities"): frozenset({"write_inventory"}),
    ("Mutation", "inventoryAdjustQuantities"): frozenset({"write_inventory"}),
    ("Mutation", "inventoryActivate"): frozenset({"write_inventory"}),
    ("Mutation", "inventoryDeactivate"): frozenset({"write_inventory"}),
    ("Mutation", "inventoryBulkToggleActivation"): frozenset({"write_inventory"}),
    ("Mutation", "inventoryItemUpdate"): frozenset({"write_inventory", "write_products"}),
}

# What `node` and `nodes` ask of the token, by the type of the row that an id names.
NODE_SCOPES: dict[str, frozenset[str]] = {
    "InventoryItem": _ITEMS,
    "InventoryLevel": _INVENTORY,
    "Location": _PLACES,
    "Product": _PRODUCTS,
    "ProductVariant": _PRODUCTS,
}


@dataclass
class Token:
    """One app's access to one shop."""

    text: str
    shop_domain: str
    app_number: int = 1
    scopes: tuple[str, ...] = ALL_SCOPES
    revoked: bool = False
    expires_at: float | None = None  # seconds by the sandbox's clock

    def works(self, now: float) -> bool:
        """True while it is neither revoked nor expired."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)

    def effective_scopes(self) -> frozenset[str]:
        """The granted scopes; writing implies reading."""
        implied = {"read_" + scope.removeprefix("write_") for scope in self.scopes if scope.startswith("write_")}
        return frozenset(self.scopes) | implied


def default_token(shop_domain: str) -> str:
    """The token a shop of the sandbox starts with: always the same, so that a demo can be set up before it runs."""
    return "shpat_" + hashlib.sha256(f"sandbox:{shop_domain}".encode()).hexdigest()[:32]


def version_in_use(asked: str) -> str | None:
    """The version that answers a request for `asked`: expired ones fall forward to the oldest supported. None = unknown."""
    if asked in SUPPORTED_VERSIONS or asked in CANDIDATE_VERSIONS:
        return asked
    year, _, month = asked.partition("-")
    if year.isdigit() and len(year) == 4 and month in ("01", "04", "07", "10") and asked < SUPPORTED_VERSIONS[0]:
        return SUPPORTED_VERSIONS[0]
    return None
