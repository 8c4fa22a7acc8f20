"""A world with something on every page: a live store, a plan over its limits, a hold, drift, conflicts, odd names."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from catalog.models import CloneKind, CloneSuspect, ConflictKind, LinkConflict, ListedVariant
from connectors.models import Store, SyncRun
from inventory import participation
from inventory.models.ledger import EntryKind
from tests.factories.catalog import ListedVariantFactory, ProductFactory, VariantFactory
from tests.factories.connectors import StoreFactory
from tests.worlds import World

LONG_TITLE = "Cămașă de in cu mânecă lungă și guler tunică, croială lejeră, țesută în Bucovina de Ana"


def live_store(world: World, items: int = 40) -> Store:
    """Give the world a live store that has had a full sync, a delta, a sale that we do not know, and drift."""
    store = world.store
    Store.objects.filter(pk=store.pk).update(name="Atelier Bucovina RO", slug="bucovina-ro")
    store.refresh_from_db()
    product = ProductFactory(title=LONG_TITLE, handle="camasa-in")
    _item(world, "CM-LIN-38", 18, 18, product=product, cost=Decimal("74.50"))
    _item(world, "TS-BLK-M", 60, 60, cost=Decimal("31.20"))
    _item(world, "SC-WOL-U", -3, 0)
    _item(world, "PL-MIL", 1_000_000, 1_000_000)
    _item(world, "MT-HALF", Decimal("2.5"), 2)
    for number in range(items - 5):
        _item(world, f"AB-{number:03}", 20 + number, 20 + number, cost=Decimal("12.00"))
    participation.refresh(store)
    world.rest()
    world.full("go-live")
    store.refresh_from_db()
    world.post("TS-BLK-M", 24)
    world.post("TS-BLK-M", -31, kind=EntryKind.ISSUED)
    world.delta()
    world.sell("AB-001", 2)
    world.edit("AB-002", -5)
    world.rest()
    return store


def _item(world: World, sku: str, here: Decimal | int, there: int, **variant: object) -> None:
    """As `World.item`; publications are refreshed once, after the last one."""
    ours = VariantFactory(sku=sku, item_number=sku, **variant)
    item_ref = world.fake.add_variant(sku=sku, handle=ours.product.handle)
    world.fake.stock(item_ref, world.there, there)
    ListedVariantFactory(store=world.store, variant=ours, item_ref=item_ref)
    world.post(sku, here, kind=EntryKind.OPENING)


def plan_over_limits(world: World) -> SyncRun:
    """A full sync that waits for approval: many levels go to zero."""
    for number in range(10, 34):
        world.post(f"AB-{number:03}", -(20 + number), kind=EntryKind.ISSUED)
    world.post("CM-LIN-38", -18, kind=EntryKind.DAMAGED)
    world.post("AB-005", 12)
    Store.objects.filter(pk=world.store.pk).update(limit_to_zero=20, limit_share=10)
    return world.plan_full("major discrepancy")


def conflict(store: Store) -> LinkConflict:
    """A variant of the store that linking left open."""
    return LinkConflict.objects.create(
        store=store,
        kind=ConflictKind.DUPLICATE_SKU_THERE,
        remote_ref="gid://shopify/ProductVariant/9001",
        item_ref="gid://shopify/InventoryItem/9001",
        remote_label="Tricou negru (Copy) / M · TS-BLK-M",
        cause="SKU TS-BLK-M is on 2 variants of the store.",
        remedy="Give one of them another SKU in the store, then link again.",
        first_seen_at=timezone.now(),
    )


def clones(world: World, count: int = 9, *, skip: int = 0) -> list[CloneSuspect]:
    """Pairs that wait for a decision: copies of linked variants, with SKU and stock."""
    listed = ListedVariant.objects.filter(store=world.store).select_related("variant__product").order_by("pk")
    return [_pair(row) for row in listed[skip : skip + count]]


def copied_product(world: World, count: int = 8) -> list[CloneSuspect]:
    """Pairs of one product that was duplicated, variant by variant."""
    pairs = clones(world, count)
    product, copied = pairs[0].original["product_ref"], pairs[0].copy["product_ref"]
    for number, pair in enumerate(pairs):
        options = [("Black", "White")[number % 2], "SMLX"[number // 2 % 4]]
        pair.original |= {
            "title": "Tricou Brodat",
            "handle": "tricou-brodat",
            "product_ref": product,
            "options": options,
        }
        pair.copy |= {"title": "Copie", "handle": "copie", "product_ref": copied, "options": options}
        pair.save()
    return pairs


def _pair(row: ListedVariant) -> CloneSuspect:
    title = row.variant.product.title
    facts = {"title": title, "handle": row.listing.handle, "options": [], "sku": row.variant.sku, "tracked": True}
    facts |= {
        "product_ref": row.listing.remote_ref,
        "barcode": "",
        "available": 18,
        "created": "2026-11-01T09:00:00+00:00",
    }
    copied = {"title": f"{title} (Copy)", "handle": f"{row.listing.handle}-copy", "product_ref": f"{row.pk}-copy"}
    return CloneSuspect.objects.create(
        store=row.store,
        kind=CloneKind.SAME_SKU,
        sku=row.variant.sku,
        variant=row.variant,
        original_ref=row.remote_ref,
        original_item=row.item_ref,
        original=facts,
        copy_ref=f"{row.remote_ref}-copy",
        copy_item=f"{row.item_ref}-copy",
        copy=facts | copied,
        first_seen_at=timezone.now(),
    )


def store_in_setup() -> Store:
    """A store that was connected and never tested."""
    return StoreFactory(
        name="Atelier Outlet", slug="bucovina-outlet", connection_checked_at=None, granted_scopes=[], live_at=None
    )
