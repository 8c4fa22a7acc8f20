"""Every page opens, for whom it should, with few queries."""

from __future__ import annotations

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connectors.models import Store
from tests.console import showcase
from tests.console.conftest import SignIn
from tests.worlds import World

MOST_QUERIES = 15


def addresses(world: World) -> dict[str, str]:
    """Each page of the console, by a name for the test's report."""
    slug, run = world.store.slug, world.store.runs.first()
    publication = world.publication("TS-BLK-M")
    assert run is not None
    named = [
        "index", "runs", "levels", "ledger", "held", "links", "import_items", "record_stock", "stores", "health",
        "inventory_location_changelist", "inventory_location_add", "catalog_product_changelist",
        "catalog_variant_changelist", "catalog_listedvariant_changelist", "connectors_noticerule_changelist",
        "connectors_noticerule_add", "connectors_store_add", "kernel_auditentry_changelist", "kernel_user_changelist",
        "kernel_user_add", "auth_group_changelist", "django_celery_beat_periodictask_changelist",
    ]  # fmt: skip
    found = {name: reverse(f"admin:{name}") for name in named}
    for name in ("store", "store_gates", "store_mappings", "store_runs", "start_full"):
        found[name] = reverse(f"admin:{name}", args=[slug])
    found["run"] = reverse("admin:run", args=[run.pk])
    found["why"] = reverse("admin:why", args=[publication.pk])
    found["why_level"] = reverse("admin:why_level", args=[world.level("TS-BLK-M").pk])
    found["settings"] = reverse("admin:connectors_store_change", args=[world.store.pk])
    found["variant"] = reverse("admin:catalog_variant_change", args=[publication.listed.variant_id])
    found["product"] = reverse("admin:catalog_product_change", args=[publication.listed.variant.product_id])
    found["drift"] = reverse("admin:held") + "?tab=drift"
    found["levels held"] = reverse("admin:levels") + f"?store={slug}&state=held"
    found["levels to push"] = reverse("admin:levels") + f"?store={slug}&state=to_push&q=AB&zero=1&location=cluj"
    found["our levels"] = reverse("admin:levels") + "?store="
    return found


def test_every_page_opens_and_asks_the_database_little(world: World, shown: Store, sign_in: SignIn) -> None:
    showcase.plan_over_limits(world)
    showcase.conflict(shown)
    showcase.store_in_setup()
    client = sign_in()
    for name, address in addresses(world).items():
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.get(address)
        assert answer.status_code == 200, name
        statements = [query["sql"] for query in asked if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(answer.content) < 200_000, name
        print(name, len(statements), len(answer.content))
