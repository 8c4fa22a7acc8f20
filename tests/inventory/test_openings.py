"""Opening stock: a plan against the ledger, signed by a person, posted exactly once."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from connectors import approval
from inventory import audit, ledger, openings
from inventory.ledger import Posting
from inventory.models import LedgerEntry, OpeningLine, OpeningPlan
from inventory.models.ledger import EntryKind
from inventory.models.locations import StockMaster
from inventory.models.openings import OpeningOutcome, OpeningState
from inventory.openings import OpeningRefused
from syncconsole.kernel.models import User
from tests.console.conftest import SignIn as SignIn
from tests.console.conftest import sign_in as sign_in
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.factories.kernel import UserFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def elena(db: None) -> User:
    return UserFactory(roles=["Onboarding"], first_name="Elena", last_name="Marin")


@pytest.fixture
def shop(world: World) -> World:
    """Three items; the store has 8 and 5 of two, and the ledger 2 of the second. A full sync was planned and rejected,
    so that the store was read."""
    world.item("A", there=8, cost=Decimal("10.00"))
    world.item("B", here=2, there=5, cost=Decimal("4.00"))
    world.item("C", there=0)
    world.rest()
    approval.reject(world.plan_full(), world.operator, "only to read")
    return world


def file_of(*rows: str) -> io.BytesIO:
    return io.BytesIO("\n".join(("item_number,quantity", *rows)).encode())


def signed(plan: OpeningPlan, by: User) -> OpeningPlan:
    plan = openings.sign(plan, by)
    assert openings.post(plan)
    plan.refresh_from_db()
    return plan


def on_hand(world: World) -> dict[str, Decimal]:
    return {sku: world.level(sku).on_hand for sku in ("A", "B", "C")}


def test_what_the_store_had_on_hand_becomes_a_plan_with_its_totals(shop: World, elena: User) -> None:
    plan = openings.plan_from_store(shop.here, shop.store, elena)
    assert plan.totals | {"problems": 0} == {
        "levels": 3, "changes": 2, "units": "13", "units_moved": "11", "stock_value": "100",
        "value_moved": "92", "without_cost": 1, "to_zero": 0, "problems": 0,
    }  # fmt: skip
    assert on_hand(shop) == {"A": 0, "B": 2, "C": 0}, "a plan moves nothing"


def test_committed_and_unavailable_units_are_on_hand_too(world: World, elena: User) -> None:
    publication = world.item("A", there=8)
    world.fake.stock(publication.item_ref, world.there, 8, committed=3, unavailable=2)
    world.rest()
    world.plan_full()
    assert openings.plan_from_store(world.here, world.store, elena).totals["units"] == "13"


def test_a_signed_plan_is_posted_once_and_tells_who_and_whence(shop: World, elena: User) -> None:
    plan = signed(openings.plan_from_store(shop.here, shop.store, elena), elena)
    assert plan.state == OpeningState.POSTED
    assert on_hand(shop) == {"A": 8, "B": 5, "C": 0}
    assert openings.outcomes(plan) == {"posted": 2, "equal": 1}
    entry = LedgerEntry.objects.get(level__variant__sku="A", kind=EntryKind.OPENING)
    assert (entry.origin, entry.actor, entry.document) == (f"store {shop.store.slug}", elena, f"opening/{plan.pk}")
    entries = LedgerEntry.objects.count()
    signed(plan, elena)
    OpeningPlan.objects.update(state=OpeningState.POSTING)
    OpeningLine.objects.update(outcome=OpeningOutcome.PLANNED)
    openings.post(plan)
    assert LedgerEntry.objects.count() == entries
    assert audit.audit_ledger().green


def test_what_moved_after_the_source_s_moment_stays_on_top(shop: World, elena: User) -> None:
    plan = openings.plan_from_store(shop.here, shop.store, elena)
    later = plan.lines.latest("as_of").as_of + dt.timedelta(seconds=5)
    ledger.post(
        [Posting(shop.level("A").variant_id, shop.here.pk, EntryKind.ISSUED, "late", "test", later, Decimal(-1))]
    )
    signed(plan, elena)
    assert on_hand(shop) == {"A": 7, "B": 5, "C": 0}


def test_a_level_that_changed_for_that_moment_is_left_out_and_says_why(shop: World, elena: User) -> None:
    plan = openings.plan_from_store(shop.here, shop.store, elena)
    shop.post("B", 1)
    plan = signed(plan, elena)
    left = plan.lines.get(outcome=OpeningOutcome.LEFT)
    assert left.variant.sku == "B"
    assert left.cause == "The ledger says 3 of that moment now; it said 2."
    assert on_hand(shop) == {"A": 8, "B": 3, "C": 0}


def test_our_own_file_names_what_it_could_not_take(shop: World, elena: User) -> None:
    plan = openings.plan_from_file(shop.here, file_of("A,12", "XG-9,4", "A,13", "B,", "C,2.5"), "stoc.csv", elena)
    assert (plan.totals["levels"], plan.totals["problems"]) == (2, 3)
    assert [row[0] for row in plan.problems] == [3, 4, 5]
    signed(plan, elena)
    assert on_hand(shop) == {"A": 12, "B": 2, "C": Decimal("2.5")}


def test_of_shopify_s_file_the_rows_of_the_location_count(shop: World, elena: User) -> None:
    header = (
        "Handle,Title,SKU,Location,Committed (not editable),Available (not editable),On hand (current),On hand (new)"
    )
    rows = ("a,A,A,Depozit Cluj,1,6,7,", "a,A,A,Vitrina,0,90,90,", "b,B,B,DEPOZIT CLUJ,0,-2,-2,9")
    rows = (*rows, "c,C,C,Depozit Cluj,,,not stocked,")
    text = io.BytesIO("\n".join((header, *rows)).encode())
    plan = openings.plan_from_file(shop.here, text, "inventory_export.csv", elena, store=shop.store)
    assert dict(plan.lines.values_list("variant__sku", "quantity")) == {"A": 7, "B": -2}
    assert plan.origin == "file inventory_export.csv"


def test_a_location_has_one_open_plan(shop: World, elena: User) -> None:
    first = openings.plan_from_store(shop.here, shop.store, elena)
    with pytest.raises(OpeningRefused, match="open already"):
        openings.plan_from_store(shop.here, shop.store, elena)
    openings.drop(first, elena)
    assert openings.plan_from_store(shop.here, shop.store, elena)
    with pytest.raises(OpeningRefused, match="dropped"):
        openings.sign(first, elena)


def test_what_cannot_be_told_apart_is_refused(shop: World, elena: User) -> None:
    LocationMappingFactory(store_location=shop.store_location, location=LocationFactory(code="vitrina"))
    with pytest.raises(OpeningRefused, match="cannot be told apart"):
        openings.plan_from_store(shop.here, shop.store, elena)


def test_a_location_of_a_billing_warehouse_is_not_opened_here(shop: World, elena: User) -> None:
    shop.here.stock_master, shop.here.billing_warehouse = StockMaster.BILLING, "SmartBill/Central"
    shop.here.save()
    with pytest.raises(OpeningRefused, match="billing warehouse SmartBill/Central"):
        openings.plan_from_store(shop.here, shop.store, elena)


def test_a_worker_that_stops_leaves_the_rest_to_the_next(
    shop: World, elena: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings, "BATCH", 1)
    plan = openings.sign(openings.plan_from_store(shop.here, shop.store, elena), elena)
    assert not openings.post(plan, until=timezone.now())
    assert plan.lines.filter(outcome=OpeningOutcome.PLANNED).count() == 3
    assert openings.post(plan)
    assert on_hand(shop) == {"A": 8, "B": 5, "C": 0}


def test_on_the_page_a_file_becomes_a_plan_that_somebody_signs(shop: World, sign_in: SignIn) -> None:
    client = sign_in("Onboarding")
    page = reverse("admin:openings")
    refused = client.post(page, {"location": "cluj", "source": "file"})
    assert refused.status_code == 422
    assert 'value="cluj" selected' in refused.content.decode()
    upload = SimpleUploadedFile("stoc.csv", file_of("A,12", "B,2").getvalue())
    answer = client.post(page, {"location": "cluj", "source": "file", "file": upload})
    plan = OpeningPlan.objects.get()
    assert answer.headers["Location"] == reverse("admin:opening", args=[plan.pk])
    shown = client.get(answer.headers["Location"]).content.decode()
    assert "1 of 2 levels differs from the ledger" in shown
    assert "Sign and post 1 level" in shown
    lines = b"".join(client.get(reverse("admin:opening_csv", args=[plan.pk])).streaming_content)  # type: ignore[attr-defined]
    assert len(lines.decode().splitlines()) == 3
    assert ("Value that moves, at cost" in shown, ",Value at cost," in lines.decode()) == (True, True)
    assert sign_in("Viewer").post(reverse("admin:opening_sign", args=[plan.pk])).status_code == 403
    client.post(reverse("admin:opening_sign", args=[plan.pk]))
    plan.refresh_from_db()
    assert plan.state in (OpeningState.POSTING, OpeningState.POSTED)


def test_the_command_plans_and_posts(shop: World, elena: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("opening_stock", "cluj", "--store", shop.store.slug)
    assert "Value at cost: " in capsys.readouterr().out
    openings.drop(OpeningPlan.objects.get(), elena)
    call_command("opening_stock", "cluj", "--store", shop.store.slug, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["levels"], told["changes"], told["state"]) == (3, 2, "planned")
    call_command("opening_stock", "cluj", "--post", str(told["plan"]), "--as", elena.email, "--json")
    assert json.loads(capsys.readouterr().out)["outcomes"] == {"posted": 2, "equal": 1}
