"""The ATS sheet: both systems side by side, a sample that people count, a signature that does not outlive what it says."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models.runs import Trigger
from connectors.runs import RunRefused
from inventory import audit, jobs, signatures, validation
from inventory.gates import gates_for
from inventory.jobs import Job
from inventory.models import LevelPublication, Validation, ValidationSample
from inventory.validation import ValidationRefused
from syncconsole.kernel.models import AuditEntry, User
from tests.console.conftest import SignIn as SignIn
from tests.console.conftest import sign_in as sign_in
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(world: World) -> World:
    """Three items in step with the store."""
    for number, sku in enumerate(("A", "B", "C"), 5):
        world.item(sku, here=number, there=number)
    world.rest()
    world.full("go-live")
    world.delta()
    return world


@pytest.fixture
def elena(db: None) -> User:
    return UserFactory(roles=["Onboarding"], first_name="Elena", last_name="Marin")


def count_all(world: World, by: User, *, off: int = 0, note: str = "") -> Validation:
    sheet = validation.draw(world.store, by)
    for sample in sheet.samples.all():
        level = world.level(sample.publication.listed.variant.sku)
        validation.count(sample, level.on_hand + off, note, by)
    return sheet


def gate(world: World) -> tuple[bool, str]:
    found = next(gate for gate in gates_for(world.store, Job.DAILY) if gate.name == "ats_validated")
    return found.passed, found.detail


def test_the_sheet_counts_what_is_equal_what_differs_and_what_is_held(live: World) -> None:
    assert validation.counts(live.store.pk) == validation.SheetCounts(levels=3, equal=3, differ=0, held=0)
    live.post("A", 4)
    LevelPublication.objects.filter(listed__variant__sku="B").update(hold_test="b", hold_cause="An order is not here.")
    assert validation.counts.anew(live.store.pk).value == validation.SheetCounts(levels=3, equal=1, differ=1, held=1)
    [row] = validation.rows_of(live.store, "differ")
    assert (row.on_hand, row.released, row.target, row.observed_available) == (9, 0, 9, 5)


def test_drift_in_the_store_is_a_difference_once_it_is_read(live: World) -> None:
    live.edit("C", -2)
    live.rest()
    live.run(Job.OBSERVE)
    assert [row.listed.variant.sku for row in validation.rows_of(live.store, "differ")] == ["C"]


def test_daily_waits_for_a_signature_and_says_so(live: World, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        call_command("sync_inventory", live.store.slug, "--mode", "daily", "--json")
    told = json.loads(capsys.readouterr().out)
    assert left.value.code == 2
    assert [shut["name"] for shut in told["gates"]] == ["ats_validated"]
    assert gate(live) == (False, "Nobody has confirmed the quantities yet.")


def test_a_signed_sheet_opens_daily_and_is_dated_with_its_name(live: World, elena: User) -> None:
    count_all(live, elena)
    signed = validation.sign(live.store, elena)
    assert signed.counts == {"levels": 3, "equal": 3, "differ": 0, "held": 0, "samples": 3}
    passed, detail = gate(live)
    assert passed
    assert detail.startswith("Elena Marin, ")
    assert "3 of 3 samples confirmed" in detail
    assert AuditEntry.objects.filter(action="sign ATS", actor=elena).exists()


def test_a_signature_is_given_to_the_counts_of_its_moment(live: World, elena: User) -> None:
    count_all(live, elena)
    assert validation.counts(live.store.pk).differ == 0
    live.post("A", 4)
    assert validation.sign(live.store, elena).counts["differ"] == 1


def test_a_sample_that_is_neither_equal_nor_noted_leaves_the_sheet_unsigned(live: World, elena: User) -> None:
    sheet = count_all(live, elena, off=1)
    assert validation.left(sheet) == 3
    with pytest.raises(ValidationRefused, match="3 of 3 samples"):
        validation.sign(live.store, elena)
    count_all(live, elena, off=1, note="One lies in the window.")
    assert validation.left(sheet) == 0
    assert validation.sign(live.store, elena) == sheet


def test_the_sample_is_drawn_once(live: World, elena: User) -> None:
    first = validation.draw(live.store, elena)
    assert validation.draw(live.store, elena) == first
    assert first.samples.count() == 3


def test_a_count_stays_beside_what_was_on_hand_then(live: World, elena: User) -> None:
    count_all(live, elena)
    live.post("A", 10)
    sample = ValidationSample.objects.get(publication__listed__variant__sku="A")
    assert (sample.counted, sample.on_hand, sample.matches) == (5, 5, True)


def test_counts_of_a_signed_sheet_stay(live: World, elena: User) -> None:
    sheet = count_all(live, elena)
    validation.sign(live.store, elena)
    sample = sheet.samples.first()
    assert sample is not None
    with pytest.raises(ValidationRefused, match="signed"):
        validation.count(sample, Decimal(1), "", elena)


def test_only_people_with_the_right_confirm(live: World) -> None:
    viewer = UserFactory(roles=["Viewer"])
    for attempt in (validation.draw, validation.sign):
        with pytest.raises(ValidationRefused, match="may not"):
            attempt(live.store, viewer)


def test_a_full_sync_that_overwrites_withdraws_the_signature(live: World, elena: User) -> None:
    count_all(live, elena)
    validation.sign(live.store, elena)
    live.rest()
    live.full()
    assert gate(live)[0], "it had nothing to write"

    live.post("A", 3)
    live.rest()
    run = live.full()
    passed, detail = gate(live)
    assert not passed
    assert detail.endswith(f"is withdrawn: Full sync #{run.pk} overwrote quantities in the store.")
    assert AuditEntry.objects.filter(action="withdraw ATS signature").count() == 1
    with pytest.raises(RunRefused):
        jobs.start(live.store, Job.DAILY, trigger=Trigger.SCHEDULE)


def test_a_broken_ledger_withdraws_every_signature_and_lets_nobody_sign(live: World, elena: User) -> None:
    count_all(live, elena)
    validation.sign(live.store, elena)
    assert audit.audit_ledger().green
    assert signatures.standing(live.store)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_inventorylevel SET on_hand = on_hand + 1")
    assert not audit.audit_ledger().green
    assert gate(live)[1].endswith("is withdrawn: The ledger check found 6 differences.")
    count_all(live, elena)
    with pytest.raises(ValidationRefused, match="ledger check"):
        validation.sign(live.store, elena)


def test_one_signature_stands_per_store(live: World, elena: User) -> None:
    count_all(live, elena)
    first = validation.sign(live.store, elena)
    count_all(live, elena)
    second = validation.sign(live.store, elena)
    first.refresh_from_db()
    assert first.withdrawn_cause == "A new sheet was signed."
    assert signatures.standing(live.store) == second
    with pytest.raises(IntegrityError, match="one_standing_signature_per_store"):
        Validation.objects.create(store=live.store, drawn_at=timezone.now(), signed_at=timezone.now(), signed_by=elena)


def test_the_sheet_of_a_store_without_levels_says_so(world: World, sign_in: SignIn) -> None:
    page = sign_in("Onboarding").get(reverse("admin:validation", args=[world.store.slug]))
    assert "0 levels: 0 equal" in page.content.decode()


def test_on_the_page_somebody_draws_counts_and_signs(live: World, sign_in: SignIn) -> None:
    client: Client = sign_in("Onboarding")
    slug = live.store.slug
    page = client.get(reverse("admin:validation", args=[slug]))
    assert "3 levels: 3 equal, 0 differ, 0 held" in page.content.decode()
    client.post(reverse("admin:validation_draw", args=[slug]))
    samples = list(ValidationSample.objects.select_related("publication__listed__variant"))
    typed = {f"counted-{s.pk}": str(live.level(s.publication.listed.variant.sku).on_hand) for s in samples}
    odd = {**typed, f"counted-{samples[0].pk}": "five", f"note-{samples[0].pk}": "on the shelf"}
    answer = client.post(reverse("admin:validation_count", args=[slug]), odd)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'value="five"' in text
    assert 'value="on the shelf"' in text
    assert "1 of 3 samples left" in text
    client.post(reverse("admin:validation_sign", args=[slug]))
    assert signatures.standing(live.store) is None
    client.post(reverse("admin:validation_count", args=[slug]), typed)
    client.post(reverse("admin:validation_sign", args=[slug]))
    assert signatures.standing(live.store)
    assert (
        "I confirm that these quantities were checked"
        in client.get(reverse("admin:validation", args=[slug])).content.decode()
    )


def test_the_sheet_is_exported_with_the_store_s_terms(live: World, sign_in: SignIn) -> None:
    live.post("A", 4)
    answer = sign_in("Viewer").get(reverse("admin:validation_csv", args=[live.store.slug]), {"show": "differ"})
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert ",9.000,0,9.000,9,5,0,5,-4,Moved here since" in lines[1]


def sample_of(world: World, path: Path, **counted: str) -> None:
    """The sample's file, drawn and filled in: SKU → the count."""
    run("validate_ats", world.store.slug, "--sample", str(path))
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row in rows:
        row["counted"] = counted.get(row["item"].partition(" ")[0], "")
    with path.open("w", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]))
        written.writeheader()
        written.writerows(rows)


def test_the_command_hands_out_the_sample_and_signs_what_was_counted(live: World, elena: User, tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    counts = {sku: str(live.level(sku).on_hand) for sku in "ABC"}
    signing = ("validate_ats", live.store.slug, "--counts", str(path), "--sign")

    sample_of(live, path, **{**counts, "C": ""})
    code, refused, _ = run(*signing, "--as", elena.email)
    assert (code, refused["cause"]) == (2, "1 of 3 samples are neither equal nor noted.")
    assert not ValidationSample.objects.exclude(counted=None).exists(), "counts and signature: both or none"

    sample_of(live, path, **{**counts, "B": "many", "C": "-1"})
    code, refused, _ = run(*signing, "--as", elena.email)
    assert code == 2
    assert {row["cause"] for row in refused["problems"]} == {
        "The count many is not a number.",
        "The count -1 is negative.",
    }

    sample_of(live, path, **counts)
    assert run(*signing)[1]["remedy"] == "Add --as EMAIL."
    assert "may not" in run(*signing, "--as", UserFactory(roles=["Viewer"]).email)[1]["cause"]
    assert signatures.last(live.store) is None
    code, told, _ = run(*signing, "--as", elena.email)
    assert (code, told["levels"], told["equal"], told["signature"], told["signed_by"]) == (
        *(0, 3, 3),
        *("signed", "Elena Marin"),
    )

    code, refused, _ = run(*signing, "--as", elena.email)
    assert (code, refused["cause"]) == (2, "No sheet is open.")


def test_counts_of_a_file_are_kept_and_those_of_another_sheet_are_not(live: World, elena: User, tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    sample_of(live, path, A="5")
    code, told, _ = run("validate_ats", live.store.slug, "--counts", str(path), "--as", elena.email)
    assert (code, told["samples_left"]) == (0, 2)

    count_all(live, elena)
    validation.sign(live.store, elena)
    validation.draw(live.store, elena)
    code, refused, _ = run("validate_ats", live.store.slug, "--counts", str(path))
    assert code == 2
    assert "is no sample of the open sheet" in refused["cause"]
