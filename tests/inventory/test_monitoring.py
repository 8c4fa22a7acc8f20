"""Monitoring: each trouble is injected, found, explained, and gone when it is put right."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from catalog.items import import_items
from catalog.models import Variant
from catalog.tags import refresh_tag_keys
from connectors.models import Store
from inventory import figures, monitoring, participation
from inventory.jobs import Job
from inventory.models import Drift, LevelPublication, PushBatch, Schedule
from inventory.monitoring import Trouble, Watch
from syncconsole.stores_health import store_health
from tests.console.conftest import SignIn
from tests.console.conftest import sign_in as sign_in
from tests.inventory.test_commands import run
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(world: World) -> World:
    """A live store with two levels in step."""
    for sku in ("A", "B"):
        world.item(sku, here=10, there=10)
    world.rest()
    world.full()
    world.store.refresh_from_db()
    world.delta()
    return world


def found(world: World, trouble: Trouble) -> list[str]:
    rows = Watch(world.store).found(trouble)
    return sorted(rows.values_list("listed__variant__sku", flat=True))


def marked_earlier(by: dt.timedelta) -> None:
    """Time passes for every mark."""
    LevelPublication.objects.update(marked_at=F("marked_at") - by)


def test_a_level_that_no_delta_took_is_missed_and_no_more_once_one_did(live: World) -> None:
    live.post("A", 5)
    live.post("B", 1)
    live.post("B", -1)
    assert found(live, Trouble.MISSED) == []
    marked_earlier(Watch(live.store).patience + dt.timedelta(minutes=1))

    assert found(live, Trouble.MISSED) == ["A"], "B is owed nothing"
    assert "missed" in store_health(live.store)[1]
    assert Watch(live.store).why(Trouble.MISSED).remedy

    live.delta()
    assert found(live, Trouble.MISSED) == []


def test_a_change_counts_from_the_first_of_several_and_anew_after_a_push(live: World) -> None:
    live.post("A", 5)
    marked_earlier(dt.timedelta(hours=5))
    live.post("A", 5)
    assert found(live, Trouble.MISSED) == ["A"]
    live.delta()
    live.post("A", 5)
    assert found(live, Trouble.MISSED) == []


def test_a_level_that_is_held_or_takes_no_part_was_not_missed(live: World) -> None:
    live.post("A", 5)
    live.post("B", 5)
    marked_earlier(dt.timedelta(hours=5))
    LevelPublication.objects.filter(listed__variant__sku="A").update(hold_test="b", hold_cause="An order waits.")
    LevelPublication.objects.filter(listed__variant__sku="B").update(excluded="untracked")
    assert found(live, Trouble.MISSED) == []


def test_very_many_marks_are_not_worked_out_one_by_one(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "WORKED_OUT_AT_MOST", 1)
    for sku in ("A", "B"):
        live.post(sku, 5)
    marked_earlier(dt.timedelta(hours=5))
    assert found(live, Trouble.MISSED) == ["A", "B"]


def test_why_levels_were_missed_names_who_moves_next(live: World) -> None:
    def cause() -> str:
        return Watch(live.store).why(Trouble.MISSED).cause

    off = {"enabled": False, "every_minutes": 15}
    Schedule.objects.update_or_create(store=live.store, job=Job.DELTA, defaults=off)
    assert "schedule is off" in cause()
    Store.objects.filter(pk=live.store.pk).update(writes_paused=True, pause_reason="Stock-taking")
    assert "Stock-taking" in cause()


def twice(world: World, by: int, later: dt.timedelta) -> None:
    """The store moves by `by` so long after our push, and a settled read shows it."""
    level = world.publication("A")
    shown = level.expected_quantity + by
    batch = PushBatch.objects.filter(pushes__publication=level, kind="adjust").latest("settled_at")
    assert batch.settled_at is not None
    moved_at = batch.settled_at + later
    LevelPublication.objects.filter(pk=level.pk).update(observed_available=shown, observed_moved_at=moved_at)
    Drift.objects.create(
        publication=level,
        store=world.store,
        quantity=by,
        shown=shown,
        first_seen_at=moved_at + dt.timedelta(hours=1),
        seen_at=moved_at + dt.timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("by", "minutes", "expected"), [(5, 2, ["A"]), (4, 2, []), (-5, 2, []), (5, 11, []), (5, -60, [])]
)
def test_a_push_that_the_store_applied_twice_is_found(live: World, by: int, minutes: int, expected: list[str]) -> None:
    live.post("A", 5)
    live.delta()
    twice(live, by, dt.timedelta(minutes=minutes))
    assert found(live, Trouble.DUPLICATE) == expected


def test_a_duplicate_that_was_decided_is_listed_no_more(live: World) -> None:
    live.post("A", 5)
    live.delta()
    twice(live, 5, dt.timedelta(minutes=1))
    assert "twice" in store_health(live.store)[1]
    Drift.objects.update(state="rejected")
    assert found(live, Trouble.DUPLICATE) == []


def test_an_item_that_loses_its_tag_stops_syncing_and_is_never_zeroed(live: World, viewer: Client) -> None:
    assert live.publication("B").excluded_at is None
    variants = Variant.objects.filter(sku="A")
    variants.update(tags=["online"])
    Store.objects.filter(pk=live.store.pk).update(tags_any=["online"])
    live.store.refresh_from_db()
    for variant in variants:
        refresh_tag_keys([variant.product_id])
    participation.refresh(live.store)
    assert found(live, Trouble.LEFT_SCOPE) == ["B"]
    left_at = live.publication("B").excluded_at
    assert left_at is not None
    listed = viewer.get("/console/monitoring/", {"tab": "left_scope"}).content.decode()
    assert (
        f'Left the tag filter, <time class="c-when" datetime="{left_at.astimezone(live.store.zone):%Y-%m-%d}' in listed
    )

    live.post("B", -10)
    live.rest()
    live.delta()
    live.full()
    assert live.shown("B") == 10
    assert live.fake.variant(live.publication("B").item_ref).sku == "B"
    live.assert_sound()

    Store.objects.filter(pk=live.store.pk).update(tags_any=[])
    live.store.refresh_from_db()
    participation.refresh(live.store)
    assert found(live, Trouble.LEFT_SCOPE) == []
    assert live.publication("B").excluded_at is None
    live.delta()
    assert live.shown("B") == 0


def test_tags_that_a_file_or_a_person_changes_count_from_that_moment(live: World, sign_in: SignIn) -> None:
    Store.objects.filter(pk=live.store.pk).update(tags_any=["online"])
    live.store.refresh_from_db()
    participation.refresh(live.store)
    assert found(live, Trouble.LEFT_SCOPE) == ["A", "B"]

    variant = Variant.objects.select_related("product").get(sku="A")
    row = f"{variant.item_number},{variant.product.handle},"
    import_items(io.BytesIO(f"item_number,handle,tags\n{row}Online\n".encode()), actor=None)
    assert found(live, Trouble.LEFT_SCOPE) == ["B"]
    live.post("A", 5)
    live.delta()
    assert live.shown("A") == 15

    product_page = reverse("admin:catalog_product_change", args=[variant.product_id])
    client = sign_in("Administrator")
    form = client.get(product_page).context["adminform"].form
    formsets = client.get(product_page).context["inline_admin_formsets"]
    fields = {name: form.initial.get(name) or "" for name in form.fields} | {"tags": "summer"}
    for each in formsets:
        management = each.formset.management_form
        fields |= {management.add_prefix(name): value for name, value in management.initial.items()}
        fields |= {f"{one.prefix}-id": one.instance.pk for one in each.formset.initial_forms}
    assert client.post(product_page, fields).status_code == 302
    assert found(live, Trouble.LEFT_SCOPE) == ["A", "B"]
    live.post("A", 5)

    import_items(io.BytesIO(f"item_number,handle,variant_tags\n{row}online\n".encode()), actor=None)
    live.delta()
    assert live.shown("A") == 20


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    return sign_in("Viewer")


def test_each_tab_says_cause_and_remedy(live: World, viewer: Client) -> None:
    for sku in ("A", "B"):
        live.post(sku, 5)
    marked_earlier(dt.timedelta(hours=5))
    page = viewer.get("/console/monitoring/", {"store": live.store.slug}).content.decode()
    assert "2 levels of" in page
    assert "a delta should have taken them within" in page
    for tab in Trouble.values:
        assert viewer.get("/console/monitoring/", {"tab": tab}).status_code == 200
    assert "Monitoring" in viewer.get(f"/console/stores/{live.store.slug}/").content.decode()


def test_the_command_lists_them_and_fails_only_where_it_is_asked_to(live: World) -> None:
    live.post("A", 5)
    marked_earlier(dt.timedelta(hours=5))
    code, told, _ = run("monitoring", live.store.slug)
    assert code == 0
    assert [(name, told[name]["count"]) for name in Trouble.values] == [
        ("missed", 1),
        ("duplicate", 0),
        ("left_scope", 0),
    ]
    assert told["missed"]["remedy"]
    assert told["missed"]["levels"][0]["item"].startswith("A")
    assert run("monitoring", live.store.slug, "--fail-on", "duplicate", "left_scope")[0] == 0
    assert run("monitoring", live.store.slug, "--fail-on", "missed")[0] == 1


def test_the_lag_of_a_push_counts_from_the_oldest_change_that_it_carries(live: World) -> None:
    live.post("A", 5)
    marked_earlier(dt.timedelta(minutes=10))
    live.post("A", 1)
    live.delta()

    hours = figures.per_hour(live.store)

    # The hour may have changed in mid-test.
    [measured] = [hour for hour in hours if hour.p50 is not None]
    assert sum(hour.levels for hour in hours) == 1, "the full sync adopted what was right already"
    assert measured.p50 == measured.p99
    assert measured.p50 is not None
    assert 600 <= measured.p50 < 900


def test_hours_without_a_push_are_gaps(world: World) -> None:
    hours = figures.per_hour()
    assert len(hours) == figures.HOURS
    assert {(hour.levels, hour.p95) for hour in hours} == {(0, None)}
