"""A job starts only where what it rests on holds; where not, it says what is missing and what opens it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connectors import changes
from connectors.models import FeedPosition, RemoteChange, Store, StoreLocation
from connectors.models.runs import RunStatus
from connectors.models.webhooks import ChangeState
from connectors.runs import Gate
from inventory.gates import JOB_GATES, every_gate, gates_for, look
from inventory.jobs import Job
from inventory.models import Location
from inventory.models.locations import StockMaster
from tests.console.conftest import SignIn as SignIn
from tests.console.conftest import sign_in as sign_in
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def ready(world: World) -> World:
    """Everything a full sync needs."""
    world.item("A", here=5, there=5)
    return world


def shut(store: Store, job: Job) -> dict[str, Gate]:
    store.refresh_from_db()
    return {gate.name: gate for gate in gates_for(store, job) if not gate.passed}


def test_a_full_sync_of_a_store_that_is_set_up_is_let_through(ready: World) -> None:
    assert shut(ready.store, Job.FULL) == {}


def test_before_the_integration_date_is_set_no_overwrite_begins(ready: World) -> None:
    Store.objects.update(integration_date=None)
    assert set(shut(ready.store, Job.FULL)) == {"integration_date", "orders_up_to_date"}
    assert "integration_date" not in shut(ready.store, Job.DELTA)


def test_a_store_never_asked_for_its_orders_is_not_up_to_date(ready: World) -> None:
    FeedPosition.objects.all().delete()
    gate = shut(ready.store, Job.FULL)["orders_up_to_date"]
    assert gate.detail == "The store was never asked for its orders."
    assert f"import_orders {ready.store.slug}" in gate.remedy


def test_a_pass_that_failed_says_why(ready: World) -> None:
    FeedPosition.objects.update(cause="The store does not answer.", remedy="Wait.")
    gate = shut(ready.store, Job.FULL)["orders_up_to_date"]
    assert (gate.detail, gate.remedy) == ("The store does not answer.", "Wait.")


def test_orders_asked_for_long_ago_are_not_up_to_date(ready: World) -> None:
    FeedPosition.objects.update(finished_at=timezone.now() - 34 * MINUTE)
    assert shut(ready.store, Job.FULL) == {}
    FeedPosition.objects.update(finished_at=timezone.now() - 36 * MINUTE)
    assert set(shut(ready.store, Job.FULL)) == {"orders_up_to_date"}


def test_an_order_that_cannot_be_read_shuts_until_somebody_decides(ready: World) -> None:
    changes.notice(ready.store, "order", {"order/9": ready.fake.now}, by="webhook")
    RemoteChange.objects.update(state=ChangeState.FAILED)
    assert "could not be read" in shut(ready.store, Job.FULL)["orders_up_to_date"].detail


def test_an_order_just_noticed_is_no_queue_and_one_that_waits_is(ready: World) -> None:
    changes.notice(ready.store, "order", {"order/9": ready.fake.now}, by="webhook")
    assert shut(ready.store, Job.FULL) == {}
    RemoteChange.objects.update(noticed_at=timezone.now() - 5 * MINUTE)
    assert shut(ready.store, Job.FULL)["order_queue"].detail == "1 order waits to be imported."
    assert "order_queue" in shut(ready.store, Job.MANUAL)
    assert "order_queue" not in shut(ready.store, Job.DELTA)


def test_manual_waits_for_a_worker_that_has_orders_in_hand(ready: World) -> None:
    changes.notice(ready.store, "order", {"order/9": ready.fake.now}, by="webhook")
    changes.claim(ready.store, "order", 1)
    assert set(shut(ready.store, Job.MANUAL)) == {"nothing_processing"}
    assert shut(ready.store, Job.FULL) == {}


def test_a_location_of_the_store_with_stock_and_none_of_ours_is_named(ready: World) -> None:
    StoreLocationFactory(store=ready.store, name="Vitrina", holds_stock=False)
    StoreLocationFactory(store=ready.store, name="Curier", holds_stock=True, is_fulfillment_service=True)
    StoreLocationFactory(store=ready.store, name="Vechi", holds_stock=True, is_active=False)
    assert shut(ready.store, Job.FULL) == {}
    StoreLocation.objects.filter(name="Vitrina").update(holds_stock=True)
    assert shut(ready.store, Job.FULL)["location_mapping"].detail.startswith("Vitrina: the store holds stock there")


def test_the_connection_test_learns_where_the_store_holds_stock(ready: World) -> None:
    from connectors import connection as connections

    ready.fake.hold_stock(ready.there)
    Store.objects.update(shop_domain=ready.fake.domain)
    ready.store.refresh_from_db()
    assert connections.test_connection(ready.store).answered
    assert StoreLocation.objects.get(ref=ready.there).holds_stock


def test_untracked_variants_are_counted_and_stop_nobody(ready: World) -> None:
    publication = ready.item("B", here=1, there=1)
    publication.listed.tracked = False
    publication.listed.save()
    gate = next(gate for gate in gates_for(ready.store, Job.FULL) if gate.name == "track_quantity")
    assert gate.passed
    assert gate.detail.startswith("Off in the store for 1 variant")


@pytest.mark.parametrize("job", [Job.DELTA, Job.RECENT, Job.OBSERVE])
def test_what_builds_on_the_baseline_waits_for_it(ready: World, job: Job) -> None:
    assert set(shut(ready.store, job)) == {"baseline"}


def test_a_delta_of_a_fresh_store_ends_with_2_and_names_the_baseline(
    ready: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        call_command("sync_inventory", ready.store.slug, "--mode", "delta", "--json")
    told = json.loads(capsys.readouterr().out)
    assert left.value.code == 2
    assert [gate["name"] for gate in told["gates"]] == ["baseline"]


def test_a_full_sync_that_a_gate_refuses_is_kept_with_it(ready: World) -> None:
    Store.objects.update(integration_date=None)
    with pytest.raises(SystemExit):
        call_command("sync_inventory", ready.store.slug, "--mode", "full", "--reason", "go-live")
    run = ready.store.runs.get()
    assert run.status == RunStatus.REFUSED
    assert run.gates[0]["name"] in {"integration_date", "orders_up_to_date"}


def test_every_job_has_its_gates() -> None:
    assert set(JOB_GATES) == set(Job)


def test_the_page_names_each_gate_once_with_the_jobs_that_need_it(ready: World, sign_in: SignIn) -> None:
    names = [gate.name for gate, _ in every_gate(look(ready.store))]
    assert len(names) == len(set(names))
    page = sign_in("Viewer").get(reverse("admin:store_gates", args=[ready.store.slug]))
    assert page.status_code == 200
    rows = {row.gate.name: row.jobs for row in page.context["rows"]}
    assert rows["baseline"] == "delta, recent, observe"
    assert rows["nothing_processing"] == "manual"
    assert 'hx-trigger="every 15s"' in page.content.decode()


def test_an_open_page_is_told_only_what_changed(ready: World, sign_in: SignIn) -> None:
    client: Client = sign_in("Viewer")
    page = client.get(reverse("admin:store_gates", args=[ready.store.slug]))
    live = reverse("admin:store_gates_live", args=[ready.store.slug])
    assert client.get(live, {"v": page.context["version"]}).status_code == 204
    Store.objects.update(integration_date=None)
    with CaptureQueriesContext(connection) as asked:
        region = client.get(live, {"v": page.context["version"]})
    assert "Nobody has said from which day on orders count" in region.content.decode()
    assert len(asked) <= 6


def test_a_location_has_one_stock_master() -> None:
    LocationFactory(code="cluj")
    with pytest.raises(IntegrityError, match="one_stock_master_per_location"):
        Location.objects.update(stock_master=StockMaster.BILLING)


def test_a_billing_warehouse_is_the_master_of_one_location() -> None:
    named = {"stock_master": StockMaster.BILLING, "billing_warehouse": "SmartBill/Central"}
    LocationFactory(code="cluj", **named)
    with pytest.raises(IntegrityError, match="one_location_per_billing_warehouse"):
        LocationFactory(code="iasi", **named)


def test_two_accounts_do_not_own_one_shop(ready: World) -> None:
    other = StoreFactory(shop_domain=ready.store.shop_domain, inventory_owner=False)
    gate = next(gate for gate in gates_for(other, Job.FULL) if gate.name == "inventory_owner")
    assert not gate.passed
    assert ready.store.name in gate.detail
