"""Linking binds what is certain, and shows the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from catalog import linking
from catalog.items import import_items
from catalog.linking import LinkRefused, link
from catalog.models import ConflictKind, LinkConflict, ListedVariant, Listing, MatchedBy, Variant
from connectors.models import Store
from connectors.ports.errors import ConnectorUnavailable
from connectors.ports.store import RemoteVariant
from tests.catalog.listings import ListedFile
from tests.factories.catalog import ListedVariantFactory, ProductFactory, VariantFactory
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

SHARED = Path(__file__).parents[3] / "shared" / "data" / "shopify-csv"


@dataclass
class Shop:
    """What the store lists; variants may share an inventory item, or be listed twice."""

    variants: list[RemoteVariant] = field(default_factory=list)
    breaks_after: int | None = None

    def add(self, sku: str = "", *, number: int = 0, **more: object) -> RemoteVariant:
        number = number or len(self.variants) + 1
        handle = str(more.pop("handle", f"produs-{number}"))
        variant = RemoteVariant(
            product_ref=f"product/{handle}",
            product_handle=handle,
            product_title=handle,
            product_status="active",
            product_tags=(),
            ref=f"variant/{number}",
            item_ref=f"item/{number}",
            sku=sku,
            barcode="",
            option_values=("Default Title",),
            price=Decimal(10),
            tracked=True,
        )
        self.variants.append(replace(variant, **more))  # type: ignore[arg-type]
        return self.variants[-1]

    def change(self, variant: RemoteVariant, **more: object) -> None:
        at = self.variants.index(variant)
        self.variants[at] = replace(variant, **more)  # type: ignore[arg-type]

    def iter_variants(self) -> Iterator[RemoteVariant]:
        for at, variant in enumerate(self.variants):
            if at == self.breaks_after:
                raise ConnectorUnavailable(service="Shop", operation="list", cause="Down.", remedy="Wait.")
            yield variant


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(linking, "store_for", lambda store: shop)
    return shop


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def linked(store: Store) -> dict[str, str]:
    """Item number → remote variant, of links that are alive."""
    rows = ListedVariant.objects.filter(store=store, gone_at=None)
    return dict(rows.values_list("variant__item_number", "remote_ref"))


def items(store: Store) -> dict[str, str]:
    """Item number → inventory item, of links that are alive."""
    rows = ListedVariant.objects.filter(store=store, gone_at=None)
    return dict(rows.values_list("variant__item_number", "item_ref"))


def conflicts(store: Store) -> dict[str, str]:
    """Remote variant → kind of its conflict."""
    return dict(LinkConflict.objects.filter(store=store).values_list("remote_ref", "kind"))


def simple(handle: str, values: Iterable[str] = (), **more: object) -> Variant:
    product = ProductFactory(handle=handle, option_names=["Mărime"] if values else [])
    return VariantFactory(product=product, option_values=list(values), **more)


def test_each_rule_binds_what_the_rules_before_it_did_not(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="SKU-A")
    VariantFactory(item_number="B", sku="", barcode="594")
    simple("camasa", ["Mică"], item_number="C", sku="")
    simple("bol", item_number="D", sku="")
    VariantFactory(item_number="E", sku="SKU-E")
    shop.add("SKU-A")
    shop.add("", barcode="594")
    shop.add("", handle="camasa", option_values=("Mică",))
    shop.add("", handle="bol")
    shop.add("SKU-X")

    report = link(store)

    assert linked(store) == {"A": "variant/1", "B": "variant/2", "C": "variant/3", "D": "variant/4"}
    assert report.by == {MatchedBy.SKU: 1, MatchedBy.BARCODE: 1, MatchedBy.OPTIONS: 2}
    assert (report.linked, report.already, report.only_here, report.only_there, report.conflicts) == (4, 0, 1, 1, 0)
    assert conflicts(store) == {"variant/5": ConflictKind.ONLY_THERE}


def test_linking_again_changes_nothing(shop: Shop, store: Store) -> None:
    VariantFactory(sku="A")
    shop.add("A")
    shop.add("B")
    link(store)
    before = list(ListedVariant.objects.values()), list(Listing.objects.values()), list(LinkConflict.objects.values())

    report = link(store)

    assert (report.linked, report.already, report.only_there) == (0, 1, 1)
    after = list(ListedVariant.objects.values()), list(Listing.objects.values()), list(LinkConflict.objects.values())
    assert after == before


def test_the_remembered_id_wins_over_a_changed_sku(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="OLD")
    VariantFactory(item_number="B", sku="NEW")
    remote = shop.add("OLD")
    link(store)
    shop.change(remote, sku="NEW")

    link(store)

    assert linked(store) == {"A": "variant/1"}


def test_an_sku_on_two_variants_of_the_store_binds_neither(shop: Shop, store: Store) -> None:
    ours = VariantFactory(item_number="A", sku="DUP")
    shop.add("DUP", handle="unu")
    shop.add("DUP", handle="doi")

    report = link(store)

    assert linked(store) == {}
    assert report.conflicts == 2
    assert set(conflicts(store).values()) == {ConflictKind.DUPLICATE_SKU_THERE}
    conflict = LinkConflict.objects.get(remote_ref="variant/1")
    assert list(conflict.candidates.all()) == [ours]
    assert "DUP" in conflict.cause
    assert "2 variants" in conflict.cause
    assert conflict.remedy


def test_an_sku_on_two_items_here_binds_neither_even_where_the_handle_would_tell(shop: Shop, store: Store) -> None:
    simple("camasa", item_number="A", sku="DUP")
    simple("rochie", item_number="B", sku="DUP")
    shop.add("DUP", handle="camasa")

    link(store)

    assert linked(store) == {}
    conflict = LinkConflict.objects.get()
    assert conflict.kind == ConflictKind.DUPLICATE_SKU_HERE
    assert set(conflict.candidates.values_list("item_number", flat=True)) == {"A", "B"}


def test_a_copy_of_a_linked_variant_is_a_conflict_and_the_link_stays(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    shop.add("A")
    link(store)
    shop.add("A", handle="copie")

    link(store)

    assert linked(store) == {"A": "variant/1"}
    assert conflicts(store) == {"variant/2": ConflictKind.DUPLICATE_SKU_THERE}


def test_a_barcode_on_several_variants_binds_none_of_them(shop: Shop, store: Store) -> None:
    VariantFactory(sku="", barcode="594")
    shop.add("", barcode="594")
    shop.add("", barcode="594")

    link(store)

    assert linked(store) == {}
    assert set(conflicts(store).values()) == {ConflictKind.DUPLICATE_BARCODE}


def test_one_inventory_item_behind_two_variants_binds_neither(shop: Shop, store: Store) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="B")
    shop.add("A", item_ref="item/shared")
    shop.add("B", item_ref="item/shared")

    link(store)

    assert linked(store) == {}
    assert set(conflicts(store).values()) == {ConflictKind.SHARED_ITEM}
    assert "2 variants" in LinkConflict.objects.first().cause  # type: ignore[union-attr]


def test_a_linked_item_that_another_variant_comes_to_share_stays_linked(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    VariantFactory(item_number="B", sku="B")
    shop.add("A")
    link(store)
    shop.add("B", item_ref="item/1")

    link(store)

    assert linked(store) == {"A": "variant/1"}
    conflict = LinkConflict.objects.get()
    assert (conflict.remote_ref, conflict.kind) == ("variant/2", ConflictKind.SHARED_ITEM)
    assert [variant.item_number for variant in conflict.candidates.all()] == ["A"]


def test_a_match_with_an_item_that_is_linked_elsewhere_is_a_conflict(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A", barcode="594")
    shop.add("A")
    shop.add("", barcode="594")

    link(store)

    assert linked(store) == {"A": "variant/1"}
    assert conflicts(store) == {"variant/2": ConflictKind.ALREADY_LINKED}


def test_same_handle_with_another_sku_is_shown_and_not_bound(shop: Shop, store: Store) -> None:
    simple("camasa", item_number="A", sku="OURS")
    shop.add("THEIRS", handle="camasa")

    report = link(store)

    assert linked(store) == {}
    assert report.only_there == 1
    conflict = LinkConflict.objects.get()
    assert "OURS" not in conflict.cause
    assert "item A" in conflict.cause
    assert "THEIRS" in conflict.cause


def test_a_solved_conflict_vanishes_and_others_keep_their_first_day(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="DUP")
    first, second = shop.add("DUP"), shop.add("DUP")
    link(store)
    since = dict(LinkConflict.objects.values_list("remote_ref", "first_seen_at"))
    shop.change(second, sku="DUP-2")

    link(store)

    assert linked(store) == {"A": first.ref}
    assert conflicts(store) == {second.ref: ConflictKind.ONLY_THERE}
    assert LinkConflict.objects.get().first_seen_at == since[second.ref]


def test_a_variant_not_found_any_more_is_gone_until_it_is_found_again(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    VariantFactory(item_number="B", sku="B")
    shop.add("A")
    removed = shop.add("B")
    link(store)
    shop.variants.remove(removed)

    report = link(store)
    gone_at = ListedVariant.objects.get(variant__item_number="B").gone_at
    assert gone_at is not None
    assert (report.gone, report.only_here) == (1, 1)
    link(store)
    assert ListedVariant.objects.get(variant__item_number="B").gone_at == gone_at

    shop.variants.append(removed)
    link(store)
    assert ListedVariant.objects.get(variant__item_number="B").gone_at is None


def test_a_variant_made_again_in_the_store_takes_over_the_link(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    old = shop.add("A")
    link(store)
    row = ListedVariant.objects.get()
    shop.variants.remove(old)
    shop.add("A", number=7, handle="nou")

    report = link(store)

    again = ListedVariant.objects.get()
    assert again.pk == row.pk
    assert (again.remote_ref, again.item_ref, again.gone_at) == ("variant/7", "item/7", None)
    assert again.listing.handle == "nou"
    assert (report.linked, report.by) == (1, {MatchedBy.SKU: 1})


def test_a_replaced_inventory_item_is_followed(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    remote = shop.add("A")
    link(store)
    shop.change(remote, item_ref="item/new")

    report = link(store)

    assert ListedVariant.objects.get().item_ref == "item/new"
    assert report.by == {MatchedBy.REMOTE_ID: 1}


def test_an_item_held_by_another_of_ours_is_a_conflict_not_an_error(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    gone = VariantFactory(item_number="B", sku="B")
    ListedVariantFactory(store=store, variant=gone, remote_ref="variant/old", item_ref="item/1")
    shop.add("A")

    link(store)

    assert linked(store) == {}
    assert conflicts(store) == {"variant/1": ConflictKind.ALREADY_LINKED}


def test_an_item_that_its_variant_leaves_is_free_at_once(shop: Shop, store: Store) -> None:
    for code in "AB":
        VariantFactory(item_number=code, sku=code)
    first = shop.add("A")
    link(store)
    shop.change(first, item_ref="item/new")
    shop.add("B", item_ref="item/1")

    link(store)

    assert items(store) == {"A": "item/new", "B": "item/1"}
    assert conflicts(store) == {}


def test_remembered_variants_that_swap_their_items_are_followed(shop: Shop, store: Store) -> None:
    for code in "AB":
        VariantFactory(item_number=code, sku=code)
    first, second = shop.add("A"), shop.add("B")
    link(store)
    shop.change(first, item_ref="item/2")
    shop.change(second, item_ref="item/1")

    link(store)

    assert items(store) == {"A": "item/2", "B": "item/1"}
    assert conflicts(store) == {}


def test_an_item_is_not_free_where_its_variant_cannot_leave_it(shop: Shop, store: Store) -> None:
    for code in "ABC":
        VariantFactory(item_number=code, sku=code)
    first, second, removed = shop.add("A"), shop.add("B"), shop.add("C")
    link(store)
    shop.variants.remove(removed)
    shop.change(first, item_ref="item/2")
    shop.change(second, item_ref="item/3")

    link(store)

    assert items(store) == {}
    assert conflicts(store) == {first.ref: ConflictKind.ALREADY_LINKED, second.ref: ConflictKind.ALREADY_LINKED}


def test_variants_that_share_what_another_left_share_it_with_nobody(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    first = shop.add("A")
    link(store)
    shop.change(first, item_ref="item/new")
    shop.add(item_ref="item/1")
    shop.add(item_ref="item/1")

    link(store)

    assert items(store) == {"A": "item/new"}
    assert set(conflicts(store).values()) == {ConflictKind.SHARED_ITEM}
    assert not LinkConflict.candidates.through.objects.exists()


def test_track_quantity_and_handle_follow_the_store(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    remote = shop.add("A")
    link(store)
    linked_at = ListedVariant.objects.get().linked_at
    shop.change(remote, tracked=False, product_handle="alt-nume")

    report = link(store)

    row = ListedVariant.objects.get()
    assert (row.tracked, row.listing.handle, row.linked_at) == (False, "alt-nume", linked_at)
    assert (report.linked, report.already) == (0, 1)


def test_a_listing_that_breaks_off_changes_nothing(shop: Shop, store: Store) -> None:
    VariantFactory(sku="A")
    VariantFactory(sku="B")
    shop.add("A")
    shop.add("B")
    link(store)
    before = list(ListedVariant.objects.values())
    shop.breaks_after = 1

    with pytest.raises(ConnectorUnavailable):
        link(store)

    assert list(ListedVariant.objects.values()) == before


def test_an_empty_listing_is_not_believed_once_items_are_linked(shop: Shop, store: Store) -> None:
    VariantFactory(sku="A")
    shop.add("A")
    link(store)
    shop.variants.clear()

    with pytest.raises(LinkRefused) as refusal:
        link(store)

    assert "read_products" in refusal.value.remedy
    assert len(linked(store)) == 1


def test_a_variant_listed_twice_counts_once_as_it_was_last(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    remote = shop.add("OLD")
    shop.variants.append(replace(remote, sku="A"))

    link(store)

    assert linked(store) == {"A": "variant/1"}


def test_stores_are_linked_apart(shop: Shop, store: Store) -> None:
    VariantFactory(item_number="A", sku="A")
    shop.add("A")
    other = StoreFactory()

    link(store)
    link(other)

    assert linked(store) == linked(other) == {"A": "variant/1"}


@pytest.mark.parametrize("name", ["apparel.csv", "jewelry.csv"])
def test_real_exports_without_any_sku_link_whole(name: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"{name} is not beside this checkout")
    with file.open("rb") as stream:
        items = import_items(stream, actor=None).created
    monkeypatch.setattr(linking, "store_for", lambda store: ListedFile(file))

    report = link(store)

    assert report.by == {MatchedBy.OPTIONS: items}
    assert (report.only_here, report.only_there, report.conflicts) == (0, 0, 0)


def test_only_here_counts_items_in_the_tag_filter(shop: Shop, store: Store) -> None:
    store.tags_any = ["Outlet"]
    store.save()
    VariantFactory(sku="A", tags=["outlet"])
    VariantFactory(sku="B")

    assert link(store).only_here == 1


def test_a_thousand_variants_take_as_many_statements_as_ten(
    shop: Shop, store: Store, django_assert_max_num_queries: object
) -> None:
    product = ProductFactory()
    VariantFactory.create_batch(10, product=product)
    for variant in Variant.objects.all():
        shop.add(variant.sku)
    Variant.objects.bulk_create(Variant(product=product, item_number=f"N{n}", sku=f"N{n}") for n in range(990))
    for number in range(990):
        shop.add(f"N{number}")

    with django_assert_max_num_queries(33):  # type: ignore[operator]
        report = link(store)

    assert report.linked == 1000
