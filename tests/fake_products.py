"""Products of the store in memory (tests/fakes.py), made of its variants."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.ports.errors import ConnectorError, FeatureNotSupported, Gone, HandleTaken, RequestRejected
from connectors.ports.product_changes import (
    CLEAR,
    MetafieldChange,
    NewImage,
    NewProduct,
    NewVariant,
    PriceChange,
    ProductChange,
    ProductCreated,
    RemotePublication,
    VariantChange,
    Visibility,
)
from connectors.ports.products import (
    MAX_PRODUCTS,
    Metafield,
    Placement,
    ProductImage,
    ProductOption,
    ProductsRead,
    ProductVariant,
    RemoteProduct,
    RemoteVariant,
)
from connectors.ports.rows import RowProblem, RowProblemKind

BEGAN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
PUBLICATIONS = [
    RemotePublication("publication/1", "Online Store", is_automatic=False),
    RemotePublication("publication/2", "Point of Sale", is_automatic=False),
]
MARK = ("fake", "creation_key")
_BLANK: dict[str, Any] = {"product_handle": "", "product_title": "", "product_status": "draft", "product_tags": ()}


class FakeProducts:
    """The products half of `FakeStore`. `describe` sets what a product says beyond its variants; faults for the next
    write hit writes of products, too. Images are ready at once, unless their address ends in .txt."""

    now: dt.datetime
    _variants: dict[str, RemoteVariant]
    _product_facts: dict[str, dict[str, Any]]
    _faults: list[Any]

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
        return self._at(handle)

    # --- ProductChangesPort

    def create_product(self, draft: NewProduct, *, key: UUID) -> ProductCreated:
        """Made once for a key."""
        mark = Metafield(*MARK, "single_line_text_field", str(key))
        found = self._at(draft.handle)
        if found is not None and mark not in found.metafields:
            raise self._taken(found)
        with self._writing("create_product", len(draft.variants)):
            ref = found.ref if found else f"product/new-{len(self._product_facts) + 1}"
            facts = {
                "handle": _stored(draft.handle),
                "title": draft.title,
                "description_html": draft.description_html,
                "vendor": draft.vendor,
                "kind": draft.kind,
                "tags": draft.tags,
                "status": "draft",
            }
            if found is None:
                self._product_facts[ref] = {"metafields": (mark,), "created_at": self.now, **facts}
                names = draft.options or ("Title",)
                self._product_facts[ref]["options"] = tuple(ProductOption(f"option/{name}", name, ()) for name in names)
                for row in draft.variants:
                    self._make(ref, row)
                self.describe(ref, **facts)
        return ProductCreated(self.product(ref), ())

    def update_product(self, ref: str, change: ProductChange) -> None:
        """Fields and tags."""
        with self._writing("update_product"):
            tags = [tag for tag in self._there(ref).tags if tag not in change.remove_tags]
            chosen = {name: value for name, value in change.selected() if not name.endswith("_tags")}
            self.describe(ref, tags=tuple(dict.fromkeys([*tags, *change.add_tags])), **chosen)

    def rename_product(self, ref: str, *, handle: str, known_as: str) -> str:
        """By reference."""
        wanted = _stored(handle)
        with self._writing("rename_product"):
            product, holder = self._there(ref), self._at(wanted)
            if product.handle not in {wanted, known_as}:
                raise self._problem(RequestRejected, f"The product is called {product.handle} by now.")
            if holder is not None and holder.ref != ref:
                raise self._taken(holder)
            self.describe(ref, handle=wanted)
        return wanted

    def add_variants(self, product_ref: str, rows: Sequence[NewVariant]) -> tuple[RowProblem, ...]:
        """Beside those that are there."""
        problems = []
        with self._writing("add_variants", len(rows)):
            product = self._there(product_ref)
            there = {variant.option_values: variant.sku for variant in product.variants}
            for index, row in enumerate(rows):
                if len(row.option_values) != len(product.options):
                    problems.append(_row(index, RowProblemKind.OTHER))
                elif row.option_values not in there:
                    self._make(product_ref, row)
                elif there[row.option_values] != row.sku:
                    problems.append(_row(index, RowProblemKind.DUPLICATE_ROW))
        return tuple(problems)

    def update_variants(self, product_ref: str, rows: Sequence[VariantChange]) -> tuple[RowProblem, ...]:
        """Selected fields."""
        return self._change("update_variants", product_ref, rows)

    def write_prices(self, product_ref: str, rows: Sequence[PriceChange]) -> tuple[RowProblem, ...]:
        """Prices above zero."""
        return self._change("write_prices", product_ref, rows)

    def set_metafields(self, rows: Sequence[MetafieldChange]) -> tuple[RowProblem, ...]:
        """Of products; a number that is none is refused."""
        problems = []
        with self._writing("set_metafields", len(rows)):
            for index, row in enumerate(rows):
                if row.type == "number_integer" and not row.value.lstrip("-").isdecimal():
                    problems.append(_row(index, RowProblemKind.OTHER))
                    continue
                kept = [
                    own
                    for own in self._there(row.owner_ref).metafields
                    if (own.namespace, own.key) != (row.namespace, row.key)
                ]
                own = Metafield(row.namespace, row.key, row.type, row.value)
                self.describe(row.owner_ref, metafields=(*kept, own))
        return tuple(problems)

    def add_images(
        self, product_ref: str, images: Sequence[NewImage], *, known: Collection[str]
    ) -> tuple[ProductImage, ...]:
        """Behind those that are there."""
        with self._writing("add_images", len(images)):
            has = self._there(product_ref).images
            if all(one.ref in known for one in has):
                new = (_image(f"{product_ref}/image/{place}", one) for place, one in enumerate(images, len(has) + 1))
                self.describe(product_ref, images=(*has, *new))
            added = tuple(one for one in self._there(product_ref).images if one.ref not in known)
            if [one.alt for one in added] != [one.alt for one in images]:
                raise self._problem(RequestRejected, "The product has other images by now.")
        return added

    def wait_for_images(self, refs: Sequence[str], *, patience: float = 60.0) -> list[ProductImage]:
        """They are never waited for."""
        self._read("wait_for_images", rows=len(refs))
        everything = {one.ref: one for product_ref in self._product_facts for one in self._there(product_ref).images}
        return [everything[ref] for ref in refs if ref in everything]

    def publications(self) -> list[RemotePublication]:
        """Two."""
        self._read("publications")
        return list(PUBLICATIONS)

    def publish(self, product_ref: str, publication_refs: Sequence[str]) -> Visibility:
        """Where it is kept, and there."""
        with self._writing("publish", len(publication_refs)):
            kept = [
                one for one in self._there(product_ref).placements or () if one.publication_ref not in publication_refs
            ]
            new = [Placement(ref, is_published=True, since=self.now) for ref in publication_refs]
            self.describe(product_ref, placements=(*kept, *new))
        return self.visibility(product_ref)

    def visibility(self, product_ref: str) -> Visibility:
        """As it is now."""
        self._read("visibility")
        product = self._there(product_ref)
        return Visibility(product.status, product.placements or ())

    # --- inside

    @contextmanager
    def _writing(self, name: str, rows: int = 1) -> Iterator[None]:
        self._read(name, rows=rows)
        fault = self._faults.pop(0) if self._faults else None
        if fault is not None and not fault.applied:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error

    def _change(
        self, name: str, product_ref: str, rows: Sequence[VariantChange] | Sequence[PriceChange]
    ) -> tuple[RowProblem, ...]:
        problems, seen = [], set()
        with self._writing(name, len(rows)):
            product = self._there(product_ref)
            there = {variant.ref: variant for variant in product.variants}
            for index, row in enumerate(rows):
                chosen = dict(row.selected())
                if row.ref in seen:
                    problems.append(_row(index, RowProblemKind.DUPLICATE_ROW))
                elif _is_unfit(chosen):
                    problems.append(_row(index, RowProblemKind.OUT_OF_RANGE))
                elif row.ref not in there:
                    problems.append(_row(index, RowProblemKind.UNKNOWN_ITEM))
                else:
                    self._variants[there[row.ref].item_ref] = _changed(product, there[row.ref], chosen)
                seen.add(row.ref)
            self.describe(product_ref)
        return tuple(problems)

    def _make(self, product_ref: str, row: NewVariant) -> None:
        number = len(self._variants) + 1
        sibling = next(self._of_product(product_ref), None)
        shared = {name: getattr(sibling, name, blank) for name, blank in _BLANK.items()}
        plain = RemoteVariant(
            product_ref=product_ref,
            ref=f"variant/{number}",
            item_ref=f"item/{number}",
            sku=row.sku,
            barcode=row.barcode,
            option_values=row.option_values or ("Default Title",),
            price=Decimal("0.00"),
            tracked=row.tracked,
            **shared,
        )
        whole = self._detailed(plain, 0)
        self._variants[plain.item_ref] = dataclasses.replace(
            whole, weight=row.weight, taxable=row.taxable, requires_shipping=row.requires_shipping
        )

    def _there(self, product_ref: str) -> RemoteProduct:
        found = self._whole(product_ref)
        if found is None:
            raise self._problem(Gone, f"The store has no product {product_ref} any more.")
        return found

    def _at(self, handle: str) -> RemoteProduct | None:
        rows = self._variants.values()
        ref = next((row.product_ref for row in rows if row.product_handle == _stored(handle)), None)
        return self._whole(ref) if ref else None

    def _taken(self, holder: RemoteProduct) -> HandleTaken:
        return HandleTaken(
            service="Fake store",
            operation="call",
            cause=f"The handle {holder.handle} belongs to another product.",
            remedy="The test decides.",
            holder_ref=holder.ref,
        )

    def _of_product(self, product_ref: str) -> Iterator[RemoteVariant]:
        return (variant for variant in self._variants.values() if variant.product_ref == product_ref)

    def _whole(self, product_ref: str) -> RemoteProduct | None:
        rows = [self._detailed(variant, at) for at, variant in enumerate(self._of_product(product_ref), 1)]
        if not rows:
            return None
        first = rows[0]
        described = self._product_facts.get(product_ref, {})
        choices = [tuple(dict.fromkeys(values)) for values in zip(*(row.option_values for row in rows), strict=True)]
        simple = first.option_values == ("Default Title",)
        names = [option.name for option in described.get("options", ())]
        names = names or (["Title"] if simple else [f"Option {place}" for place in range(1, len(choices) + 1)])
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
            "images": (),
            "metafields": (),
            "placements": (),
        }
        options = tuple(
            ProductOption(f"option/{name}", name, values) for name, values in zip(names, choices, strict=True)
        )
        return RemoteProduct(**{**facts, **described, "options": options, "variants": tuple(rows)})

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


def _stored(handle: str) -> str:
    return "-".join("".join(sign if sign.isalnum() else " " for sign in handle.lower()).split())


def _image(ref: str, image: NewImage) -> ProductImage:
    if image.url.endswith(".txt"):
        return ProductImage(ref, "image", "failed", image.alt, "", "It is no image.")
    return ProductImage(ref, "image", "ready", image.alt, f"https://cdn.fake/{ref}")


def _changed(product: RemoteProduct, variant: ProductVariant, chosen: dict[str, Any]) -> ProductVariant:
    values = dict(zip((option.name for option in product.options), variant.option_values, strict=True))
    values |= dict(chosen.pop("options", ()))
    named = {name: None if value is CLEAR else value for name, value in chosen.items() if name != "ref"}
    return dataclasses.replace(variant, option_values=tuple(values.values()), **named)


def _is_unfit(chosen: dict[str, Any]) -> bool:
    price, compare_at, cost = (chosen.get(name) for name in ("price", "compare_at", "cost"))
    prices = [one for one in (price, compare_at) if isinstance(one, Decimal)]
    upside_down = len(prices) == 2 and prices[1] <= prices[0]
    return any(one <= 0 for one in prices) or upside_down or (isinstance(cost, Decimal) and cost < 0)


def _row(index: int, kind: RowProblemKind) -> RowProblem:
    return RowProblem(index, kind, "", f"The store refused the row: {kind}.", "Correct what the message names.")
