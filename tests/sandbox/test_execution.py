"""The compiled execution gives what graphql-core's general executor gives for the same text and rows."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLResolveInfo, execute, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.app import Sandbox
from sandbox.shopify.bucket import PLANS
from sandbox.shopify.execution import PageRequest, Run
from sandbox.shopify.resolvers import documents, type_name, vocabulary
from sandbox.shopify.world import World
from tests.sandbox.client import App
from tests.sandbox.conftest import CSV

WORDS = vocabulary()


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def resolve_slowly(run: Run) -> Any:
    """A resolver for graphql-core that asks the same vocabulary field by field."""

    def resolve(row: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        at = (info.parent_type.name, info.field_name)
        if str(info.return_type).rstrip("!").endswith("Connection"):
            arguments = PageRequest(arguments, 250, info.field_name)  # type: ignore[assignment]
        prepared: Any = arguments
        if at in WORDS.prepare:
            prepared = WORDS.prepare[at](arguments, run)
        if at in WORDS.full:
            return WORDS.full[at](row, prepared, run)
        if at in WORDS.plain:
            return WORDS.plain[at](row)
        return row[info.field_name] if at[0] in WORDS.mappings else getattr(row, snake(info.field_name))

    return resolve


def both(app: App, text: str) -> tuple[Any, Any]:
    """The answer of the compiled execution, and of graphql-core's."""
    world = World(
        app.shop,
        PLANS["plus"],
        app.sandbox.clock,
        app.sandbox.admin.memory(app.shop, 1),
        ("read_products",),
        1,
        app.sandbox.admin.bulk,
    )
    scopes = app.sandbox.admin.tokens[app.token].effective_scopes()
    operation = documents().operation(text, None)
    run = Run(world, scopes, operation.variables({}))
    plan = operation.plan(run.variables)
    plan.fill(run)
    quick = plan.execute(run)
    slow = execute(
        documents().schema,
        parse(text),
        root_value=world,
        field_resolver=resolve_slowly(Run(world, scopes, {})),
        type_resolver=lambda row, info, abstract: type_name(row),
    )
    assert not run.errors
    assert not slow.errors, slow.errors  # type: ignore[union-attr]
    return quick, slow.data  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def fixed_app() -> App:
    """A shop that nothing changes."""
    sandbox = Sandbox(plan="plus")
    return App(sandbox, sandbox.add_shop("bucovina-ro", CSV)[0])


# What can be asked of each type, as texts: leaves first, then fields that lead to another type.
LEAVES = {
    "Product": ["id", "handle", "title", "status", "tags", "totalInventory", "__typename", "updatedAt", "description"],
    "ProductVariant": ["id", "sku", "title", "price", "compareAtPrice", "position", "inventoryQuantity", "displayName"],
    "InventoryItem": ["id", "sku", "tracked", "duplicateSkuCount", "requiresShipping", "legacyResourceId"],
    "InventoryLevel": ["id", "isActive", "updatedAt", "canDeactivate"],
    "Location": ["id", "name", "isActive", "hasActiveInventory", "legacyResourceId"],
    "InventoryQuantity": ["id", "name", "quantity", "updatedAt"],
    "PageInfo": ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"],
    "Count": ["count", "precision"],
    "ProductOption": ["id", "name", "position", "values"],
    "ProductOptionValue": ["id", "name", "hasVariants"],
    "SelectedOption": ["name", "value"],
    "MoneyV2": ["amount", "currencyCode"],
    "Weight": ["unit", "value"],
    "InventoryItemMeasurement": ["id"],
}
LINKS: dict[str, list[tuple[str, str]]] = {
    "Product": [("variantsCount", "Count"), ("options", "ProductOption"), ("variants(first: 2)", "[ProductVariant]")],
    "ProductVariant": [
        ("product", "Product"),
        ("inventoryItem", "InventoryItem"),
        ("selectedOptions", "SelectedOption"),
    ],
    "InventoryItem": [
        ("unitCost", "MoneyV2"),
        ("measurement", "InventoryItemMeasurement"),
        ("variants(first: 1)", "[ProductVariant]"),
        ("inventoryLevels(first: 1)", "[InventoryLevel]"),
        ('inventoryLevel(locationId: "gid://shopify/Location/1000000055")', "InventoryLevel"),
        ('inventoryLevel(locationId: "gid://shopify/Location/1")', "InventoryLevel"),
    ],
    "InventoryLevel": [
        ("item", "InventoryItem"),
        ("location", "Location"),
        ('quantities(names: ["available", "on_hand", "incoming"])', "InventoryQuantity"),
    ],
    "Location": [("inventoryLevels(last: 2)", "[InventoryLevel]")],
    "ProductOption": [("optionValues", "ProductOptionValue")],
    "InventoryItemMeasurement": [("weight", "Weight")],
}
ROOTS = [
    ("products(first: 3, sortKey: TITLE, reverse: true)", "[Product]"),
    ("productVariants(first: 2)", "[ProductVariant]"),
    ("inventoryItems(last: 2)", "[InventoryItem]"),
    ("locations(first: 2)", "[Location]"),
    ('productByIdentifier(identifier: {handle: "bere"})', "Product"),
    ('inventoryItem(id: "gid://shopify/InventoryItem/1400000001")', "InventoryItem"),
    ('location(id: "gid://shopify/Location/1000000056")', "Location"),
    ('product(id: "gid://shopify/Product/1")', "Product"),
]


@st.composite
def selections(draw: st.DrawFn, type_: str, depth: int) -> str:
    """A selection of one type, as deep as allowed, every field under an alias of its own."""
    fields = draw(st.lists(st.sampled_from(LEAVES[type_]), min_size=1, max_size=4, unique=True))
    links = LINKS.get(type_, [])
    if depth > 0 and links:
        for number, (text, target) in enumerate(draw(st.lists(st.sampled_from(links), max_size=2))):
            fields.append(f"link{number}: {text} {{ {draw(targets(target, depth - 1))} }}")
    return " ".join(fields)


@st.composite
def targets(draw: st.DrawFn, target: str, depth: int) -> str:
    """The selection behind a field; a connection as nodes or edges, with or without page info."""
    if not target.startswith("["):
        return draw(selections(target, depth))
    inner = draw(selections(target.strip("[]"), depth))
    body = draw(st.sampled_from([f"nodes {{ {inner} }}", f"edges {{ cursor node {{ {inner} }} }}"]))
    if draw(st.booleans()):
        body += f" pageInfo {{ {draw(selections('PageInfo', 0))} }}"
    return body


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query over one or two roots."""
    chosen = draw(st.lists(st.sampled_from(ROOTS), min_size=1, max_size=2))
    parts = [f"root{n}: {text} {{ {draw(targets(target, 3))} }}" for n, (text, target) in enumerate(chosen)]
    return "{ " + " ".join(parts) + " }"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries())
def test_any_query_reads_the_same(fixed_app: App, text: str) -> None:
    quick, slow = both(fixed_app, text)
    assert quick == slow
    assert list(quick) == list(slow)


def test_nodes_of_several_types_read_the_same(fixed_app: App) -> None:
    ids = [fixed_app.item("APA").gid, fixed_app.here.gid, fixed_app.level("APA").gid, "gid://shopify/Product/1"]
    text = """{ nodes(ids: ["%s"]) { __typename id ...I ... on Location { name } ... on InventoryLevel { item { ...I } } } }
      fragment I on InventoryItem { sku tracked sku }""".replace("%s", '", "'.join(ids))
    quick, slow = both(fixed_app, text)
    assert quick == slow


def test_a_field_s_selections_are_merged(fixed_app: App) -> None:
    text = """{ inventoryItem(id: "gid://shopify/InventoryItem/1400000001") { measurement { weight { unit } }
      measurement { id weight { value } } } }"""
    quick, slow = both(fixed_app, text)
    assert quick == slow
    assert quick["inventoryItem"]["measurement"]["weight"] == {"unit": "KILOGRAMS", "value": 0.0}


def test_every_field_of_the_subset_has_a_value(fixed_app: App) -> None:
    text = """{ shop { id name myshopifyDomain currencyCode enabledPresentmentCurrencies ianaTimezone timezoneAbbreviation
        taxesIncluded taxShipping weightUnit email url createdAt plan { publicDisplayName shopifyPlus partnerDevelopment }
        resourceLimits { locationLimit maxProductOptions maxProductVariants } }
      currentAppInstallation { id accessScopes { handle description } }
      inventoryProperties { quantityNames { name displayName isInUse belongsTo comprises } }
      publicApiVersions { handle displayName supported } locationsCount { count precision }
      locations(first: 1) { nodes { id legacyResourceId name isActive isFulfillmentService fulfillsOnlineOrders
        hasActiveInventory shipsInventory deactivatedAt createdAt updatedAt fulfillmentService { id }
        address { address1 address2 city country countryCode province provinceCode zip phone }
        inventoryLevel(inventoryItemId: "gid://shopify/InventoryItem/1400000001") { createdAt deactivationAlert } } }
      products(first: 1) { nodes { legacyResourceId vendor productType descriptionHtml createdAt publishedAt
        hasOnlyDefaultVariant isGiftCard tracksInventory
        variants(first: 1) { nodes { legacyResourceId barcode inventoryPolicy taxable availableForSale createdAt updatedAt
          selectedOptions { optionValue { id name } } inventoryItem { countryCodeOfOrigin provinceCodeOfOrigin
            harmonizedSystemCode createdAt updatedAt locationsCount { count } variant { id } } } } } } }"""
    quick, slow = both(fixed_app, text)
    assert quick == slow
