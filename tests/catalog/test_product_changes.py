"""Following single products: whatever changed in a store, its links become what a listing of the whole would make them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import linking, product_changes
from catalog.linking import link
from catalog.models import ConflictKind, LinkConflict, ListedVariant, Listing
from catalog.product_changes import follow
from connectors.models import Store
from connectors.ports.errors import RequestRejected
from connectors.ports.products import ProductsRead, ProductVariant, RemoteProduct, RemoteVariant
from tests.catalog.test_linking import Shop as Listed
from tests.catalog.test_linking import conflicts, linked
from tests.catalog.test_linking_any import CODES, OURS, add_ours
from tests.factories.catalog import VariantFactory
from tests.factories.connectors import StoreFactory
from tests.factories.orders import NOON, blank

pytestmark = pytest.mark.django_db


@dataclass
class Shop(Listed):
    """A shop that lists all it has, and shows single products."""

    asked: list[list[str]] = field(default_factory=list)

    def read_products(self, refs: Sequence[str]) -> ProductsRead:
        self.asked.append(list(refs))
        found = [self.product(ref) for ref in refs]
        gone = [ref for ref, product in zip(refs, found, strict=True) if product is None]
        return ProductsRead(tuple(filter(None, found)), tuple(gone), NOON)

    def product(self, ref: str) -> RemoteProduct | None:
        variants = [variant for variant in self.variants if variant.product_ref == ref]
        whole = [blank(ProductVariant, **dataclasses.asdict(variant)) for variant in variants]
        return blank(RemoteProduct, ref=ref, variants=tuple(whole)) if whole else None

    def remove(self, variant: RemoteVariant) -> None:
        self.variants.remove(variant)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    for module in (linking, product_changes):
        monkeypatch.setattr(module, "store_for", lambda store: shop)
    return shop


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def test_a_renamed_product_is_followed_by_its_id(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    there = shop.add("A", handle="tricou")
    link(store)
    shop.change(there, product_handle="tricou-negru")

    follow(store, [there.product_ref])

    assert Listing.objects.get().handle == "tricou-negru"
    assert linked(store) == {"A": there.ref}


def test_a_deleted_product_is_gone_and_others_stay(shop: Shop, store: Store) -> None:
    for sku in "AB":
        VariantFactory(item_number=sku, sku=sku)
    lost, kept = shop.add("A"), shop.add("B")
    link(store)
    shop.remove(lost)

    assert follow(store, [lost.product_ref]).changed == 1

    assert linked(store) == {"B": kept.ref}
    assert shop.asked == [[lost.product_ref]]


def test_a_deleted_variant_is_gone_and_its_product_stays(shop: Shop, store: Store) -> None:
    for sku in "AB":
        VariantFactory(item_number=sku, sku=sku)
    lost, kept = shop.add("A", handle="tricou"), shop.add("B", handle="tricou")
    link(store)
    shop.remove(lost)

    follow(store, [lost.product_ref])

    assert linked(store) == {"B": kept.ref}


def test_a_new_product_is_bound_by_the_rules_of_a_listing(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    VariantFactory(item_number="B", sku="B")
    shop.add("A")
    link(store)
    new, unknown = shop.add("B"), shop.add("X")

    assert follow(store, [new.product_ref, unknown.product_ref]).not_bound == 1

    assert linked(store)["B"] == new.ref
    assert conflicts(store) == {unknown.ref: ConflictKind.ONLY_THERE}


def test_a_copy_of_a_linked_variant_becomes_the_conflict_a_listing_makes_of_it(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    first = shop.add("A")
    link(store)
    copy = shop.add("A")

    follow(store, [copy.product_ref])

    assert linked(store) == {"A": first.ref}
    assert conflicts(store) == {copy.ref: ConflictKind.DUPLICATE_SKU_THERE}
    link(store)
    assert conflicts(store) == {copy.ref: ConflictKind.DUPLICATE_SKU_THERE}


def test_deleting_one_of_two_copies_binds_the_other(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    kept, lost = shop.add("A"), shop.add("A")
    link(store)
    assert linked(store) == {}
    shop.remove(lost)

    follow(store, [lost.product_ref])

    assert linked(store) == {"A": kept.ref}
    assert conflicts(store) == {}


def test_an_sku_that_changed_in_the_store_is_remembered_for_later_copies(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    VariantFactory(item_number="B", sku="B")
    there = shop.add("A")
    link(store)
    shop.change(there, sku="B")
    follow(store, [there.product_ref])
    copy = shop.add("B")

    follow(store, [copy.product_ref])

    assert linked(store) == {"A": there.ref}
    assert conflicts(store) == {copy.ref: ConflictKind.DUPLICATE_SKU_THERE}


def test_doing_it_again_changes_nothing(shop: Shop, store: Store) -> None:
    VariantFactory(sku="A")
    shop.add("A")
    new = shop.add("A")
    link(store)
    before = list(ListedVariant.objects.values()), list(LinkConflict.objects.values())

    assert follow(store, [new.product_ref, new.product_ref]).changed == 0

    assert (list(ListedVariant.objects.values()), list(LinkConflict.objects.values())) == before


def test_one_code_on_very_many_products_is_left_to_a_person(
    shop: Shop, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product_changes, "MOST_TIED", 3)
    for _ in range(4):
        shop.add("0")
    link(store)
    with pytest.raises(RequestRejected, match="5 products"):
        follow(store, [shop.add("0").product_ref])


def test_what_an_earlier_release_linked_has_to_be_linked_once_more(shop: Shop, store: Store) -> None:
    shop.add("A")
    link(store)
    LinkConflict.objects.update(product_ref="")
    LinkConflict.objects.update(sku="A")
    copy = shop.add("A")
    with pytest.raises(RequestRejected, match="earlier release"):
        follow(store, [copy.product_ref])
    link(store)
    follow(store, [copy.product_ref])
    assert len(conflicts(store)) == 2


VARIANTS = st.lists(st.tuples(st.sampled_from("xyz"), CODES, CODES, st.sampled_from(["", "S", "M"])), max_size=5)


def listed(rows: Sequence[tuple[str, str, str, str]], generation: int) -> list[RemoteVariant]:
    """Variants of products x, y and z; those of the same options are the same variant in each generation."""
    shop, seen = Listed(), set[tuple[str, str]]()
    for handle, sku, barcode, option in rows:
        if (handle, option) not in seen:
            seen.add((handle, option))
            number = 1 + "xyz".index(handle) * 10 + ["", "S", "M"].index(option)
            values = (option or "Default Title",)
            shop.add(sku, number=number, handle=handle, barcode=barcode, option_values=values)
    return shop.variants


def what_is_known(store: Store) -> tuple[Any, ...]:
    """Links and conflicts, by what the store calls them."""
    links = [
        (row.variant_id, row.remote_ref, row.item_ref, row.sku, row.barcode, row.tracked, row.gone_at is None)
        for row in ListedVariant.objects.filter(store=store)
    ]
    rows = LinkConflict.objects.filter(store=store).prefetch_related("candidates")
    found = [(row.remote_ref, row.kind, row.cause, {each.pk for each in row.candidates.all()}) for row in rows]
    return (
        sorted(links),
        sorted(found, key=lambda row: row[0]),
        sorted(Listing.objects.values_list("remote_ref", "handle")),
    )


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(ours=OURS, before=VARIANTS.filter(bool), after=VARIANTS.filter(bool))
def test_following_gives_what_listing_everything_gives(
    ours: list[tuple[str, str, str, str]],
    before: list[tuple[str, str, str, str]],
    after: list[tuple[str, str, str, str]],
) -> None:
    shop = Shop(listed(before, 1))
    with (
        mock.patch.object(linking, "store_for", return_value=shop),
        mock.patch.object(product_changes, "store_for", return_value=shop),
        transaction.atomic(),
    ):
        store = StoreFactory()
        add_ours(ours)
        link(store)
        was, shop.variants = shop.variants, listed(after, 2)
        changed = {
            variant.product_ref
            for variant in (*was, *shop.variants)
            if variant not in was or variant not in shop.variants
        }
        point = transaction.savepoint()
        link(store)
        expected = what_is_known(store)
        transaction.savepoint_rollback(point)
        follow(store, sorted(changed))
        assert what_is_known(store) == expected
        transaction.set_rollback(True)
