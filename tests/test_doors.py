"""Every page of the console asks for its right: found by walking the addresses, so that a new page is tried as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from catalog.models import CloneSuspect
from connectors.models import RemoteChange, Store, SyncRun, WebhookDelivery
from connectors.models.runs import RunStatus
from inventory.models import InventoryLevel, LevelPublication, LocationMapping
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.models import User
from syncconsole.kernel.roles import ROLES
from tests.factories.kernel import UserFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db

OPEN_IN_DEVELOPMENT = {"components"}


def pages(patterns: list[Any] | None = None) -> Iterator[tuple[str, type[ConsolePage], list[str]]]:
    """Name, class and argument names of every page of ours."""
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            callback: Any = getattr(pattern.callback, "__wrapped__", pattern.callback)
            found = getattr(callback, "view_class", None) or getattr(pattern.callback, "view_class", None)
            if isinstance(found, type) and issubclass(found, ConsolePage) and pattern.name not in OPEN_IN_DEVELOPMENT:
                yield str(pattern.name), found, list(pattern.pattern.converters)


PAGES = {name: (page, arguments) for name, page, arguments in pages()}


@pytest.fixture
def people() -> dict[str, User]:
    return {role: UserFactory(roles=[role]) for role in ROLES}


@pytest.fixture
def run(world: World) -> SyncRun:
    world.item("A", here=5, there=7)
    world.rest()
    return world.plan_full()


def delivery_of(store: Store) -> WebhookDelivery:
    told = {"topic": "carts/create", "state": "failed", "received_at": timezone.now(), "body": b'{"id": 1}'}
    return WebhookDelivery.objects.get_or_create(store=store, delivery_ref="w1", defaults=told)[0]


def change_of(store: Store) -> RemoteChange:
    told = {"state": "failed", "first_noticed_at": timezone.now(), "noticed_at": timezone.now()}
    return RemoteChange.objects.get_or_create(store=store, kind="order", ref="order 1", defaults=told)[0]


def suspect_of(store: Store) -> CloneSuspect:
    told = {"copy_ref": "variant/2", "copy_item": "item/2", "first_seen_at": timezone.now(), "original_item": "item/1"}
    return CloneSuspect.objects.get_or_create(store=store, original_ref="variant/1", defaults=told)[0]


def address(name: str, run: SyncRun) -> str:
    _, arguments = PAGES[name]
    keys: dict[str, Any] = {"slug": run.store.slug, "pk": run.pk, "line": 1, "mode": "delta", "name": "credit-memos"}
    if name == "why":
        keys["pk"] = LevelPublication.objects.get().pk
    elif name.startswith("webhook") and arguments:
        keys["pk"] = delivery_of(run.store).pk
    elif name.startswith("change") and arguments:
        keys["pk"] = change_of(run.store).pk
    elif name == "decide_clone":
        keys["pk"] = suspect_of(run.store).pk
    elif name == "why_level":
        keys["pk"] = InventoryLevel.objects.get().pk
    return reverse(f"admin:{name}", kwargs={argument: keys[argument] for argument in arguments})


def test_the_walk_finds_the_pages() -> None:
    assert {"stores", "run", "run_approve", "replace_token", "record_stock", "pause_all", "start_full"} <= set(PAGES)


def test_every_page_names_a_right() -> None:
    assert not [name for name, (page, _) in PAGES.items() if not page.permission]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_exactly_the_pages_it_has_the_right_to(role: str, run: SyncRun, people: dict[str, User]) -> None:
    client, person = Client(), people[role]
    client.force_login(person)
    for name, (page, _) in PAGES.items():
        reads = "get" in page.http_method_names and hasattr(page, "get")
        reply = client.get(address(name, run)) if reads else client.post(address(name, run))
        if person.has_perm(page.permission):
            assert reply.status_code != 403, name
            assert reply.status_code < 500, name
        else:
            assert reply.status_code == 403, name


def test_nobody_gets_anywhere_without_signing_in(run: SyncRun) -> None:
    for name in PAGES:
        opened, sent = Client().get(address(name, run)), Client().post(address(name, run))
        assert opened.status_code == 302, name
        assert opened.headers["Location"].startswith(reverse("admin:login")), name
        assert (sent.status_code, [template.name for template in sent.templates][:1]) == (
            403,
            ["errors/form_expired.html"],
        ), name


@pytest.mark.parametrize("role", ["Onboarding", "Accountant"])
def test_what_gates_and_numbers_lead_to_is_open_to_who_sees_them(
    world: World, people: dict[str, User], role: str
) -> None:
    publication, client = world.item("TS-BLK-M", here=5, there=5), Client()
    client.force_login(people[role])
    pages = [reverse("admin:store_gates", args=[world.store.slug]), reverse("admin:why", args=[publication.pk])]
    pages.append(reverse("admin:why_level", args=[world.level("TS-BLK-M").pk]))
    for page in pages:
        shown = client.get(page)
        shows = shown.status_code == 200
        body = shown.content.decode().partition('id="content-main"')[2].partition("</main>")[0] if shows else ""
        for link in set(re.findall(r'href="(/console/[^"#]+)"', body)):
            assert client.get(link.replace("&amp;", "&")).status_code == 200, (page, link)


@pytest.mark.parametrize("role", ["Viewer", "Onboarding", "Accountant"])
def test_roles_without_the_right_move_nothing(role: str, run: SyncRun, people: dict[str, User]) -> None:
    """Every door that changes something, tried with the form it expects."""
    store = run.store
    client = Client()
    client.force_login(people[role])
    posts: dict[str, dict[str, Any]] = {
        "run_approve": {"confirmation": store.slug},
        "run_reject": {"reason": "no"},
        "run_cancel": {},
        "pause_writes": {"pause": "1", "reason": "no"},
        "pause_all": {"pause": "1", "reason": "no"},
        "webhook_retry": {},
        "webhook_ignore": {"reason": "no"},
        "change_retry": {},
        "change_ignore": {"reason": "no"},
        "changes_retry": {},
        "decide_clone": {"decision": "wait"},
        "check_subscriptions": {},
        "start_job": {},
        "run_undo": {"reason": "no"},
        "release_set_aside": {"reason": "no"},
        "start_full": {"reason": "go-live", "confirmation": store.slug},
        "record_stock": {"variant": "A", "quantity": "5"},
        "replace_token": {"token": "shpat_0123456789"},
    }
    runs_before = SyncRun.objects.count()
    for name, form in posts.items():
        client.post(address(name, run), form)

    run.refresh_from_db()
    store = Store.objects.get(pk=store.pk)
    assert run.status == RunStatus.AWAITING_APPROVAL
    assert delivery_of(store).state == "failed"
    assert change_of(store).state == "failed"
    assert SyncRun.objects.count() == runs_before
    assert suspect_of(store).decision == ""
    assert not store.writes_paused
    assert store.access_token == "shpat_test"
    assert InventoryLevel.objects.get().on_hand == 5


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Accountant"])
def test_roles_without_the_right_map_nothing(role: str, run: SyncRun, people: dict[str, User]) -> None:
    client = Client()
    client.force_login(people[role])
    client.post(address("store_mappings", run), {})
    assert LocationMapping.objects.filter(store=run.store).count() == 1


def test_an_operator_takes_the_decision_an_onlooker_cannot(run: SyncRun, people: dict[str, User]) -> None:
    client = Client()
    client.force_login(people["Operator"])
    client.post(address("run_reject", run), {"reason": "Quantities look wrong"})
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert run.created_at < timezone.now()
