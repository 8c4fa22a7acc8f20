"""The commands: one JSON object, three exit codes, the same functions as the console."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command

from connectors.models.runs import RunStatus
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.worlds import World


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, JSON object, and what was said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    try:
        call_command(*arguments, "--json", stdout=out, stderr=err)
    except SystemExit as left:
        code = left.code
    return code, json.loads(out.getvalue()), err.getvalue()


def test_a_full_sync_waits_for_approval_and_is_approved_as_a_person(world: World) -> None:
    world.item("A", here=20, there=15)

    code, planned, _ = run("sync_inventory", world.store.slug, "--mode", "full", "--reason", "go-live")
    assert (code, planned["status"]) == (0, RunStatus.AWAITING_APPROVAL)
    assert planned["totals"]["rows"] == 1
    assert world.shown("A") == 15

    code, refused, said = run("approve_run", str(planned["run"]))
    assert code == 2
    assert "--as" in refused["remedy"]
    assert "--as" in said

    code, applied, _ = run("approve_run", str(planned["run"]), "--as", world.operator.email)
    assert (code, applied["status"], applied["counts"]) == (0, RunStatus.COMPLETED, {"applied": 1})
    assert world.shown("A") == 20


def test_yes_applies_within_limits_and_never_past_one(world: World) -> None:
    world.item("A", here=20, there=15)
    world.store.limit_units = 4
    world.store.save()

    code, refused, _ = run("sync_inventory", world.store.slug, "--mode", "full", "--reason", "go-live", "--yes")
    assert code == 2
    assert "passes a limit" in refused["cause"]
    assert world.shown("A") == 15

    planned = world.store.runs.get(status=RunStatus.AWAITING_APPROVAL)
    run("approve_run", str(planned.pk), "--reject", "wrong count", "--as", UserFactory(is_superuser=True).email)
    world.store.limit_units = None
    world.store.save()
    code, applied, _ = run("sync_inventory", world.store.slug, "--mode", "full", "--reason", "go-live", "--yes")
    assert (code, applied["status"]) == (0, RunStatus.COMPLETED)


def test_a_delta_without_a_baseline_exits_2_with_its_gates(world: World) -> None:
    world.item("A", here=20, there=15)

    code, refused, _ = run("sync_inventory", world.store.slug, "--mode", "delta")

    assert code == 2
    assert [gate["name"] for gate in refused["gates"]] == ["baseline"]
    assert refused["gates"][0]["remedy"]


def test_an_account_that_does_not_own_the_inventory_exits_2_and_names_the_owner(world: World) -> None:
    world.item("A", here=20, there=15)
    domain = world.store.shop_domain
    world.store.inventory_owner = False
    world.store.save()
    owner = StoreFactory(shop_domain=domain)

    code, refused, _ = run("sync_inventory", world.store.slug, "--mode", "full", "--reason", "go-live")

    assert code == 2
    assert owner.name in refused["cause"]


def test_a_level_that_was_refused_makes_it_partial(world: World) -> None:
    world.item("A", here=20, there=20)
    world.item("B", here=20, there=20)
    world.full("go-live")
    world.post("A", 1)
    world.post("B", 1)
    world.fake.poison(world.publication("A").item_ref)

    code, done, _ = run("sync_inventory", world.store.slug, "--mode", "delta")

    assert (code, done["status"]) == (1, RunStatus.PARTIAL)
    assert done["problems"][0]["label"].startswith("A")


def test_unknown_names_are_answered_with_the_known_ones(world: World) -> None:
    code, refused, _ = run("sync_inventory", "nowhere", "--mode", "delta")
    assert code == 2
    assert world.store.slug in refused["remedy"]

    code, refused, _ = run("explain", world.store.slug, "XG-9")
    assert (code, "XG-9" in refused["cause"]) == (2, True)

    code, refused, _ = run("approve_run", "999999", "--as", world.operator.email)
    assert code == 2


def test_a_viewer_may_neither_start_nor_approve(world: World) -> None:
    world.item("A", here=20, there=15)
    viewer = UserFactory(roles=["Viewer"])

    code, refused, _ = run("sync_inventory", world.store.slug, "--mode", "full", "--reason", "x", "--as", viewer.email)

    assert code == 2
    assert "start_run" in refused["cause"]


def test_explain_prints_the_sum_at_a_past_moment(world: World) -> None:
    world.item("A", here=20, there=15)

    code, now, _ = run("explain", world.store.slug, "A")
    assert code == 0
    assert now["levels"][0]["target"] == 20

    code, then, _ = run("explain", world.store.slug, "A", "--at", "2020-01-01T10:00")
    assert then["levels"][0]["target"] == 0

    stranger = UserFactory(roles=["Accountant"]).email
    for command in (("explain", world.store.slug, "A"), ("audit_ledger",)):
        code, refused, _ = run(*command, "--as", stranger)
        assert (code, "may not do this" in refused["cause"]) == (2, True)

    for nonsense in ("yesterday", "2026-99-99T10:00", "2999-01-01"):
        code, refused, _ = run("explain", world.store.slug, "A", "--at", nonsense)
        assert code == 2
        assert refused["remedy"]


def test_the_ledger_check_is_green_and_says_how_much_it_looked_at(world: World) -> None:
    world.item("A", here=20, there=15)

    code, result, _ = run("audit_ledger")

    assert (code, result["found"], result["levels"], result["entries"]) == (0, 0, 1, 1)
