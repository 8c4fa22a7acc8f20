"""Every page opens, for whom it should, with few queries."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import ListedVariant
from connectors.models import Store
from syncconsole.dashboard import drift_over_days, not_linked
from syncconsole.store_health import health_of
from tests.console import showcase
from tests.console.conftest import SignIn
from tests.factories.inventory import InventoryLevelFactory
from tests.worlds import World

MOST_QUERIES = 15
MOST_BYTES = 200_000
NOBODY = 0


def addresses(world: World) -> dict[str, str]:
    """Each page of the console, by a name for the test's report."""
    slug, run = world.store.slug, world.store.runs.first()
    publication = world.publication("TS-BLK-M")
    assert run is not None
    named = [
        "index", "runs", "levels", "ledger", "held", "quarantine", "change_log", "monitoring",
        "links", "import_items", "record_stock", "stores", "health",
        "webhooks", "changes", "openings",
        "inventory_location_changelist", "inventory_location_add", "catalog_product_changelist",
        "catalog_variant_changelist", "catalog_listedvariant_changelist", "connectors_noticerule_changelist",
        "connectors_noticerule_add", "connectors_store_add", "kernel_auditentry_changelist", "kernel_user_changelist",
        "kernel_user_add", "auth_group_changelist", "django_celery_beat_periodictask_changelist",
    ]  # fmt: skip
    found = {name: reverse(f"admin:{name}") for name in named}
    for name in (
        "store",
        "store_gates",
        "store_mappings",
        "store_runs",
        "store_webhooks",
        "start_full",
        "validation",
        "untracked",
    ):
        found[name] = reverse(f"admin:{name}", args=[slug])
    found["run"] = reverse("admin:run", args=[run.pk])
    found["why"] = reverse("admin:why", args=[publication.pk])
    found["why_level"] = reverse("admin:why_level", args=[world.level("TS-BLK-M").pk])
    found["settings"] = reverse("admin:connectors_store_change", args=[world.store.pk])
    found["variant"] = reverse("admin:catalog_variant_change", args=[publication.listed.variant_id])
    found["product"] = reverse("admin:catalog_product_change", args=[publication.listed.variant.product_id])
    found["drift"] = reverse("admin:held") + "?tab=drift"
    found["drift left alone"] = reverse("admin:held") + "?tab=drift&ignored=1"
    found["decide"] = reverse("admin:decide_drift") + f"?store={slug}&cause=unknown&decision=keep"
    found["sign"] = reverse("admin:sign_offset", args=[world.publication("AB-001").pk])
    found["levels held"] = reverse("admin:levels") + f"?store={slug}&state=held"
    found["levels to push"] = reverse("admin:levels") + f"?store={slug}&state=to_push&q=AB&zero=1&location=cluj"
    found["our levels"] = reverse("admin:levels") + "?store="
    return found


def test_every_page_opens_and_asks_the_database_little(world: World, shown: Store, sign_in: SignIn) -> None:
    showcase.plan_over_limits(world)
    showcase.conflict(shown)
    showcase.clones(world)
    showcase.store_in_setup()
    client = sign_in()
    asked_most: dict[str, int] = {}
    for name, address in addresses(world).items():
        cache.clear()
        # What takes long to count is kept for a while; the rest must not grow with the number of stores.
        drift_over_days(*Store.objects.values_list("pk", flat=True))
        for store in Store.objects.all():
            health_of(store, NOBODY)
            not_linked(store.pk)
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        assert answer.status_code == 200, name
        assert len(answer.content) < MOST_BYTES, name
        asked_most[name] = sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in asked)
    assert {name: count for name, count in asked_most.items() if count > MOST_QUERIES} == {}


def test_pages_ask_no_more_when_there_are_more_rows(world: World, sign_in: SignIn) -> None:
    client = sign_in()
    showcase.live_store(world, items=8)
    pages = ["levels", "ledger", "held", "runs"]

    def asked_by(name: str) -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse(f"admin:{name}"))
        return len(asked)

    few = {name: asked_by(name) for name in pages}
    for number in range(100, 160):
        world.item(f"MORE-{number}", here=number, there=number)
    assert {name: asked_by(name) for name in pages} == few


def test_home_leads_nobody_to_a_closed_page(world: World, sign_in: SignIn) -> None:
    showcase.conflict(world.store)
    for role in ("Viewer", "Accountant", "Onboarding", "Operator", "Administrator"):
        client = sign_in(role)
        shown = client.get(reverse("admin:index")).context
        (step,) = [step for step in shown["setup"].steps if step.open]
        for url in [need.url for need in shown["needs"]] + [step.url] * bool(step.url):
            assert client.get(url).status_code == 200, (role, url)
        assert bool(step.url) != ("another role than yours" in step.why), role


def test_an_empty_console_says_what_to_do_next(sign_in: SignIn) -> None:
    client = sign_in()
    for name, says in {
        "index": "Connect a store",
        "stores": "No store yet",
        "runs": "No run yet",
        "levels": "No level yet",
        "ledger": "The ledger is empty",
        "held": "Nothing is held",
        "links": "No store yet",
        "changes": "No change yet",
    }.items():
        assert says in client.get(reverse(f"admin:{name}")).content.decode(), name


def test_the_root_leads_to_the_console(sign_in: SignIn) -> None:
    assert sign_in().get("/").headers["Location"] == "/console/"


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        ("Viewer", {"import_items", "record_stock", "kernel_auditentry_changelist", "kernel_user_changelist"}),
        ("Operator", {"kernel_auditentry_changelist", "kernel_user_changelist", "connectors_store_add"}),
        ("Onboarding", {"ledger", "record_stock", "kernel_user_changelist", "kernel_auditentry_changelist"}),
        ("Accountant", {"ledger", "levels", "runs", "held", "links", "import_items", "record_stock"}),
        ("Administrator", set()),
    ],
)
def test_a_role_opens_its_pages_and_no_other(role: str, closed: set[str], shown: Store, sign_in: SignIn) -> None:
    client = sign_in(role)
    pages = {"index", "stores", "ledger", "levels", "runs", "held", "links", "import_items", "record_stock"} | closed
    refused = {name for name in pages if client.get(reverse(f"admin:{name}")).status_code == 403}
    assert refused == closed


def test_a_page_that_is_not_open_says_who_can_open_it(sign_in: SignIn) -> None:
    sign_in("Operator")
    text = sign_in("Viewer").get(reverse("admin:record_stock")).content.decode()
    assert "It opens for Administrator, Operator." in text
    assert "Ana Ionescu" in text


def test_the_sidebar_shows_what_a_role_may_open_and_counts_decisions(world: World, sign_in: SignIn) -> None:
    showcase.live_store(world)
    home = sign_in("Accountant").get(reverse("admin:index")).content.decode()
    assert reverse("admin:ledger") + '"' not in home.partition("<main")[0]
    assert ">None<" not in home
    showcase.plan_over_limits(world)
    cache.clear()
    home = sign_in("Operator").get(reverse("admin:index")).content.decode()
    assert "waits for approval" in home


def test_people_who_did_not_sign_in_are_sent_to_the_sign_in_page(client: object, db: None) -> None:
    from django.test import Client

    for name in ("index", "levels", "ledger", "runs"):
        answer = Client().get(reverse(f"admin:{name}"))
        assert answer.status_code == 302
        assert "/console/login/" in answer.headers["Location"]


def test_home_counts_variants_with_stock_that_the_store_does_not_know(world: World, sign_in: SignIn) -> None:
    store = showcase.live_store(world, items=8)
    InventoryLevelFactory(location=world.here, on_hand=4)
    InventoryLevelFactory(location=world.here)  # no stock: nobody waits for it
    home = sign_in("Operator").get(reverse("admin:index")).content.decode()
    assert "Not linked" in home
    assert f'?store={store.slug}&amp;state=not_listed">1 variant</a>' in home


def test_home_counts_variants_that_the_store_does_not_track_and_leads_to_their_list(
    world: World, sign_in: SignIn
) -> None:
    store, client = showcase.live_store(world), sign_in("Operator")
    assert "Not tracked" not in client.get(reverse("admin:index")).content.decode()
    ListedVariant.objects.filter(pk=world.publication("TS-BLK-M").listed_id).update(tracked=False)
    home = client.get(reverse("admin:index")).content.decode()
    assert f'{reverse("admin:untracked", args=[store.slug])}">1 variant</a>' in home


def test_home_counts_levels_that_were_never_published_and_leads_to_their_manual_run(
    world: World, sign_in: SignIn
) -> None:
    client, new = sign_in("Operator"), "nothing was written there yet"
    world.item("A", here=5, there=5)
    assert new not in client.get(reverse("admin:index")).content.decode(), "a full sync comes first"
    store = showcase.live_store(world, items=8)
    assert new not in client.get(reverse("admin:index")).content.decode()
    world.item("NEW", here=5, there=5)
    address = f"{reverse('admin:levels')}?store={store.slug}&state=no_baseline"
    assert address.replace("&", "&amp;") + '">1 level</a>' in client.get(reverse("admin:index")).content.decode()
    assert "Plan them now" in client.get(address).content.decode()


def test_a_moment_that_is_none_or_lies_ahead_is_refused_and_now_is_shown(world: World, sign_in: SignIn) -> None:
    showcase.live_store(world)
    client, why = sign_in("Viewer"), reverse("admin:why", args=[world.publication("TS-BLK-M").pk])
    for asked, said in (("yesterday", "could not be read"), ("2999-01-01T00:00", "lies ahead")):
        page = client.get(why, {"at": asked}).content.decode()
        assert said in page
        assert "As it was on" not in page
    assert "As it was on" in client.get(why, {"at": "2020-01-01T00:00"}).content.decode()
