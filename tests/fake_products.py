"""Products of the store in memory (tests/fakes.py), made of its variants."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from connectors.ports.errors import ConnectorError, FeatureNotSupported
from connectors.ports.products import (
    MAX_PRODUCTS,
    ProductOption,
    ProductsRead,
    ProductVariant,
    RemoteProduct,
    RemoteVariant,
)

BEGAN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


class FakeProducts:
    """The products half of `FakeStore`. `describe` sets what a product says beyond its variants."""

    now: dt.datetime
    _variants: dict[str, RemoteVariant]
    _product_facts: dict[str, dict[str, Any]]

    # --- setting the scene

    def describe(self, product_ref: str, **facts: Any) -> None:
        """Fields of `RemoteProduct` from now on; handle, title, status and tags reach its variants, too."""
        shared = {f"product_{name}": facts[name] for name in ("handle", "title", "status", "tags") if name in facts}
        for variant in list(self._of_product(product_ref)):
            self._variants[variant.item_ref] = dataclasses.replace(variant, **shared)
        self._product_facts.setdefault(product_ref, {}).update({"updated_at": self.now, **facts})

    def product(self, product_ref: str) -> RemoteProduct:
        """The product as it is now."""
        found = self._whole(product_ref)
        assert found is not None, f"{product_ref} has no variants"
        return found

    # --- ProductsPort

    def read_products(self, refs: Sequence[str]) -> ProductsRead:
        """Whole products by reference."""
        if not 1 <= len(refs) <= MAX_PRODUCTS:
            raise self._problem(FeatureNotSupported, f"A read names 1 to {MAX_PRODUCTS} products, not {len(refs)}.")
        self._read("read_products", rows=len(refs))
        found = {ref: self._whole(ref) for ref in refs}
        products = tuple(product for product in found.values() if product is not None)
        gone = tuple(ref for ref, product in found.items() if product is None)
        return ProductsRead(products, gone, self.now.replace(microsecond=0))

    def find_product(self, handle: str) -> RemoteProduct | None:
        """The product with this handle."""
        self._read("find_product")
        wanted = "-".join(handle.lower().split())
        ref = next((row.product_ref for row in self._variants.values() if row.product_handle == wanted), None)
        return self._whole(ref) if ref else None

    # --- inside

    def _of_product(self, product_ref: str) -> Iterator[RemoteVariant]:
        return (variant for variant in self._variants.values() if variant.product_ref == product_ref)

    def _whole(self, product_ref: str) -> RemoteProduct | None:
        rows = [self._detailed(variant, at) for at, variant in enumerate(self._of_product(product_ref), 1)]
        if not rows:
            return None
        first = rows[0]
        choices = zip(*(row.option_values for row in rows), strict=True)
        simple = first.option_values == ("Default Title",)
        facts: dict[str, Any] = {
            "ref": product_ref,
            "handle": first.product_handle,
            "title": first.product_title,
            "description_html": "",
            "vendor": "",
            "kind": "",
            "status": first.product_status,
            "tags": first.product_tags,
            "is_gift_card": False,
            "created_at": BEGAN,
            "updated_at": BEGAN,
            "options": tuple(
                ProductOption(f"option/{at}", "Title" if simple else f"Option {at}", tuple(dict.fromkeys(values)))
                for at, values in enumerate(choices, 1)
            ),
            "images": (),
            "metafields": (),
            "placements": (),
        }
        return RemoteProduct(**{**facts, **self._product_facts.get(product_ref, {}), "variants": tuple(rows)})

    def _detailed(self, variant: RemoteVariant, position: int) -> ProductVariant:
        if isinstance(variant, ProductVariant):
            return dataclasses.replace(variant, position=position)
        plain = {part.name: getattr(variant, part.name) for part in dataclasses.fields(RemoteVariant)}
        return ProductVariant(
            **plain,
            position=position,
            compare_at=None,
            cost=None,
            weight=None,
            taxable=True,
            requires_shipping=True,
            updated_at=BEGAN,
        )

    def _read(self, name: str, *, rows: int = 0) -> None:
        raise NotImplementedError

    def _problem(self, kind: type[ConnectorError], cause: str) -> ConnectorError:
        raise NotImplementedError
