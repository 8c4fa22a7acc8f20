"""The change log: stock, pushes, drift and holds in one list, newest first, each line once."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory import change_log, frozen
from inventory.change_log import ChangeKind, Wanted
from inventory.models import Drift, HoldChange
from tests.console.conftest import SignIn
from tests.console.conftest import sign_in as sign_in
from tests.factories.connectors import StoreFactory
from tests.inventory.test_commands import run
from tests.worlds import World

pytestmark = pytest.mark.django_db

PAGE = "/console/change-log/"


@pytest.fixture
def told(world: World) -> World:
    """A, held for an order that is not known; B, pushed; a drift of B."""
    world.item("A", here=10, there=10)
    world.item("B", here=10, there=10)
    world.rest()
    world.full()
    world.store.refresh_from_db()
    world.post("B", 5)
    world.delta()
    world.sell("A", 2)
    world.post("A", -3)
    world.rest()
    world.full()
    shown = world.publication("B")
    now = timezone.now()
    Drift.objects.create(publication=shown, store=world.store, quantity=-2, shown=13, first_seen_at=now, seen_at=now)
    return world


def lines(wanted: Wanted, size: int = 100) -> list[tuple[str, str]]:
    found, after = change_log.page(wanted, None, size)
    assert after is None
    return [(change.kind.value, change.what) for change in found]


def test_everything_that_happened_to_a_level_stands_in_one_list(told: World) -> None:
    of_b = lines(Wanted(publication=told.publication("B").pk))
    assert of_b == [
        ("drift", "Store showed 13"),
        ("push", "Pushed"),
        ("stock", "Received"),
        ("push", "Baseline"),
        ("stock", "Opening"),
    ]
    of_a = lines(Wanted(publication=told.publication("A").pk))
    assert of_a[0] == ("hold", "Held: the store has orders that are not known here")
    assert of_a[1] == ("stock", "Received")


def test_a_hold_that_ends_is_told_too(told: World) -> None:
    told.fake.fulfil(told.publication("A").item_ref, told.there, 2)
    told.rest()
    told.full()
    [ended, begun] = HoldChange.objects.order_by("-id")
    assert (ended.test, begun.test) == ("", "b")
    assert "committed in orders" in begun.cause
    assert told.publication("A").hold_test == ""


def test_a_level_that_stays_held_is_told_once(told: World) -> None:
    told.rest()
    told.full()
    assert HoldChange.objects.count() == 1


def set_aside(world: World, sku: str) -> list[tuple[str, str, str]]:
    """What the log tells of the level's being set aside, oldest first: what, why, who."""
    wanted = Wanted(kinds=[ChangeKind.HOLD], publication=world.publication(sku).pk)
    return [(change.what, change.detail, change.who) for change in change_log.every(wanted)][::-1]


def test_a_level_that_its_store_refused_and_a_person_let_go(told: World) -> None:
    told.fake.poison(told.publication("B").item_ref)
    told.post("B", 1)
    told.delta()
    level = told.publication("B")
    assert set_aside(told, "B") == [("Held: set aside", level.state_cause, "")]
    told.rest()
    told.plan_full()  # finds it set aside, which is no second hold

    frozen.release([level.pk], by=told.operator, reason="The item was mended in the store.")

    ended = ("No longer held", "The item was mended in the store.", str(told.operator))
    assert set_aside(told, "B") == [("Held: set aside", level.state_cause, ""), ended]


def test_a_level_that_was_held_before_is_held_when_it_is_let_go(told: World) -> None:
    """A is held for an order that is not known; its store refuses it, too, and then a person lets it go."""
    level = told.publication("A")
    frozen.freeze_all({level.pk: "Two writers alternate."})
    frozen.release([level.pk], by=told.operator, reason="One of them is gone.")
    assert [what for what, _, _ in set_aside(told, "A")] == [
        "Held: the store has orders that are not known here",
        "Held: set aside",
        "No longer held",
    ]


def test_the_history_of_holds_cannot_be_changed(told: World) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        HoldChange.objects.update(test="a")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        HoldChange.objects.all().delete()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_hold_every_line_once_also_where_moments_are_equal(told: World, size: int) -> None:
    whole, _ = change_log.page(Wanted(), None, 100)
    paged = [(change.kind, change.id) for change in change_log.every(Wanted(), size)]
    assert paged == [(change.kind, change.id) for change in whole]
    assert len(set(paged)) == len(paged) > 8


def test_filters_narrow_to_what_they_name(told: World) -> None:
    variant = told.publication("A").listed.variant_id
    assert {change.item for change in change_log.every(Wanted(variants=[variant]))} == {
        str(told.publication("A").listed.variant)
    }
    assert {kind for kind, _ in lines(Wanted(kinds=[ChangeKind.HOLD]))} == {"hold"}
    assert lines(Wanted(store=StoreFactory())) == []
    assert lines(Wanted(location="elsewhere")) == []
    assert len(lines(Wanted(store=told.store, location="cluj"))) == len(lines(Wanted()))
    assert lines(Wanted(until=timezone.now() - dt.timedelta(days=1))) == []
    assert lines(Wanted(since=timezone.now() + dt.timedelta(days=1))) == []


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    return sign_in("Viewer")


def test_the_page_asks_the_same_whatever_is_in_it(told: World, viewer: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert viewer.get(f"{PAGE}?store={told.store.slug}").status_code == 200
        return len(queries)

    asked()
    few = asked()
    for _ in range(30):
        told.post("B", 1)
    assert asked() == few <= 15


def test_the_file_has_every_line_and_runs_nothing(told: World, viewer: Client) -> None:
    told.post("A", 1, key="=cmd")
    answer = viewer.get(f"{PAGE}?format=csv&store={told.store.slug}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert len(text.splitlines()) == 1 + len(list(change_log.every(Wanted(store=told.store))))
    assert "attachment" in answer["Content-Disposition"]
    assert "'+" not in text.splitlines()[1], "numbers stay numbers"


@pytest.mark.parametrize("after", ["x", "1,2", "9" * 40 + ",0,1", "1,0," + "9" * 40])
def test_an_address_that_makes_no_sense_shows_a_page(told: World, viewer: Client, after: str) -> None:
    assert viewer.get(PAGE, {"after": after, "level": "9" * 30, "from": "soon", "kind": "?"}).status_code == 200


def test_the_command_prints_the_newest_and_writes_all_of_them(told: World, tmp_path: Path) -> None:
    slug, path = told.store.slug, tmp_path / "changes.csv"
    code, data, _ = run("change_log", slug, "--sku", "B", "--limit", "2")
    assert (code, data["more"]) == (0, True)
    assert [(row["kind"], row["what"], row["quantity"]) for row in data["changes"]] == [
        ("drift", "Store showed 13", "-2"),
        ("push", "Pushed", "5"),
    ]

    narrowed = ("--kind", "stock", "push", "--location", "cluj", "--since", "2020-01-01")
    code, data, _ = run("change_log", slug, *narrowed, "--csv", str(path))
    whole = [change for change in change_log.every(Wanted(store=told.store)) if change.kind.value in ("stock", "push")]
    assert (code, data["count"]) == (0, len(whole))
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [(row["Kind"], row["Item"], row["What"]) for row in rows] == [
        (change.kind.label, change.item, change.what) for change in whole
    ]


def test_the_file_of_the_command_is_that_of_the_page(told: World, viewer: Client, tmp_path: Path) -> None:
    path = tmp_path / "changes.csv"
    assert run("change_log", told.store.slug, "--csv", str(path))[0] == 0
    page = viewer.get(f"{PAGE}?format=csv&store={told.store.slug}")
    assert path.read_bytes() == b"".join(page.streaming_content)


@pytest.mark.parametrize(
    "wrong", [("--sku", "Z"), ("--location", "nowhere"), ("--since", "soon"), ("--limit", "0"), ("--csv", "/no/x.csv")]
)
def test_what_the_command_cannot_understand_is_refused_with_a_remedy(world: World, wrong: tuple[str, str]) -> None:
    code, refused, _ = run("change_log", world.store.slug, *wrong)
    assert code == 2
    assert refused["remedy"]
