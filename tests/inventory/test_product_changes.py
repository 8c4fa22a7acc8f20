"""What a store tells of single products reaches links and publications, through the queue of changes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from catalog.models import LinkConflict, Listing
from connectors import changes
from connectors.models import RemoteChange
from connectors.models.webhooks import ChangeState
from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected
from inventory import participation, product_changes
from inventory.linking import link_store
from inventory.models import LevelPublication
from inventory.product_changes import read_changes
from tests.factories.catalog import VariantFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db


def listed(world: World, *skus: str) -> dict[str, str]:
    """Items here and there, linked; SKU → inventory item."""
    found = {}
    for sku in skus:
        VariantFactory(sku=sku, item_number=sku)
        found[sku] = world.fake.add_variant(sku=sku, handle=sku.lower())
    link_store(world.store)
    return found


def told(world: World, *item_refs: str, product_ref: str = "") -> RemoteChange:
    """The store tells that the products of these items changed."""
    refs = [product_ref] if product_ref else [world.fake.variant(ref).product_ref for ref in item_refs]
    changes.notice(world.store, "product", dict.fromkeys(refs, timezone.now()), by="webhook")
    return RemoteChange.objects.get(ref=refs[0])


def excluded(world: World) -> dict[str, str]:
    rows = LevelPublication.objects.filter(store=world.store)
    return dict(rows.values_list("listed__variant__sku", "excluded"))


def test_what_is_deleted_in_the_store_takes_no_part_any_more_as_after_a_listing(world: World) -> None:
    items = listed(world, "A", "B")
    change = told(world, items["A"])
    world.fake.remove_variant(items["A"])

    assert read_changes(world.store) == 1

    change.refresh_from_db()
    assert change.status == ChangeState.DONE
    assert excluded(world) == {"A": "gone", "B": ""}
    link_store(world.store)
    assert excluded(world) == {"A": "gone", "B": ""}


def test_a_new_product_is_published_and_a_renamed_one_followed(world: World) -> None:
    items = listed(world, "A")
    VariantFactory(sku="B", item_number="B")
    new = world.fake.add_variant(sku="B", handle="b")
    told(world, new, items["A"])
    world.fake.describe(world.fake.variant(items["A"]).product_ref, handle="alt-nume")

    assert read_changes(world.store) == 2

    assert excluded(world) == {"A": "", "B": ""}
    assert set(Listing.objects.values_list("handle", flat=True)) == {"alt-nume", "b"}


def test_a_copy_made_in_the_store_holds_the_first_and_itself_until_it_is_decided(world: World) -> None:
    listed(world, "A")
    copy = world.fake.add_variant(sku="A", handle="a-copy")
    told(world, copy)
    read_changes(world.store)
    assert LinkConflict.objects.get().item_ref == copy
    assert excluded(world) == {"A": "clone"}


def test_a_product_that_changed_in_nothing_we_keep_refreshes_no_publication(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = listed(world, "A")
    told(world, items["A"])
    monkeypatch.setattr(participation, "refresh", lambda store: pytest.fail("nothing changed"))
    assert read_changes(world.store) == 1


def test_a_worker_that_died_between_links_and_publications_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = listed(world, "A")
    told(world, items["A"])
    world.fake.remove_variant(items["A"])

    def dies(store: object) -> None:
        raise SystemExit

    with monkeypatch.context() as death:
        death.setattr(participation, "refresh", dies)
        with pytest.raises(SystemExit):
            read_changes(world.store)
    RemoteChange.objects.update(claimed_until=timezone.now() - changes.LEASE)

    assert read_changes(world.store) == 1

    assert excluded(world) == {"A": "gone"}


@pytest.mark.parametrize(
    ("error", "waits"), [(ConnectorUnavailable, changes.OUTAGE_WAIT), (CredentialsRejected, changes.ACCOUNT_WAIT)]
)
def test_a_store_that_cannot_be_asked_is_asked_later(
    error: type[ConnectorUnavailable] | type[CredentialsRejected], waits: float, world: World
) -> None:
    items = listed(world, "A")
    change = told(world, items["A"])
    world.fake.fail_next_read(error(service="Shop", operation="read", cause="It is away.", remedy="Wait."))

    assert read_changes(world.store) == 0

    change.refresh_from_db()
    assert (change.status, change.cause) == (ChangeState.WAITING, "It is away.")
    assert change.not_before is not None
    assert waits - 60 < (change.not_before - timezone.now()).total_seconds() <= waits


def test_a_store_that_was_never_linked_has_nothing_to_follow(world: World) -> None:
    change = told(world, world.fake.add_variant(sku="A"))
    assert read_changes(world.store) == 1
    change.refresh_from_db()
    assert change.status == ChangeState.DONE
    assert not world.fake.called("read_products")


def test_what_cannot_be_followed_fails_with_its_cause_and_the_others_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = listed(world, "A", "B")
    monkeypatch.setattr(product_changes.product_changes, "MOST_TIED", 1)
    world.fake.add_variant(sku="A", handle="a-copy")
    link_store(world.store)
    told(world, items["A"], items["B"])
    assert read_changes(world.store) == 2
    states = dict(RemoteChange.objects.values_list("ref", "state"))
    assert states == {
        world.fake.variant(items["A"]).product_ref: "failed",
        world.fake.variant(items["B"]).product_ref: "done",
    }
    assert RemoteChange.objects.get(state="failed").remedy


def test_a_listing_that_began_before_a_product_was_read_does_not_have_the_last_word(world: World) -> None:
    items = listed(world, "A", "B")
    began = timezone.now()
    listing = list(world.fake.iter_variants())
    told(world, items["A"])
    world.fake.remove_variant(items["A"])
    read_changes(world.store)

    link_store(world.store, variants=listing, since=began)

    assert excluded(world) == {"A": "", "B": ""}, "the listing is older"
    assert read_changes(world.store) == 1
    assert excluded(world) == {"A": "gone", "B": ""}
    link_store(world.store)
    assert read_changes(world.store) == 0
