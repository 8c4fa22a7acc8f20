"""Track quantity is switched on in the store for many variants at once, each with its own outcome."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from catalog.models import ListedVariant
from connectors import runs
from connectors.models import SyncRun
from connectors.models.runs import Outcome, RunStatus, Trigger
from connectors.runs import RunRefused
from inventory import participation
from inventory.tracking import start_tracking, untracked
from tests.console.conftest import SignIn as SignIn
from tests.console.conftest import sign_in as sign_in
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: World) -> World:
    """Three items, two of which the store does not track."""
    for sku in ("A", "B", "C"):
        world.item(sku, here=5, there=5)
    for sku in ("B", "C"):
        world.fake.set_tracked(world.publication(sku).item_ref, tracked=False)
        ListedVariant.objects.filter(variant__sku=sku).update(tracked=False)
    participation.refresh(world.store)
    world.fake.calls.clear()
    return world


def switch_on(world: World, chosen: list[int] | None = None) -> SyncRun:
    return runs.advance(start_tracking(world.store, chosen, trigger=Trigger.PERSON, requested_by=world.operator).pk)


def test_what_is_switched_on_takes_part_again(shop: World) -> None:
    assert shop.publication("B").excluded == "untracked"
    run = switch_on(shop)
    assert (run.status, run.counts) == (RunStatus.COMPLETED, {Outcome.APPLIED: 2})
    assert [shop.publication(sku).excluded for sku in ("A", "B", "C")] == ["", "", ""]
    assert len(shop.fake.called("set_tracked")) == 2
    assert not untracked(shop.store).exists()


def test_only_the_chosen_ones_are_touched(shop: World) -> None:
    switch_on(shop, [shop.publication("B").listed_id])
    assert [row.variant.sku for row in untracked(shop.store)] == ["C"]


def test_one_that_the_store_refuses_keeps_its_cause_and_the_rest_goes(shop: World) -> None:
    shop.fake.remove_variant(shop.publication("B").item_ref)
    run = switch_on(shop)
    assert run.status == RunStatus.PARTIAL
    assert run.counts == {Outcome.APPLIED: 1, Outcome.REFUSED: 1}
    refused = run.items.get(outcome=Outcome.REFUSED)
    assert refused.label.startswith("B")
    assert refused.cause


def test_nothing_to_switch_on_starts_nothing(shop: World) -> None:
    switch_on(shop)
    with pytest.raises(RunRefused, match="untracked"):
        switch_on(shop)
    assert SyncRun.objects.count() == 1


def test_the_list_starts_a_run_and_lands_on_it(shop: World, sign_in: SignIn) -> None:
    page = reverse("admin:untracked", args=[shop.store.slug])
    client = sign_in("Operator")
    assert "2 variants not tracked" in client.get(page).content.decode()
    answer = client.post(page, {"chosen": [shop.publication("C").listed_id]})
    run = SyncRun.objects.get()
    assert answer.headers["Location"] == reverse("admin:run", args=[run.pk])
    assert runs.advance(run.pk).status == RunStatus.COMPLETED
    assert client.get(answer.headers["Location"]).status_code == 200
    assert sign_in("Viewer").post(page, {"all": "1"}).status_code == 403


def test_the_command_lists_and_switches(shop: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("track_quantity", shop.store.slug, "--json")
    assert json.loads(capsys.readouterr().out)["items"] == ["B", "C"]
