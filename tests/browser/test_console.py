"""What a person does in a real browser: sees what waits, approves as a second person, watches, asks why."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Error, Page, expect

from connectors.models import SyncRun
from connectors.models.runs import RunStatus, Trigger
from inventory import audit
from tests.browser.conftest import OpenPage
from tests.console import showcase
from tests.factories.kernel import UserFactory
from tests.worlds import World


@pytest.fixture
def waiting(live_world: World) -> SyncRun:
    """A live store with a plan over its limits, asked for by the world's operator."""
    showcase.live_store(live_world, items=40)
    run = showcase.plan_over_limits(live_world)
    audit.audit_ledger()
    return run


def test_home_leads_to_the_plan_that_waits(waiting: SyncRun, open_page: OpenPage) -> None:
    page = open_page(UserFactory(roles=["Operator"]), "/console/")
    expect(page.get_by_role("heading", name="Needs you (1)")).to_be_visible()
    expect(page.get_by_text("Ledger 40 levels, 0 differences")).to_be_visible()
    page.get_by_role("link", name="Review plan").click()
    expect(page).to_have_url(re.compile(rf"/console/runs/{waiting.pk}/$"))


def test_a_second_person_approves_the_plan(waiting: SyncRun, live_world: World, open_page: OpenPage) -> None:
    address = reverse("admin:run", args=[waiting.pk])
    starter = open_page(live_world.operator, address)
    expect(starter.get_by_text("Approving needs someone else")).to_be_visible()
    expect(starter.get_by_role("button", name="Approve 27 changes")).to_be_disabled()

    second = open_page(UserFactory(roles=["Operator"]), address)
    second.get_by_role("button", name="Approve 27 changes").click()
    expect(second.get_by_role("alert")).to_contain_text("Nothing was approved")
    second.get_by_label("Type bucovina-ro").fill("bucovina-ro")
    second.get_by_role("button", name="Approve 27 changes").click()
    expect(second.get_by_text("27 changes approved")).to_be_visible()
    waiting.refresh_from_db()
    assert waiting.status == RunStatus.APPLYING


def test_progress_moves_by_itself_until_the_run_is_done(live_world: World, open_page: OpenPage) -> None:
    run = SyncRun.objects.create(
        store=live_world.store,
        kind="inventory.full",
        trigger=Trigger.PERSON,
        status=RunStatus.APPLYING,
        progress_done=10,
        progress_total=200,
        snapshot={},
    )
    page = open_page(UserFactory(roles=["Operator"]), reverse("admin:run", args=[run.pk]))
    expect(page.get_by_text("10 of 200 written (5 %)")).to_be_visible()
    SyncRun.objects.filter(pk=run.pk).update(progress_done=150)
    expect(page.get_by_text("150 of 200 written (75 %)")).to_be_visible()
    SyncRun.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED, counts={"applied": 200})
    expect(page.get_by_text("200 changed.")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_count(0)


def test_a_number_explains_itself_now_and_at_a_past_moment(
    waiting: SyncRun, live_world: World, open_page: OpenPage
) -> None:
    publication = live_world.publication("TS-BLK-M")
    page = open_page(UserFactory(roles=["Viewer"]), reverse("admin:why", args=[publication.pk]))
    sums = page.get_by_role("region", name="What we say").get_by_role("row")
    numbers = [cells.get_by_role("cell").nth(1).inner_text() for cells in sums.all()[1:]]
    assert numbers == ["+60", "+24", "−31", "= 53", "= 53"]
    page.get_by_label("At", exact=True).fill("2020-01-01T10:00")
    page.get_by_role("button", name="Show that moment").click()
    expect(page.get_by_text("As it was on 1 Jan 2020 10:00.")).to_be_visible()
    page.get_by_role("link", name="Back to now").click()
    expect(page).to_have_url(re.compile(r"/why/\??$"))


UPSTREAM = {
    "region",
    "landmark-one-main",
    "landmark-unique",
    "landmark-no-duplicate-main",
    "list",
    "empty-table-header",
    "aria-allowed-attr",
}
"""Rules that the theme's own frame breaks; our content is checked without its frame."""


def problems(page: Page) -> list[str]:
    """What axe finds in our own content: the rule and the first element."""
    options = {"rules": {rule: {"enabled": False} for rule in UPSTREAM}}
    found = Axe().run(page, context={"include": [["main.c-page"]]}, options=options)
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found.response["violations"]]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("dark", [False, True])
def test_our_pages_are_accessible(dark: bool, waiting: SyncRun, live_world: World, open_page: OpenPage) -> None:
    person = UserFactory(is_superuser=True)
    slug = live_world.store.slug
    showcase.conflict(live_world.store)
    showcase.copied_product(live_world, count=8)
    showcase.clones(live_world, count=2, skip=8)
    pages = ("index", "levels", "ledger", "held", "links", "quarantine", "change_log", "runs", "health")
    addresses = {name: reverse(f"admin:{name}") for name in pages}
    addresses |= {
        name: reverse(f"admin:{name}", args=[slug]) for name in ("store", "store_gates", "store_mappings", "start_full")
    }
    addresses["run"] = reverse("admin:run", args=[waiting.pk])
    addresses["why"] = reverse("admin:why", args=[live_world.publication("AB-002").pk])
    if dark:  # the same elements in other colours: five pages show them all
        addresses = {name: addresses[name] for name in ("index", "levels", "quarantine", "run", "why")}
    page = open_page(person, addresses.pop("index"), dark=dark)
    found = {"index": problems(page)}
    for name, address in addresses.items():
        page.goto(page.url.partition("/console/")[0] + address)
        found[name] = problems(page)
    assert {name: each for name, each in found.items() if each} == {}


def test_a_file_is_chosen_and_recorded(live_world: World, open_page: OpenPage) -> None:
    live_world.item("A", here=5, there=5)
    page = open_page(UserFactory(roles=["Operator"]), reverse("admin:record_stock"))
    faults: list[Error] = []
    page.on("pageerror", lambda fault: faults.append(fault))
    rows = b"sku,location,quantity,reason,ref\nA,cluj,3,received,AVZ-1\n"
    page.get_by_label("CSV file").set_input_files({"name": "picks.csv", "mimeType": "text/csv", "buffer": rows})
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("heading", name="1 row recorded")).to_be_visible()
    assert (live_world.level("A").on_hand, faults) == (8, [])


def test_pages_fit_a_phone(waiting: SyncRun, live_world: World, open_page: OpenPage) -> None:
    page = open_page(UserFactory(is_superuser=True), "/console/", width=390)
    root = page.url.partition("/console/")[0]
    for address in (
        "/console/",
        reverse("admin:run", args=[waiting.pk]),
        reverse("admin:levels"),
        reverse("admin:ledger"),
        reverse("admin:why", args=[live_world.publication("TS-BLK-M").pk]),
    ):
        page.goto(root + address)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, address
