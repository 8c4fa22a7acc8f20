"""A store's page: settings, token, connection, pause, mappings. What was not asked for stays as it was."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store, StoreLocation
from inventory import mapping
from inventory.jobs import Job
from inventory.models import Location, LocationMapping, Schedule
from syncconsole.kernel.models import AuditEntry, Installation
from syncconsole.setup import LINGERS
from tests.console.conftest import SignIn
from tests.factories.catalog import VariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.worlds import World

TOKEN = "shpat_0123456789abcdef4f2a"


@pytest.fixture
def admin(sign_in: SignIn) -> Client:
    return sign_in("Administrator")


def settings_page(store: Store) -> str:
    return reverse("admin:connectors_store_change", args=[store.pk])


def settings_form(client: Client, store: Store, **changes: object) -> dict[str, object]:
    """The form as the page shows it, with `changes`."""
    form = client.get(settings_page(store)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    kept = {name: "" if value is None else value for name, value in shown.items() if value is not False}
    kept |= {name: field.prepare_value(kept[name]) for name, field in form.fields.items() if name in kept}
    return {name: value for name, value in {**kept, **changes}.items() if value is not None}


def test_the_token_is_shown_by_its_end_only(admin: Client) -> None:
    store = StoreFactory(access_token=TOKEN)
    page = admin.get(settings_page(store)).content.decode()
    assert "ends …4f2a" in page
    assert TOKEN not in page


def test_a_new_token_replaces_the_old_one_and_nothing_else(admin: Client) -> None:
    store = StoreFactory(access_token=TOKEN, buffer=3)
    admin.post(reverse("admin:replace_token", args=[store.slug]), {"token": "shpat_another_token_99"})
    store = Store.objects.get(pk=store.pk)
    assert store.access_token == "shpat_another_token_99"
    assert store.buffer == 3
    entry = AuditEntry.objects.get(action="replace token")
    assert "shpat" not in f"{entry.before}{entry.after}"


def test_settings_are_saved_and_kept_in_the_audit_log(admin: Client) -> None:
    store = StoreFactory(access_token=TOKEN, buffer=0)
    sent = settings_form(admin, store, buffer="4", tags_any="iarnă, Toamnă")
    answer = admin.post(settings_page(store), sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    store = Store.objects.get(pk=store.pk)
    assert (store.buffer, store.tags_any, store.access_token) == (4, ["iarnă", "Toamnă"], TOKEN)
    entry = AuditEntry.objects.get(action="change settings")
    assert entry.before == {"buffer": 0, "tags_any": []}
    assert entry.after == {"buffer": 4, "tags_any": ["iarnă", "Toamnă"]}


def test_a_second_inventory_owner_of_a_shop_domain_is_refused_though_the_domain_is_fixed(admin: Client) -> None:
    owner = StoreFactory()
    second = StoreFactory(shop_domain=owner.shop_domain, inventory_owner=False, live_at=timezone.now())
    answer = admin.post(settings_page(second), settings_form(admin, second, inventory_owner="on"))
    assert "Another account already pushes inventory" in answer.content.decode()


def test_saving_settings_does_not_undo_a_pause_that_came_meanwhile(admin: Client) -> None:
    store = StoreFactory()
    sent = settings_form(admin, store, name="Atelier Nou")
    Store.objects.filter(pk=store.pk).update(writes_paused=True, pause_reason="stock taking")
    admin.post(settings_page(store), sent)
    store.refresh_from_db()
    assert (store.name, store.writes_paused) == ("Atelier Nou", True)


def test_a_connection_test_shows_what_it_found_once_and_changes_no_setting(world: World, admin: Client) -> None:
    before = Store.objects.filter(pk=world.store.pk).values("name", "buffer", "plan", "tags_any").get()
    answer = admin.post(reverse("admin:test_connection", args=[world.store.slug]))
    assert answer.headers["Location"] == settings_page(world.store)
    first, second = (admin.get(settings_page(world.store)).content.decode() for _ in range(2))
    assert "Your preferences are unchanged." in first
    assert "Your preferences are unchanged." not in second
    assert Store.objects.filter(pk=world.store.pk).values("name", "buffer", "plan", "tags_any").get() == before


def test_the_tag_filter_is_counted_before_it_is_saved(sign_in: SignIn) -> None:
    VariantFactory(tags=["Iarnă"])
    VariantFactory(tags=["vară"])
    answer = sign_in("Onboarding").get(reverse("admin:count_in_scope"), {"tags_any": "iarnă, toamnă"})
    assert answer.content.decode() == "1 of 2 variants match this filter."


def test_writes_are_paused_with_a_reason_and_resumed(sign_in: SignIn) -> None:
    store, client = StoreFactory(), sign_in("Operator")
    door = reverse("admin:pause_writes", args=[store.slug])
    client.post(door, {"pause": "1", "reason": ""})
    store.refresh_from_db()
    assert not store.writes_paused
    client.post(door, {"pause": "1", "reason": "stock taking"})
    assert "stock taking" in client.get(reverse("admin:store", args=[store.slug])).content.decode()
    client.post(door, {"pause": "0"})
    store.refresh_from_db()
    assert not store.writes_paused


def test_all_writes_are_paused_from_the_health_page(sign_in: SignIn) -> None:
    client = sign_in("Operator")
    client.post(reverse("admin:pause_all"), {"pause": "1", "reason": "moving house"})
    assert Installation.current().writes_paused
    assert "All writes are paused" in client.get(reverse("admin:index")).content.decode()
    sign_in("Viewer").post(reverse("admin:pause_all"), {"pause": "0"})
    assert Installation.current().writes_paused


def test_locations_are_mapped_one_by_one_or_all_to_one(world: World, admin: Client) -> None:
    shop = Location.objects.create(code="bucuresti", name="Magazin București")
    there = StoreLocation.objects.create(
        store=world.store, ref="gid://l/2", name="Magazin București", seen_at="2026-11-21T10:00Z"
    )
    page = reverse("admin:store_mappings", args=[world.store.slug])
    assert "Proposed by name" in admin.get(page).content.decode()
    admin.post(page, {f"location-{world.here.pk}": world.store_location.pk, f"location-{shop.pk}": there.pk})
    assert LocationMapping.objects.get(location=shop).store_location == there
    admin.post(page, {"all_to": world.store_location.pk})
    assert set(LocationMapping.objects.values_list("store_location", flat=True)) == {world.store_location.pk}


def test_a_mapping_that_the_form_does_not_change_stays(world: World, admin: Client) -> None:
    """A page opened before somebody else mapped a location, a form cut short, an id of another store."""
    shop = Location.objects.create(code="bucuresti", name="Magazin București")
    page, here = reverse("admin:store_mappings", args=[world.store.slug]), f"location-{world.here.pk}"
    form = {here: str(world.store_location.pk), f"was-{here}": str(world.store_location.pk)}
    form |= {f"location-{shop.pk}": "", f"was-location-{shop.pk}": ""}
    mapping.map_locations(world.store, {shop.pk: world.store_location.pk}, None)

    for stale in (form, {}, {"location-999": "7"}):
        assert admin.post(page, stale).status_code == 302
    for wrong in (str(StoreLocationFactory().pk), "zz", "9" * 30):
        refused = admin.post(page, {**form, here: wrong})
        assert (refused.status_code, "The mapping was not changed" in refused.content.decode()) == (422, True)
    assert LocationMapping.objects.filter(store=world.store).count() == 2

    admin.post(page, {**form, here: ""})
    assert [row.location for row in LocationMapping.objects.filter(store=world.store)] == [shop]


def test_a_store_that_another_account_owns_has_no_button_to_press(sign_in: SignIn) -> None:
    owner = StoreFactory(name="Atelier Bucovina RO")
    other = StoreFactory(shop_domain=owner.shop_domain, inventory_owner=False)
    page = sign_in("Operator").get(reverse("admin:store", args=[other.slug])).content.decode()
    assert "Atelier Bucovina RO owns the inventory of this shop domain." in page
    assert reverse("admin:start_job", args=[other.slug, "delta"]) not in page


def test_a_live_store_names_what_is_left_of_setting_up(world: World, admin: Client) -> None:
    Store.objects.update(live_at=timezone.now())
    store = Store.objects.get()

    def left() -> list[tuple[bool, bool]] | None:
        card = admin.get(reverse("admin:store", args=[store.slug])).context["setup"]
        return card and [(step.done, step.open) for step in card.steps]

    assert left() == [(False, True), (False, False)]
    world.sign()
    assert left() == [(True, False), (False, True)]
    Store.objects.update(live_at=timezone.now() - LINGERS)
    assert left() is None
    Store.objects.update(live_at=timezone.now())
    Schedule.objects.create(store=store, job=Job.WEEKLY, enabled=True, at=dt.time(4), weekday=6)
    assert left() is None


def test_the_palette_finds_runs_stores_and_items_by_their_keys(world: World, sign_in: SignIn) -> None:
    world.item("TS-BLK-M", here=5, there=5)
    run = world.full("go-live")
    client = sign_in("Operator")

    def found(words: str) -> str:
        return client.get(reverse("admin:search"), {"s": words, "extended": "1"}).content.decode()

    assert reverse("admin:run", args=[run.pk]) in found(f"run {run.pk}")
    assert "TS-BLK-M" in found("TS-BLK")
    assert reverse("admin:store", args=[world.store.slug]) in found(world.store.name)


def test_the_settings_show_what_the_token_lacks_and_what_follows(sign_in: SignIn) -> None:
    page = sign_in("Onboarding").get(settings_page(StoreFactory(granted_scopes=["write_draft_orders"])))
    shown = page.content.decode()
    assert "No inventory job starts." in shown
    assert "Granted beyond these" in shown
    assert "left: served until" in shown
