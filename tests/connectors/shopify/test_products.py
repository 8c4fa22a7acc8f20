"""Products through the adapter: what is asked and sent, and what each answer means."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx
from graphql import parse

from connectors.ports.errors import (
    ConnectorUnavailable,
    FeatureNotSupported,
    HandleTaken,
    OutcomeUnknown,
    RequestRejected,
)
from connectors.ports.product_changes import (
    KEEP,
    MetafieldChange,
    NewProduct,
    NewVariant,
    PriceChange,
    ProductChange,
    ProductStatus,
    VariantChange,
)
from connectors.ports.rows import RowProblemKind
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.contract import mutations_in, our_documents
from connectors.shopify.handles import stored_handle
from tests.connectors.shopify.product_answers import (
    PRODUCT,
    SHIRT,
    Script,
    connection,
    marked,
    overview,
    product,
    refusal,
    variant,
)

KEY = uuid.UUID("0f4f5b0e-2f3d-5a55-9b49-0a0c8a9a7f02")
WRITTEN = {"productVariantsBulkUpdate": {"productVariants": [], "userErrors": []}}
DRAFT = NewProduct(
    handle=SHIRT,
    title="Cămașă",
    options=("Size",),
    variants=tuple(NewVariant(option_values=(f"S{number}",), sku=f"SKU-{number}") for number in (1, 2, 3)),
)


def ref(number: int) -> str:
    return f"gid://shopify/ProductVariant/{number}"


def keys_of(value: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys_of(inner)}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


def nulls_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(nulls_in(inner) for inner in value.values())
    return any(nulls_in(inner) for inner in value) if isinstance(value, list) else value is None


# --- reading


def test_every_page_below_a_product_is_followed(store: ShopifyStore, api: respx.Route) -> None:
    medium = {"id": "gid://shopify/MediaImage/1", "mediaContentType": "IMAGE", "status": "UPLOADED", "alt": None}
    own = {"namespace": "a", "key": "b", "type": "boolean", "value": "true"}
    place = {"isPublished": True, "publishDate": None, "publication": {"id": "gid://shopify/Publication/1"}}
    first = product(
        more=True,
        count=2,
        media=connection(more=True),
        metafields=connection(more=True),
        resourcePublicationsV2=connection(more=True),
    )
    pages: dict[str, Any] = {
        "media": connection([{**medium, "mediaErrors": []}]),
        "metafields": connection([own]),
        "resourcePublicationsV2": connection([place]),
        "variants": connection([variant(2)]),
    }
    script = Script(
        api, ProductsByIds={"nodes": [first]}, ProductPages=[{"product": {name: page}} for name, page in pages.items()]
    )

    (read,) = store.read_products([PRODUCT]).products

    assert [one.ref for one in read.variants] == [ref(1), ref(2)]
    assert [one.ref for one in read.images] == ["gid://shopify/MediaImage/1"]
    assert [one.key for one in read.metafields] == ["b"]
    assert read.placements is not None
    assert [one.publication_ref for one in read.placements] == ["gid://shopify/Publication/1"]
    assert [[name for name in pages if asked[name]] for asked in script.of("ProductPages")] == [
        [name] for name in pages
    ]


def test_a_product_whose_variants_change_while_they_are_followed_is_read_again(
    store: ShopifyStore, api: respx.Route
) -> None:
    torn = product(variant(1), more=True, count=3)
    script = Script(
        api,
        ProductsByIds=[{"nodes": [torn]}, {"nodes": [product(variant(1), variant(2))]}],
        ProductPages={"product": {"variants": connection([variant(1)])}},
    )

    (read,) = store.read_products([PRODUCT]).products

    assert [one.ref for one in read.variants] == [ref(1), ref(2)]
    assert len(script.of("ProductsByIds")) == 2


def test_a_product_that_never_rests_is_left_for_later(store: ShopifyStore, api: respx.Route) -> None:
    torn = product(variant(1), more=True, count=3)
    Script(api, ProductsByIds={"nodes": [torn]}, ProductPages={"product": {"variants": connection([variant(1)])}})

    with pytest.raises(ConnectorUnavailable, match="3 times"):
        store.read_products([PRODUCT])


def test_without_the_scope_it_is_not_asked_where_a_product_is_published(store: ShopifyStore, api: respx.Route) -> None:
    shown = product()
    del shown["resourcePublicationsV2"]
    script = Script(api, Overview=overview("read_products"), ProductByHandle={"productByIdentifier": shown})

    found = store.find_product(SHIRT)

    assert found is not None
    assert found.placements is None
    assert script.of("ProductByHandle") == [{"handle": SHIRT, "publications": False}]


# --- what is sent


@pytest.mark.parametrize("kind", [ProductChange, VariantChange, PriceChange])
def test_none_is_no_value_of_a_change(kind: Any) -> None:
    given = {"ref": ref(1)} if kind is not ProductChange else {}
    for field in (name for name, mark in kind.__dataclass_fields__.items() if mark.default is KEEP):
        with pytest.raises(ValueError, match="KEEP"):
            kind(**given, **{field: None})


def test_only_what_is_selected_is_sent_and_never_null(store: ShopifyStore, api: respx.Route) -> None:
    script = Script(
        api,
        ProductUpdate={"productUpdate": {"product": {"id": PRODUCT, "handle": SHIRT}, "userErrors": []}},
        VariantsUpdate=WRITTEN,
    )

    store.update_product(PRODUCT, ProductChange(status=ProductStatus.ARCHIVED, vendor=""))
    store.update_product(PRODUCT, ProductChange())
    store.update_variants(PRODUCT, [VariantChange(ref=ref(1), tracked=False), VariantChange(ref=ref(2))])

    assert script.of("ProductUpdate") == [{"product": {"id": PRODUCT, "status": "ARCHIVED", "vendor": ""}}]
    assert script.of("VariantsUpdate") == [
        {"productId": PRODUCT, "variants": [{"id": ref(1), "inventoryItem": {"tracked": False}}]}
    ]
    assert not any(nulls_in(variables) for name, variables in script.asked if name != "Overview")


def test_a_create_carries_neither_price_nor_stock_nor_a_list_that_replaces(
    store: ShopifyStore, api: respx.Route
) -> None:
    begun = product(variant(1, sku=None), metafields=marked(KEY))
    script = Script(
        api,
        ProductByHandle={"productByIdentifier": None},
        ProductCreate={"productCreate": {"product": {"id": PRODUCT, "handle": SHIRT}, "userErrors": []}},
        ProductsByIds={"nodes": [begun]},
        VariantsUpdate=WRITTEN,
        VariantsCreate={"productVariantsBulkCreate": {"productVariants": [], "userErrors": []}},
    )

    store.create_product(DRAFT, key=KEY)

    (made,), (more,) = script.of("ProductCreate"), script.of("VariantsCreate")
    assert made["product"]["status"] == "DRAFT"
    assert made["product"]["productOptions"] == [{"name": "Size", "position": 1, "values": [{"name": "S1"}]}]
    assert [row["optionValues"][0]["name"] for row in more["variants"]] == ["S2", "S3"]
    sent = {key for name, variables in script.asked for key in keys_of(variables)}
    assert not sent & {"price", "compareAtPrice", "cost", "inventoryQuantities", "quantityAdjustments"}


def test_prices_travel_in_one_document_and_nothing_we_send_deletes_or_replaces() -> None:
    texts = our_documents()
    asked = {field for text in texts.values() for field in mutations_in(parse(text))}

    assert {"productUpdate", "productVariantsBulkUpdate", "productCreate"} <= asked
    assert not {field for field in asked if field == "productSet" or ("product" in field and "Delete" in field)}
    assert "REMOVE_STANDALONE" not in texts["variants_create"]


def test_a_price_of_zero_is_not_even_sent(store: ShopifyStore, api: respx.Route) -> None:
    script = Script(api)
    rows = [
        PriceChange(ref=ref(1), price=Decimal("0.00")),
        PriceChange(ref=ref(2), price=Decimal("-1")),
        PriceChange(ref=ref(3), price=Decimal("10"), compare_at=Decimal("9.99")),
        PriceChange(ref=ref(4), compare_at=Decimal("0")),
        PriceChange(ref=ref(5), cost=Decimal("-0.01")),
        PriceChange(ref=ref(6), price=Decimal("NaN")),
    ]

    problems = store.write_prices(PRODUCT, rows)

    assert [(one.index, one.kind) for one in problems] == [(place, RowProblemKind.OUT_OF_RANGE) for place in range(6)]
    assert script.of("VariantPrices") == []


# --- what the answers mean


def test_rows_that_were_not_written_with_a_bad_one_go_again_without_it(store: ShopifyStore, api: respx.Route) -> None:
    bad = (["variants", "1", "optionValues"], "VARIANT_ALREADY_EXISTS", "The variant already exists.")
    script = Script(
        api,
        ProductsByIds={"nodes": [product()]},
        VariantsCreate=[
            refusal("productVariantsBulkCreate", bad, productVariants=None),
            {"productVariantsBulkCreate": {"productVariants": [{"id": ref(9)}], "userErrors": []}},
        ],
    )

    problems = store.add_variants(PRODUCT, [NewVariant(option_values=(value,)) for value in ("A", "B", "C")])

    assert [(one.index, one.kind) for one in problems] == [(1, RowProblemKind.DUPLICATE_ROW)]
    again = script.of("VariantsCreate")[1]["variants"]
    assert [row["optionValues"][0]["name"] for row in again] == ["A", "C"]


def test_rows_that_were_written_beside_a_bad_one_are_not_sent_again(store: ShopifyStore, api: respx.Route) -> None:
    bad = (["variants", "0", "id"], "PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist.")
    script = Script(
        api, VariantsUpdate=refusal("productVariantsBulkUpdate", bad, productVariants=[{"id": ref(2)}, {"id": ref(3)}])
    )

    problems = store.update_variants(PRODUCT, [VariantChange(ref=ref(number), sku="X") for number in (1, 2, 3)])

    assert [(one.index, one.kind) for one in problems] == [(0, RowProblemKind.UNKNOWN_ITEM)]
    assert len(script.of("VariantsUpdate")) == 1


def test_a_refusal_that_names_no_row_is_of_the_whole_write(store: ShopifyStore, api: respx.Route) -> None:
    said = (["productId"], "PRODUCT_SUSPENDED", "Product is suspended.")
    Script(api, VariantsUpdate=refusal("productVariantsBulkUpdate", said), ProductsByIds={"nodes": [product()]})

    with pytest.raises(RequestRejected, match="suspended") as refused:
        store.update_variants(PRODUCT, [VariantChange(ref=ref(1), sku="X")])

    assert refused.value.remedy


def test_a_handle_that_was_taken_in_the_same_moment_by_our_own_first_try_is_ours(
    store: ShopifyStore, api: respx.Route
) -> None:
    ours = product(*(variant(number) for number in (1, 2, 3)), metafields=marked(KEY))
    script = Script(
        api,
        ProductByHandle=[{"productByIdentifier": None}, {"productByIdentifier": ours}],
        ProductCreate={"productCreate": {"product": None, "userErrors": [{"field": ["handle"], "message": "taken"}]}},
        ProductsByIds={"nodes": [ours]},
    )

    created = store.create_product(DRAFT, key=KEY)

    assert created.product.ref == PRODUCT
    assert [name for name, _ in script.asked if name.startswith("Variants")] == []


def test_a_handle_that_was_taken_in_the_same_moment_by_somebody_else_stays_theirs(
    store: ShopifyStore, api: respx.Route
) -> None:
    theirs = product(metafields=marked(uuid.uuid4()))
    Script(
        api,
        ProductByHandle=[{"productByIdentifier": None}, {"productByIdentifier": theirs}],
        ProductCreate={"productCreate": {"product": None, "userErrors": [{"field": ["handle"], "message": "taken"}]}},
    )

    with pytest.raises(HandleTaken) as taken:
        store.create_product(DRAFT, key=KEY)

    assert taken.value.holder_ref == PRODUCT


def test_a_lost_answer_says_that_a_repeat_is_safe(store: ShopifyStore, api: respx.Route) -> None:
    Script(api, ProductUpdate=httpx.Response(502))

    with pytest.raises(OutcomeUnknown) as unknown:
        store.update_product(PRODUCT, ProductChange(title="X"))

    assert "key" not in unknown.value.remedy
    assert "again" in unknown.value.remedy


@pytest.mark.parametrize(
    ("lacking", "call"),
    [
        ("write_products", lambda store: store.update_product(PRODUCT, ProductChange(title="X"))),
        ("write_products", lambda store: store.set_metafields([MetafieldChange(PRODUCT, "a", "b", "boolean", "true")])),
        ("write_publications", lambda store: store.publish(PRODUCT, ["gid://shopify/Publication/1"])),
        ("read_publications", lambda store: store.publications()),
    ],
)
def test_a_missing_scope_is_said_before_anything_is_sent(
    lacking: str, call: Any, store: ShopifyStore, api: respx.Route
) -> None:
    script = Script(api, Overview=overview("read_products", "read_orders"))

    with pytest.raises(FeatureNotSupported, match=lacking):
        call(store)

    assert {name for name, _ in script.asked} == {"Overview"}


def test_a_scope_that_is_granted_later_counts_at_once(store: ShopifyStore, api: respx.Route) -> None:
    Script(
        api,
        Overview=[overview("read_products"), overview("read_products"), overview("write_products")],
        ProductUpdate={"productUpdate": {"product": None, "userErrors": []}},
    )
    with pytest.raises(FeatureNotSupported):
        store.update_product(PRODUCT, ProductChange(title="X"))

    store.update_product(PRODUCT, ProductChange(title="X"))


# --- what cannot be a product


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"title": " "}, "title"),
        ({"variants": ()}, "1 to 2,048"),
        ({"options": ("A", "B", "C", "D")}, "up to 3 options"),
        ({"options": ()}, "1 option values"),
        ({"variants": (NewVariant(option_values=("M",)), NewVariant(option_values=(" M ",)))}, "same option values"),
        ({"handle": "—!—"}, "neither a letter"),
        ({"handle": "x" * 256}, "256 characters"),
    ],
)
def test_what_cannot_be_a_product_is_refused_before_anything_is_made(
    wrong: dict[str, Any], cause: str, store: ShopifyStore, api: respx.Route
) -> None:
    script = Script(api, ProductByHandle={"productByIdentifier": None})
    given = {"handle": SHIRT, "title": "X", "options": ("Size",), "variants": DRAFT.variants}

    with pytest.raises(FeatureNotSupported, match=cause):
        store.create_product(NewProduct(**{**given, **wrong}), key=KEY)

    assert script.of("ProductCreate") == []


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Blue Shirt", "blue-shirt"),
        ("  Căciulă – Țurcană!! ", "căciulă-țurcană"),
        ("蓝色 衬衫", "蓝色-衬衫"),
        ("a__b//c", "a-b-c"),
        ("x-1", "x-1"),
        ("e\N{COMBINING ACUTE ACCENT}te", "e\N{COMBINING ACUTE ACCENT}te"),
    ],
)
def test_a_handle_is_written_as_shopify_writes_it(typed: str, stored: str) -> None:
    assert stored_handle(typed) == stored
    assert stored_handle(stored) == stored
