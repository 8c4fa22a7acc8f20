"""The page of a run: its lines, filters, export and live region."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import RunItem, SyncRun
from connectors.models.runs import Outcome, RunStatus, Trigger
from connectors.runs import count_outcomes
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.inventory.test_commands import run as command


@pytest.fixture
def run(db: None) -> SyncRun:
    """A run that is being applied, with lines of every kind."""
    run = SyncRun.objects.create(
        store=StoreFactory(),
        kind="inventory.full",
        trigger=Trigger.PERSON,
        status=RunStatus.APPLYING,
        progress_done=120,
        progress_total=214,
        snapshot={},
    )
    lines = [
        ("=CMD()·TS-BLK-M Tricou", 18, 0, ["to_zero", "large"], Outcome.APPLIED, 900),
        ("SC-WOL-U Eșarfă", 130, 61, ["large"], Outcome.REFUSED, 500),
        ("RO-ROC-S Rochie", 4, 9, [], Outcome.HELD, 100),
    ]
    for number, (label, before, after, flags, outcome, risk) in enumerate(lines):
        RunItem.objects.create(
            run=run, subject_id=number + 1, label=label, place="Depozit Cluj", before=before, after=after,
            delta=after - before, flags=flags, outcome=outcome, risk=risk,
            cause="Inventory item not stocked here" if outcome == Outcome.REFUSED else "",
        )  # fmt: skip
    return run


@pytest.fixture
def operator(sign_in: SignIn) -> Client:
    return sign_in("Operator")


def lines_shown(client: Client, run: SyncRun, query: str) -> list[str]:
    page = client.get(reverse("admin:run", args=[run.pk]) + query).content.decode()
    table = page.partition("Lines of the plan")[2]
    return [sku for sku in ("TS-BLK-M", "SC-WOL-U", "RO-ROC-S") if sku in table]


def test_lines_are_shown_worst_first_and_filtered_by_chip_and_words(operator: Client, run: SyncRun) -> None:
    assert lines_shown(operator, run, "") == ["TS-BLK-M", "SC-WOL-U", "RO-ROC-S"]
    assert lines_shown(operator, run, "?flag=to_zero") == ["TS-BLK-M"]
    assert lines_shown(operator, run, "?flag=refused") == ["SC-WOL-U"]
    assert lines_shown(operator, run, "?flag=up") == ["RO-ROC-S"]
    assert lines_shown(operator, run, "?q=eșarfă") == ["SC-WOL-U"]
    assert lines_shown(operator, run, "?q=nothing") == []


def test_what_was_not_carried_out_is_grouped_by_cause(operator: Client, run: SyncRun) -> None:
    page = operator.get(reverse("admin:run", args=[run.pk])).content.decode()
    assert "Inventory item not stocked here" in page
    assert "120 of 214 written (56 %)" in page


def test_the_export_is_data_for_a_spreadsheet(operator: Client, run: SyncRun) -> None:
    answer = operator.get(reverse("admin:run_export", args=[run.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:4] == ["Item", "Location", "Store showed", "Will be"]
    assert rows[1][0].startswith("'=CMD()")
    assert rows[1][4] == "-18"
    assert len(rows) == 4


def test_by_command_the_plan_is_narrowed_and_written_as_the_page_exports_it(
    operator: Client, run: SyncRun, tmp_path: Path
) -> None:
    narrowed = (["--outcome", "refused"], ["--flag", "to_zero"], ["--item", "rochie"], ["--flag", "up", "--item", "18"])
    code, whole, _ = command("plan", str(run.pk))
    assert (code, whole["count"], whole["counts"]) == (0, 3, count_outcomes(run))
    assert [line["delta"] for line in whole["lines"]] == [-18, -69, 5]
    assert [len(command("plan", str(run.pk), *only)[1]["lines"]) for only in narrowed] == [1, 1, 1, 0]

    file = tmp_path / "plan.csv"
    assert command("plan", str(run.pk), "--csv", str(file))[1]["count"] == 3
    answer = operator.get(reverse("admin:run_export", args=[run.pk]))
    assert file.read_bytes() == b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert command("plan", "0")[0] == 2


def test_the_live_region_answers_only_when_something_changed(operator: Client, run: SyncRun) -> None:
    region = reverse("admin:run_live", args=[run.pk])
    fresh = operator.get(region, {"status": run.status, "v": "older"})
    assert "120 of 214 written" in fresh.content.decode()
    version = fresh.content.decode().partition("&amp;v=")[2].partition('"')[0]
    assert operator.get(region, {"status": run.status, "v": version}).status_code == 204
    SyncRun.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED)
    ended = operator.get(region, {"status": RunStatus.APPLYING, "v": version})
    assert ended.headers["HX-Refresh"] == "true"


def test_the_live_region_asks_the_database_little(
    operator: Client, run: SyncRun, django_assert_max_num_queries: object
) -> None:
    region = reverse("admin:run_live", args=[run.pk])
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        operator.get(region, {"status": run.status, "v": "older"})


@pytest.mark.parametrize("status", RunStatus.values)
def test_every_state_has_its_page(operator: Client, run: SyncRun, status: str) -> None:
    run.items.all().delete()
    SyncRun.objects.filter(pk=run.pk).update(
        status=status,
        cause="Shopify unreachable for 10 min.",
        gates=[
            {
                "name": "a",
                "label": "Locations mapped",
                "passed": False,
                "detail": "None is mapped.",
                "remedy": "Map them.",
            }
        ],
    )
    page = operator.get(reverse("admin:run", args=[run.pk]))
    assert page.status_code == 200
    assert RunStatus(status).label in page.content.decode()


def test_pages_of_lines_follow_each_other_without_gaps(operator: Client, run: SyncRun) -> None:
    RunItem.objects.bulk_create(
        RunItem(run=run, subject_id=1000 + number, label=f"N-{number:03}", before=1, after=2, delta=1, risk=number % 3)
        for number in range(120)
    )
    seen: list[str] = []
    address = reverse("admin:run", args=[run.pk])
    query = "?q=N-"
    for _ in range(4):
        page = operator.get(address + query)
        rows = page.context["rows"]
        seen += [row.item.label for row in rows]
        query = page.context["keyset"].older
        if not query:
            break
    assert len(seen) == len(set(seen)) == 120
    back = operator.get(address + page.context["keyset"].newer)
    assert [row.item.label for row in back.context["rows"]] == seen[50:100]
