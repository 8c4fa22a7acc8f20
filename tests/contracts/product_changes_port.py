"""What every implementation of the port promises about writing products; part of the cases of the store port."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from connectors.ports.errors import Gone, HandleTaken, RequestRejected
from connectors.ports.product_changes import (
    CLEAR,
    MetafieldChange,
    NewProduct,
    NewVariant,
    PriceChange,
    ProductChange,
    ProductStatus,
    VariantChange,
)
from connectors.ports.products import RemoteProduct, Weight
from connectors.ports.rows import RowProblemKind
from tests.contracts.products_port import ProductsPortContract
from tests.contracts.shop_under_test import ShopUnderTest

HANDLE = "șapcă-42"


def coat(handle: str, *sizes: str, **parts: Any) -> NewProduct:
    """A product of one option with a variant for each size."""
    heavy = Weight(Decimal("1.5"), "kilograms")
    variants = tuple(
        NewVariant(option_values=(size,), sku=f"{handle}-{size}", barcode=f"594{place:04}", weight=heavy)
        for place, size in enumerate(sizes or ("S", "M", "L"))
    )
    return NewProduct(handle=handle, title="Palton", options=("Mărime",), variants=variants, **parts)


def made(shop: ShopUnderTest, draft: NewProduct) -> RemoteProduct:
    created = shop.store.create_product(draft, key=uuid.uuid4())
    assert created.problems == ()
    return created.product


def read(shop: ShopUnderTest, ref: str) -> RemoteProduct:
    (product,) = shop.store.read_products([ref]).products
    return product


class ProductChangesContract(ProductsPortContract):
    """Cases about writing products."""

    def test_a_create_that_is_repeated_finds_what_it_made(self, shop: ShopUnderTest) -> None:
        key = uuid.uuid4()

        first = shop.store.create_product(coat(HANDLE), key=key)
        again = shop.store.create_product(coat(HANDLE), key=key)

        assert again.product.ref == first.product.ref
        assert again.product.variants == first.product.variants

    def test_a_product_is_renamed_by_its_reference_and_by_nothing_else(self, shop: ShopUnderTest) -> None:
        product, other = made(shop, coat(HANDLE)), made(shop, coat("palton"))

        renamed = shop.store.rename_product(product.ref, handle="Șapcă Nouă!", known_as=HANDLE)
        again = shop.store.rename_product(product.ref, handle="Șapcă Nouă!", known_as=HANDLE)
        with pytest.raises(HandleTaken) as taken:
            shop.store.rename_product(product.ref, handle=other.handle, known_as=renamed)
        with pytest.raises(RequestRejected, match="by now"):
            shop.store.rename_product(product.ref, handle="altfel", known_as=HANDLE)

        assert renamed == again == read(shop, product.ref).handle == "șapcă-nouă"
        assert shop.store.find_product(HANDLE) is None
        assert taken.value.holder_ref == other.ref

    def test_a_product_that_is_gone_is_told_gone_by_every_write(self, shop: ShopUnderTest) -> None:
        ref = self.NO_PRODUCT
        (place, *_), variant = shop.store.publications(), "gid://shopify/ProductVariant/999999999"

        for write in (
            lambda: shop.store.update_product(ref, ProductChange(title="X")),
            lambda: shop.store.update_product(ref, ProductChange(add_tags=("x",))),
            lambda: shop.store.rename_product(ref, handle="any", known_as=HANDLE),
            lambda: shop.store.add_variants(ref, [NewVariant()]),
            lambda: shop.store.update_variants(ref, [VariantChange(ref=variant, sku="X")]),
            lambda: shop.store.write_prices(ref, [PriceChange(ref=variant, price=Decimal("1"))]),
            lambda: shop.store.publish(ref, [place.ref]),
            lambda: shop.store.visibility(ref),
        ):
            with pytest.raises(Gone):
                write()

    def test_a_product_comes_into_being_whole_as_a_draft_that_nobody_sees(self, shop: ShopUnderTest) -> None:
        draft = coat(HANDLE, description_html="<p>Lână</p>", vendor="Rădăuți", kind="Paltoane", tags=("iarnă", "nou"))

        product = made(shop, draft)

        assert (product.handle, product.title, product.status) == (HANDLE, "Palton", "draft")
        assert (product.description_html, product.vendor, product.kind) == ("<p>Lână</p>", "Rădăuți", "Paltoane")
        assert set(product.tags) == {"iarnă", "nou"}
        assert product.placements == ()
        assert [(one.option_values, one.sku, one.barcode, one.tracked) for one in product.variants] == [
            (row.option_values, row.sku, row.barcode, True) for row in draft.variants
        ]
        assert {one.weight for one in product.variants} == {Weight(Decimal("1.5"), "kilograms")}
        assert [(option.name, option.values) for option in product.options] == [("Mărime", ("S", "M", "L"))]

    def test_a_product_without_options_has_the_one_variant_it_came_with(self, shop: ShopUnderTest) -> None:
        product = made(shop, NewProduct(handle=HANDLE, title="Sac", variants=(NewVariant(sku="SAC-1", tracked=False),)))

        assert [(one.sku, one.option_values, one.tracked) for one in product.variants] == [
            ("SAC-1", ("Default Title",), False)
        ]

    def test_a_handle_of_somebody_elses_product_is_not_taken_over(self, shop: ShopUnderTest) -> None:
        theirs = made(shop, coat(HANDLE))

        with pytest.raises(HandleTaken) as taken:
            shop.store.create_product(coat(HANDLE.upper(), "XS"), key=uuid.uuid4())

        assert taken.value.holder_ref == theirs.ref
        assert read(shop, theirs.ref).variants == theirs.variants

    def test_an_odd_handle_is_stored_as_the_shop_writes_it_and_found_under_both(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(f"  {HANDLE.upper()} -- ÎN {{ROȘU}}! "))

        assert product.handle == f"{HANDLE}-în-roșu"
        for spelled in (product.handle, f"{HANDLE} În roșu"):
            found = shop.store.find_product(spelled)
            assert found is not None
            assert found.ref == product.ref

    def test_what_is_not_selected_stays_whatever_it_is(self, shop: ShopUnderTest) -> None:
        before = made(shop, coat(HANDLE, description_html="<p>Lână</p>", vendor="Rădăuți", tags=("iarnă",)))
        shop.store.set_metafields(
            [MetafieldChange(before.ref, "other_app", "season", "single_line_text_field", "winter")]
        )
        shop.store.publish(before.ref, [one.ref for one in shop.store.publications()])
        before = read(shop, before.ref)

        shop.store.update_product(before.ref, ProductChange(title="Palton de iarnă"))
        after = read(shop, before.ref)

        assert after.title == "Palton de iarnă"
        kept = ("handle", "description_html", "vendor", "kind", "status", "tags", "options", "metafields", "placements")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
        assert [(one.ref, one.item_ref, one.sku, one.barcode, one.price) for one in after.variants] == [
            (one.ref, one.item_ref, one.sku, one.barcode, one.price) for one in before.variants
        ]

    def test_tags_of_others_stay_when_ours_are_added_and_removed(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE, tags=("veche", "a altei aplicații")))

        shop.store.update_product(product.ref, ProductChange(add_tags=("nouă",), remove_tags=("veche", "never there")))

        assert set(read(shop, product.ref).tags) == {"a altei aplicații", "nouă"}

    def test_a_renamed_option_value_keeps_the_variant_its_item_and_its_stock(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE))
        medium = product.variants[1]

        problems = shop.store.update_variants(
            product.ref, [VariantChange(ref=medium.ref, options=(("Mărime", "Medie"),))]
        )

        assert problems == ()
        after = read(shop, product.ref).variants
        assert [(one.ref, one.item_ref) for one in after] == [(one.ref, one.item_ref) for one in product.variants]
        assert after[1].option_values == ("Medie",)

    def test_variants_are_added_beside_those_that_are_there(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE))
        more = [
            NewVariant(option_values=("XL",), sku=f"{HANDLE}-XL"),
            NewVariant(option_values=("M",), sku=f"{HANDLE}-M"),
            NewVariant(option_values=("S",), sku="ANOTHER"),
            NewVariant(option_values=("XXL", "Red")),
        ]

        problems = shop.store.add_variants(product.ref, more)

        assert [(one.index, one.kind) for one in problems] == [
            (2, RowProblemKind.DUPLICATE_ROW),
            (3, RowProblemKind.OTHER),
        ]
        after = read(shop, product.ref).variants
        assert [one.option_values[0] for one in after] == ["S", "M", "L", "XL"]
        assert after[0].sku == f"{HANDLE}-S"

    def test_in_a_bulk_of_variants_a_bad_row_is_named_and_the_others_are_written(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE, *[f"N{number}" for number in range(300)]))
        rows = [
            VariantChange(ref=one.ref, barcode=f"B{place}", tracked=False) for place, one in enumerate(product.variants)
        ]
        rows[260] = VariantChange(ref="gid://shopify/ProductVariant/999999999", barcode="X")

        problems = shop.store.update_variants(product.ref, [*rows, rows[3]])

        assert [(one.index, one.kind) for one in problems] == [
            (260, RowProblemKind.UNKNOWN_ITEM),
            (300, RowProblemKind.DUPLICATE_ROW),
        ]
        assert all(one.cause and one.remedy for one in problems)
        after = read(shop, product.ref).variants
        assert [one.barcode for one in after if one.barcode[:1] == "B"] == [f"B{n}" for n in range(300) if n != 260]
        assert [one.tracked for one in after].count(True) == 1

    def test_prices_are_written_by_their_own_door_and_zero_is_refused(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE))
        small, medium, large = (one.ref for one in product.variants)
        first = [
            PriceChange(ref=small, price=Decimal("19.90"), compare_at=Decimal("24.90"), cost=Decimal("8.10")),
            PriceChange(ref=medium, price=Decimal("0")),
            PriceChange(ref=large, price=Decimal("20"), compare_at=Decimal("20")),
        ]

        problems = shop.store.write_prices(product.ref, first)

        assert [(one.index, one.kind) for one in problems] == [
            (1, RowProblemKind.OUT_OF_RANGE),
            (2, RowProblemKind.OUT_OF_RANGE),
        ]
        priced = read(shop, product.ref).variants
        assert [(one.price, one.compare_at, one.cost) for one in priced] == [
            (Decimal("19.90"), Decimal("24.90"), Decimal("8.10")),
            (Decimal("0.00"), None, None),
            (Decimal("0.00"), None, None),
        ]

        assert shop.store.write_prices(product.ref, [PriceChange(ref=small, compare_at=CLEAR)]) == ()
        assert [(one.price, one.compare_at) for one in read(shop, product.ref).variants[:1]] == [
            (Decimal("19.90"), None)
        ]

    def test_writes_of_products_never_touch_prices(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE))
        refs = [one.ref for one in product.variants]
        shop.store.write_prices(product.ref, [PriceChange(ref=ref, price=Decimal("10")) for ref in refs])

        shop.store.update_product(product.ref, ProductChange(title="Altfel", status=ProductStatus.ACTIVE))
        shop.store.update_variants(
            product.ref, [VariantChange(ref=ref, sku=f"X-{ref[-4:]}", tracked=False) for ref in refs]
        )
        shop.store.add_variants(product.ref, [NewVariant(option_values=("XL",))])

        assert [one.price for one in read(shop, product.ref).variants[:3]] == [Decimal("10.00")] * 3

    def test_active_is_not_seen_and_published_is_not_seen_before_it_is_active(self, shop: ShopUnderTest) -> None:
        product = made(shop, coat(HANDLE))
        online, tills, *_ = shop.store.publications()
        shop.store.update_product(product.ref, ProductChange(status=ProductStatus.ACTIVE))
        assert not shop.store.visibility(product.ref).is_visible_on(online.ref)

        seen = shop.store.publish(product.ref, [online.ref])
        assert seen.is_visible_on(online.ref)
        assert not seen.is_visible_on(tills.ref)

        seen = shop.store.publish(product.ref, [tills.ref])
        assert seen.is_visible_on(online.ref)
        shop.store.update_product(product.ref, ProductChange(status=ProductStatus.DRAFT))
        assert not shop.store.visibility(product.ref).is_visible_on(online.ref)
        assert {one.name for one in shop.store.publications()} >= {"Online Store", "Point of Sale"}

    def test_a_refused_metafield_is_named_and_the_others_are_set_without_touching_strange_ones(
        self, shop: ShopUnderTest
    ) -> None:
        product = made(shop, coat(HANDLE))
        text = "single_line_text_field"
        rows = [
            MetafieldChange(product.ref, "sync_console", f"field_{number}", text, f"{number}") for number in range(30)
        ]
        rows[7] = MetafieldChange(product.ref, "sync_console", "count", "number_integer", "many")

        problems = shop.store.set_metafields(rows)

        assert [one.index for one in problems] == [7]
        kept = {own.key: own.value for own in read(shop, product.ref).metafields if own.namespace == "sync_console"}
        assert {f"field_{number}" for number in range(30) if number != 7} <= set(kept)
