"""Clone suspects: nothing is written for either side of a pair before a person, or the merchant, has told them apart."""

from __future__ import annotations

import dataclasses

import pytest
from django.utils import timezone

from catalog.models import CloneDecision, CloneKind, CloneSuspect, ListedVariant
from connectors import approval, changes, runs
from connectors.approval import DecisionRefused
from connectors.models import Store
from connectors.models.runs import Outcome, RunStatus
from inventory import change_log, clones, pushes
from inventory.change_log import Change, ChangeKind, Wanted
from inventory.knowledge import Sold
from inventory.linking import link_store
from inventory.models import HoldChange, LevelPublication, PushBatch
from inventory.models.publications import PublicationState
from inventory.product_changes import read_changes
from orders import knowledge
from orders.models import SalesOrder
from tests.factories.catalog import VariantFactory
from tests.factories.kernel import UserFactory
from tests.factories.orders import price
from tests.fakes import FakeStore
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: World) -> World:
    """A live store with a linked item that shows 20 on both sides, and another one."""
    for sku, handle in (("A", "tricou"), ("OTHER", "alt")):
        VariantFactory(sku=sku, item_number=sku)
        world.post(sku, 20)
        world.fake.add_variant(sku=sku, handle=handle, stock={world.there: 20})
    link_store(world.store)
    world.rest()
    world.full()
    world.store.refresh_from_db()
    return world


def duplicate(world: World, sku: str = "A", handle: str = "tricou-copy") -> str:
    """The merchant duplicates the product, with SKU and stock, and the store tells of it."""
    copy = world.fake.add_variant(sku=sku, handle=handle, stock={world.there: 20})
    tell(world, copy)
    return copy


def tell(world: World, item_ref: str) -> None:
    changes.notice(world.store, "product", {world.fake.variant(item_ref).product_ref: timezone.now()}, by="webhook")
    assert read_changes(world.store) == 1


def change(fake: FakeStore, item_ref: str, **facts: str) -> None:
    fake._variants[item_ref] = dataclasses.replace(fake.variant(item_ref), **facts)  # type: ignore[arg-type]


def excluded(world: World) -> dict[str, str]:
    """Inventory item → why it takes no part; of all but the other item."""
    rows = LevelPublication.objects.filter(store=world.store).exclude(state=PublicationState.CLOSED)
    rows = rows.exclude(listed__variant__sku="OTHER")
    return dict(rows.values_list("item_ref", "excluded"))


def decide(world: World, decision: CloneDecision) -> CloneSuspect:
    return clones.decide(CloneSuspect.objects.get(closed_at=None).pk, decision, by=world.operator)


def test_a_copy_with_sku_and_stock_stops_every_push_of_both_until_it_is_decided(shop: World) -> None:
    original = shop.publication("A").item_ref
    copy = duplicate(shop)

    suspect = CloneSuspect.objects.get()
    assert (suspect.kind, suspect.original_item, suspect.copy_item) == (CloneKind.SAME_SKU, original, copy)
    assert excluded(shop) == {original: "clone"}
    shop.post("A", -5)
    shop.rest()
    assert shop.delta().items.count() == 0
    assert shop.full().items.count() == 0
    assert (shop.shown("A"), shop.fake.available(copy, shop.there)) == (20, 20)

    decide(shop, CloneDecision.ORIGINAL)
    shop.delta()

    assert (shop.shown("A"), shop.fake.available(copy, shop.there)) == (15, 20)
    link_store(shop.store)
    assert excluded(shop) == {original: ""}, "a decision is asked for once"
    shop.assert_sound()


def test_what_tells_the_sides_apart_is_read_from_the_store(shop: World) -> None:
    duplicate(shop)
    suspect = CloneSuspect.objects.get()
    assert suspect.original["available"] == suspect.copy["available"] == 20
    assert suspect.copy["created"]
    assert (suspect.original["handle"], suspect.copy["handle"]) == ("tricou", "tricou-copy")


def test_orders_tell_which_side_sells_even_where_nothing_of_ours_is_behind_it(shop: World) -> None:
    original, copy = shop.publication("A").item_ref, duplicate(shop)
    shop.store.integration_date = shop.fake.now.date()
    shop.store.save()
    for item, units in ((original, 1), (copy, 2), (copy, 3)):
        shop.fake.place(item, shop.there, units, total=price("0"), current_total=price("0"))
    knowledge.bring_in(shop.store)
    suspects = list(CloneSuspect.objects.all())
    store = shop.store.pk
    assert clones.sold(suspects) == {(store, original): Sold(1, 1), (store, copy): Sold(2, 5)}

    SalesOrder.objects.filter(lines__item_ref=copy).update(placed_at=timezone.now() - clones.SOLD_WITHIN)
    assert set(clones.sold(suspects)) == {(store, original)}


def test_a_copy_that_the_merchant_renames_lets_go_by_itself(shop: World) -> None:
    original = shop.publication("A").item_ref
    copy = duplicate(shop)
    shop.post("A", -5)
    change(shop.fake, copy, sku="A-2")

    tell(shop, copy)

    suspect = CloneSuspect.objects.get()
    assert suspect.closed_at is not None
    assert suspect.outcome == "SKU renamed by the merchant"
    assert excluded(shop) == {original: ""}
    shop.delta()
    assert shop.shown("A") == 15


def test_a_copy_that_is_deleted_lets_go_too(shop: World) -> None:
    copy = duplicate(shop)
    changes.notice(shop.store, "product", {shop.fake.variant(copy).product_ref: timezone.now()}, by="webhook")
    shop.fake.remove_variant(copy)
    read_changes(shop.store)
    assert CloneSuspect.objects.get().outcome == "The copy was deleted in the store"
    assert set(excluded(shop).values()) == {""}


def test_a_listing_finds_and_heals_what_a_lost_webhook_hid(shop: World) -> None:
    copy = shop.fake.add_variant(sku="A", handle="tricou-copy", stock={shop.there: 20})
    link_store(shop.store)
    assert set(excluded(shop).values()) == {"clone"}
    change(shop.fake, copy, sku="A-2")
    link_store(shop.store)
    assert set(excluded(shop).values()) == {""}
    assert CloneSuspect.objects.get().closed_at is not None


def holds(world: World) -> list[Change]:
    """What the change log tells of holds, the oldest first."""
    return list(change_log.every(Wanted(kinds=[ChangeKind.HOLD], store=world.store)))[::-1]


def test_the_change_log_says_when_a_level_was_quarantined_and_why_it_was_let_go(shop: World) -> None:
    copy = duplicate(shop)
    tell(shop, copy)
    change(shop.fake, copy, sku="A-2")
    tell(shop, copy)
    [began, ended] = holds(shop)
    titles = [CloneSuspect.objects.get().original["title"], CloneSuspect.objects.get().copy["title"]]
    assert began.what == "Held: clone suspect"
    assert began.detail == f"The SKU A is on two variants of the store: {titles[0]}, and {titles[1]}."
    assert (ended.what, ended.detail, ended.who) == ("No longer held", "SKU renamed by the merchant.", "")


def test_the_change_log_names_who_decided(shop: World) -> None:
    duplicate(shop)
    decide(shop, CloneDecision.ORIGINAL)
    [_, ended] = holds(shop)
    assert ended.what == "No longer held"
    assert (ended.detail, ended.who) == ("Decided: the original owns the stock.", str(shop.operator))


def test_a_level_whose_item_goes_to_the_copy_is_held_no_longer(shop: World) -> None:
    duplicate(shop)
    decide(shop, CloneDecision.COPY)
    assert [(hold.what, hold.detail) for hold in holds(shop)][1:] == [("No longer held", "Decided: the copy owns it.")]


def test_what_held_a_level_before_it_was_quarantined_holds_it_afterwards(shop: World) -> None:
    shop.sell("A", 2)
    shop.post("A", -3)
    shop.rest()
    shop.full()
    assert shop.publication("A").hold_test == "b"
    copy = duplicate(shop)
    shop.rest()
    shop.full()
    change(shop.fake, copy, sku="A-2")
    tell(shop, copy)
    assert [change.test for change in HoldChange.objects.order_by("pk")] == ["b", "q", "b"]
    assert holds(shop)[-1].detail.startswith("SKU renamed by the merchant. The store has 2 committed")


def test_a_quarantine_leaves_no_other_hold_behind(shop: World) -> None:
    """A plan from before meets the level in quarantine."""
    shop.post("A", -5)
    shop.rest()
    run = shop.plan_full("major discrepancy")
    copy = duplicate(shop)
    approval.approve(run, shop.operator)
    runs.advance(run.pk)
    change(shop.fake, copy, sku="A-2")
    tell(shop, copy)
    assert shop.publication("A").hold_test == ""
    assert [hold.what for hold in holds(shop)] == ["Held: clone suspect", "No longer held"]


def test_a_pair_that_comes_back_is_asked_again(shop: World) -> None:
    copy = duplicate(shop)
    decide(shop, CloneDecision.ORIGINAL)
    change(shop.fake, copy, sku="A-2")
    tell(shop, copy)
    change(shop.fake, copy, sku="A")
    tell(shop, copy)
    assert CloneSuspect.objects.filter(closed_at=None, decision="").count() == 1
    assert set(excluded(shop).values()) == {"clone"}


def test_the_copy_may_own_the_stock(shop: World) -> None:
    original = shop.publication("A").item_ref
    copy = duplicate(shop)
    shop.post("A", -5)

    decide(shop, CloneDecision.COPY)

    assert ListedVariant.objects.get(variant__sku="A").item_ref == copy
    assert excluded(shop) == {copy: ""}
    shop.rest()
    shop.full()
    assert (shop.fake.available(original, shop.there), shop.fake.available(copy, shop.there)) == (20, 15)
    link_store(shop.store)
    assert excluded(shop) == {copy: ""}
    assert CloneSuspect.objects.count() == 1


def test_waiting_holds_on_and_may_still_be_decided(shop: World) -> None:
    duplicate(shop)
    decide(shop, CloneDecision.WAIT)
    assert set(excluded(shop).values()) == {"clone"}
    decide(shop, CloneDecision.ORIGINAL)
    assert set(excluded(shop).values()) == {""}


def test_two_copies_that_were_there_before_us_are_linked_by_a_decision(world: World) -> None:
    VariantFactory(sku="A", item_number="A")
    world.post("A", 7)
    first = world.fake.add_variant(sku="A", handle="x", stock={world.there: 3})
    world.fake.add_variant(sku="A", handle="y", stock={world.there: 3})
    link_store(world.store)
    assert excluded(world) == {}

    decide(world, CloneDecision.ORIGINAL)

    assert excluded(world) == {first: ""}
    link_store(world.store)
    assert excluded(world) == {first: ""}


def test_variants_that_share_an_item_and_are_one_of_ours_are_one_publication(shop: World) -> None:
    """Scenario 27, first half."""
    original = shared_item(shop, "A", "tricou-pos")
    assert not CloneSuspect.objects.exists()
    assert excluded(shop) == {original: ""}


def test_variants_that_share_an_item_and_are_two_of_ours_wait_for_a_person(shop: World) -> None:
    """Scenario 27, second half."""
    VariantFactory(sku="B", item_number="B")
    original = shared_item(shop, "B", "pantaloni")

    assert CloneSuspect.objects.get().kind == CloneKind.SHARED_ITEM
    assert excluded(shop) == {original: "clone"}
    with pytest.raises(DecisionRefused, match="neither can own it alone"):
        decide(shop, CloneDecision.COPY)
    decide(shop, CloneDecision.SAME)
    assert excluded(shop) == {original: ""}
    link_store(shop.store)
    assert excluded(shop) == {original: ""}


def test_one_sku_that_is_none_of_ours_is_nobodys_clone(world: World) -> None:
    for barcode in ("1", "2"):
        VariantFactory(sku="", barcode=barcode)
        world.fake.add_variant(sku="GENERIC", barcode=barcode)
    link_store(world.store)
    assert not CloneSuspect.objects.exists()
    assert list(excluded(world).values()) == ["", ""]


def test_a_push_that_was_claimed_before_is_settled_once_and_nothing_after_it(shop: World) -> None:
    """The copy is learnt of between claim and answer; the worker dies and another one goes on."""
    shop.post("A", -5)
    shop.fake.lose_next_reply()
    announce = pushes.announce
    learnt: list[str] = []

    def announced(batch: PushBatch) -> bool:
        if not learnt:
            learnt.append(duplicate(shop))
            shop.post("A", -2)
        return announce(batch)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pushes, "announce", announced)
        shop.delta()
    shop.delta()

    assert learnt
    assert shop.shown("A") == 15, "what was claimed went out once, what came after it did not"
    publication = shop.publication("A")
    assert (publication.claim_id, publication.expected_quantity) == (None, 15)
    decide(shop, CloneDecision.ORIGINAL)
    shop.delta()
    assert shop.shown("A") == 13


def test_a_copy_learnt_of_between_plan_and_claim_is_not_pushed(shop: World) -> None:
    shop.post("A", -5)
    Store.objects.filter(pk=shop.store.pk).update(limit_units=1)
    shop.store.refresh_from_db()
    run = shop.delta()
    assert run.status == RunStatus.AWAITING_APPROVAL
    duplicate(shop)
    approval.approve(run, UserFactory(is_superuser=True))

    run = runs.advance(run.pk)

    assert [(line.outcome, line.cause) for line in run.items.all()] == [
        (Outcome.LEFT, "The level takes no part any more.")
    ]
    assert shop.shown("A") == 20


def test_an_overwrite_planned_before_the_copy_was_known_is_held(shop: World) -> None:
    shop.post("A", -5)
    shop.rest()
    run = shop.plan_full("major discrepancy")
    duplicate(shop)
    approval.approve(run, shop.operator)
    run = runs.advance(run.pk)
    assert shop.shown("A") == 20
    [line] = run.items.all()
    assert line.outcome == Outcome.HELD
    assert "Clone suspect" in line.cause


def test_the_other_link_is_not_made_while_a_push_is_on_its_way(shop: World) -> None:
    shop.post("A", -5)
    shop.fake.refuse_next_connection()
    shop.delta()
    assert shop.publication("A").claim_id
    duplicate(shop)
    with pytest.raises(DecisionRefused, match="on its way"):
        decide(shop, CloneDecision.COPY)
    assert CloneSuspect.objects.get().holds
    decide(shop, CloneDecision.ORIGINAL)
    assert set(excluded(shop).values()) == {""}, "the original keeps its link, so its push may be answered later"


def test_a_decision_is_taken_once_and_by_those_who_may(shop: World) -> None:
    duplicate(shop)
    suspect = CloneSuspect.objects.get()
    with pytest.raises(DecisionRefused, match="role"):
        clones.decide(suspect.pk, CloneDecision.ORIGINAL, by=UserFactory(roles=["Viewer"]))
    decide(shop, CloneDecision.ORIGINAL)
    with pytest.raises(DecisionRefused, match="before"):
        decide(shop, CloneDecision.COPY)
    assert ListedVariant.objects.get(variant__sku="A").item_ref == suspect.original_item


def shared_item(world: World, sku: str, handle: str) -> str:
    """A second variant of the store that shares A's inventory item; returns the item."""
    original = world.publication("A").item_ref
    other = world.fake.add_variant(sku=sku, handle=handle)
    world.fake._variants["twin"] = dataclasses.replace(world.fake.variant(other), item_ref=original)
    world.fake.remove_variant(other)
    link_store(world.store)
    return original


def test_orders_of_both_variants_that_share_an_item_count_in_its_one_publication(shop: World) -> None:
    """Scenario 27, first half."""
    item = shared_item(shop, "A", "tricou-pos")
    shop.store.integration_date = shop.fake.now.date()
    shop.store.save()
    shop.fake.place(item, shop.there, 2)
    other = shop.fake.place(item, shop.there, 3)
    (line,) = shop.fake.order(other).lines
    twin = dataclasses.replace(line, variant_ref=shop.fake.variant("twin").ref)
    shop.fake.change_order(other, lines=(twin,))
    knowledge.bring_in(shop.store)

    publication = shop.publication("A")
    assert (shop.level("A").released, publication.open_remote, publication.pending) == (5, 5, 0)
    shop.rest()
    shop.full()
    assert (shop.shown("A"), shop.publication("A").hold_test) == (15, "")
    shop.assert_sound()


def test_nothing_is_pushed_where_one_item_is_two_variants_of_ours(shop: World) -> None:
    """Scenario 27, second half."""
    VariantFactory(sku="B", item_number="B")
    shop.post("A", -5)
    shared_item(shop, "B", "pantaloni")
    sent = len(shop.fake.called("send"))
    shop.rest()

    assert shop.delta().items.count() == 0
    assert shop.full().items.count() == 0
    assert (shop.shown("A"), len(shop.fake.called("send"))) == (20, sent)


def test_all_pairs_of_a_copied_product_are_decided_but_those_whose_push_is_on_its_way(shop: World) -> None:
    for number in range(3):
        sku = f"B-{number}"
        VariantFactory(sku=sku, item_number=sku)
        shop.post(sku, 20)
        shop.fake.add_variant(sku=sku, handle="bluza", stock={shop.there: 20})
    link_store(shop.store)
    shop.rest()
    shop.full()
    shop.post("B-1", -5)
    shop.fake.refuse_next_connection()
    shop.delta()
    copies = [shop.fake.add_variant(sku=f"B-{number}", handle="bluza-copy") for number in range(3)]
    link_store(shop.store)
    suspects = list(CloneSuspect.objects.order_by("sku"))
    assert [suspect.copy_item for suspect in suspects] == copies

    done = clones.decide_alike(suspects[0].pk, CloneDecision.COPY, by=shop.operator)

    assert [pair.sku for pair in done.pairs] == ["B-0", "B-2"]
    [(left, refused)] = done.refused
    assert (left.sku, refused.cause) == ("B-1", "A push of one of their levels is on its way and not answered yet.")
    linked = dict(ListedVariant.objects.filter(store=shop.store).values_list("variant__sku", "item_ref"))
    assert [linked[f"B-{number}"] for number in range(3)] == [copies[0], suspects[1].original_item, copies[2]]
    assert CloneSuspect.objects.get(sku="B-1").holds
