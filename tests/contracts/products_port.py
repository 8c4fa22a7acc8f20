"""What every implementation of the products port promises; part of the cases of the store port."""

from __future__ import annotations

import pytest

from connectors.ports.errors import FeatureNotSupported
from connectors.ports.products import MAX_PRODUCTS, RemoteProduct
from tests.contracts.shop_under_test import ShopUnderTest


def found(shop: ShopUnderTest, handle: str) -> RemoteProduct:
    product = shop.store.find_product(handle)
    assert product is not None
    return product


class ProductsPortContract:
    """Cases about products."""

    NO_PRODUCT = "gid://shopify/Product/999999999"

    def test_a_product_is_read_whole_by_its_reference(self, shop: ShopUnderTest) -> None:
        medium = shop.item(3, handle="coat", option_values=("M",), sku="COAT-M", barcode="594", tags=("Winter",))
        large = shop.item(2, handle="coat", option_values=("L",), tracked=False)
        listed = {variant.item_ref: variant for variant in shop.store.iter_variants()}

        (coat,) = shop.store.read_products([listed[medium].product_ref]).products

        assert (coat.ref, coat.handle, coat.status, coat.tags) == (
            listed[medium].product_ref,
            "coat",
            "active",
            ("Winter",),
        )
        assert [(one.item_ref, one.sku, one.option_values, one.tracked) for one in coat.variants] == [
            (medium, "COAT-M", ("M",), True),
            (large, "", ("L",), False),
        ]
        assert [option.values for option in coat.options] == [("M", "L")]
        assert all(one.ref == listed[one.item_ref].ref for one in coat.variants)

    def test_products_that_are_gone_are_named_beside_those_that_are_there(self, shop: ShopUnderTest) -> None:
        shop.item(handle="hat")
        shop.item(handle="scarf")
        hat, scarf = found(shop, "hat"), found(shop, "scarf")

        read = shop.store.read_products([scarf.ref, self.NO_PRODUCT, hat.ref, scarf.ref])

        assert [product.ref for product in read.products] == [scarf.ref, hat.ref]
        assert read.gone == (self.NO_PRODUCT,)
        assert read.read_at.tzinfo is not None

    def test_a_product_of_320_variants_is_read_to_its_end(self, shop: ShopUnderTest) -> None:
        many = [shop.item(handle="wide", option_values=(f"V{number}",)) for number in range(320)]

        assert [variant.item_ref for variant in found(shop, "wide").variants] == many

    def test_a_handle_nobody_has_finds_nothing(self, shop: ShopUnderTest) -> None:
        shop.item(handle="hat")

        assert shop.store.find_product("no-such-hat") is None

    @pytest.mark.parametrize("count", [0, MAX_PRODUCTS + 1])
    def test_a_read_of_no_or_too_many_products_is_refused_before_it_is_sent(
        self, count: int, shop: ShopUnderTest
    ) -> None:
        with pytest.raises(FeatureNotSupported):
            shop.store.read_products([self.NO_PRODUCT] * count)
