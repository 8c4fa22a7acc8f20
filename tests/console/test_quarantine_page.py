"""The quarantine page: both sides, the effect of each decision, one click, and what healed by itself."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from catalog.models import CloneDecision, CloneSuspect
from connectors.models import Store
from inventory import participation
from inventory.models import LevelPublication
from syncconsole.kernel.models import AuditEntry
from tests.console import showcase
from tests.console.conftest import SignIn
from tests.factories.kernel import UserFactory
from tests.worlds import World

PAGE = "/console/quarantine/"


@pytest.fixture
def pair(world: World, shown: Store) -> CloneSuspect:
    [suspect] = showcase.clones(world, 1)
    participation.refresh(shown)
    return suspect


def test_both_sides_stand_beside_each_other_and_each_decision_says_its_effect(
    pair: CloneSuspect, sign_in: SignIn
) -> None:
    html = sign_in("Operator").get(PAGE).content.decode()
    assert "1 level is held; nothing is pushed for them." in html
    assert html.count("≠ different") == 3
    assert "Sold in the last 30 days" in html
    for words in ("belongs to", "is linked to", "two inventory items in the store", "Both stay held", "Recommended:"):
        assert words in html


def test_a_decision_is_one_click_and_a_second_one_says_who_was_faster(pair: CloneSuspect, sign_in: SignIn) -> None:
    operator = sign_in("Operator")
    where = reverse("admin:decide_clone", args=[pair.pk])
    for decision in ("original", "copy"):
        reply = operator.post(where, {"decision": decision}, follow=True)
    pair.refresh_from_db()
    assert pair.verdict == CloneDecision.ORIGINAL
    assert f"Decided by {pair.decided_by} before" in reply.content.decode()
    assert not LevelPublication.objects.filter(excluded="clone").exists()
    assert "Original owns the stock: decided by" in operator.get(f"{PAGE}?tab=decided").content.decode()


def test_who_may_not_decide_reads_who_may(pair: CloneSuspect, sign_in: SignIn) -> None:
    html = sign_in("Viewer").get(PAGE).content.decode()
    assert '<form method="post" action="/console/quarantine' not in html
    assert "decides it" in html or "decided by" in html


def test_what_healed_by_itself_says_how_and_when(pair: CloneSuspect, sign_in: SignIn) -> None:
    CloneSuspect.objects.update(closed_at=timezone.now(), outcome="SKU renamed by the merchant")
    html = sign_in("Viewer").get(f"{PAGE}?tab=closed").content.decode()
    assert "SKU renamed by the merchant" in html
    assert "The hold was released by itself." in html


def test_home_and_sidebar_count_what_waits(pair: CloneSuspect, sign_in: SignIn) -> None:
    html = sign_in("Operator").get("/console/").content.decode()
    assert "1 clone suspect waits for a decision" in html


def test_the_command_lists_and_decides(pair: CloneSuspect, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        call_command("clones", pair.store.slug, as_json=True)
    assert stopped.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["waiting"], told["pairs"][0]["id"]) == (1, pair.pk)

    with pytest.raises(SystemExit) as stopped:
        call_command("clones", decide=pair.pk, decision="wait", as_json=True)
    assert stopped.value.code == 2
    capsys.readouterr()

    somebody = UserFactory(roles=["Operator"])
    call_command("clones", decide=pair.pk, decision="wait", as_email=somebody.email, as_json=True)
    assert json.loads(capsys.readouterr().out)["pairs"][0]["decision"] == "Wait until renamed"


@pytest.fixture
def copied(world: World, shown: Store) -> list[CloneSuspect]:
    """A product of eight variants that was duplicated, and a pair of two other products."""
    other = showcase.clones(world, 9)[-1]
    CloneSuspect.objects.exclude(pk=other.pk).delete()
    pairs = showcase.copied_product(world)
    participation.refresh(shown)
    return [*pairs, other]


def test_pairs_of_the_same_two_products_are_one_card(copied: list[CloneSuspect], sign_in: SignIn) -> None:
    html = sign_in("Operator").get(PAGE).content.decode()
    assert html.count('class="c-card c-card--needs-you"') == 2
    assert "Copie has 8 SKUs of Tricou Brodat. 8 levels are held; nothing is pushed for them." in html
    assert "Decide all 8 pairs of these two products" in html
    assert all(pair.sku in html for pair in copied)
    each = sign_in("Operator").get(f"{PAGE}?each={copied[0].pk}").content.decode()
    assert each.count('class="c-card c-card--needs-you"') == 8
    assert copied[-1].sku not in each


def test_all_pairs_of_the_same_two_products_are_decided_by_one_click(
    copied: list[CloneSuspect], sign_in: SignIn
) -> None:
    operator = sign_in("Operator")
    where = reverse("admin:decide_clone", args=[copied[0].pk])
    html = operator.post(where, {"decision": "original", "all": "1"}, follow=True).content.decode()
    assert "8 pairs: original owns the stock." in html
    assert set(CloneSuspect.objects.filter(decision="").values_list("pk", flat=True)) == {copied[-1].pk}
    assert LevelPublication.objects.filter(excluded="clone").count() == 1
    assert AuditEntry.objects.filter(action="decide clone suspect").count() == 8
    decided = operator.get(f"{PAGE}?tab=decided").content.decode()
    assert decided.count("decided by") == 1

    again = operator.post(where, {"decision": "copy", "all": "1"}, follow=True).content.decode()
    assert "before: Original owns the stock" in again


def test_a_pair_that_cannot_be_decided_with_the_others_is_left_and_named(
    copied: list[CloneSuspect], sign_in: SignIn
) -> None:
    CloneSuspect.objects.filter(pk=copied[3].pk).update(variant=None)
    operator = sign_in("Operator")
    assert "1 pair is left: Several items here have the SKU" in operator.get(PAGE).content.decode()
    where = reverse("admin:decide_clone", args=[copied[0].pk])
    html = operator.post(where, {"decision": "original", "all": "1"}, follow=True).content.decode()
    assert "7 pairs: original owns the stock." in html
    assert "1 pair left as it was: Several items here have the SKU" in html


def test_a_click_on_all_takes_what_a_colleague_has_not_decided(copied: list[CloneSuspect], sign_in: SignIn) -> None:
    operator = sign_in("Operator")
    operator.post(reverse("admin:decide_clone", args=[copied[0].pk]), {"decision": "copy"})
    where = reverse("admin:decide_clone", args=[copied[0].pk])
    assert "7 pairs" in operator.post(where, {"decision": "original", "all": "1"}, follow=True).content.decode()
    assert CloneSuspect.objects.get(pk=copied[0].pk).verdict == CloneDecision.COPY


def test_the_command_decides_all_pairs_of_two_products(
    copied: list[CloneSuspect], capsys: pytest.CaptureFixture[str]
) -> None:
    somebody = UserFactory(roles=["Operator"])
    doing = {"decide": copied[2].pk, "decision": "original", "all_pairs": True, "as_email": somebody.email}
    with pytest.raises(SystemExit) as stopped:
        call_command("clones", **doing, as_json=True)
    assert stopped.value.code == 1, "the pair of other products still waits"
    told = json.loads(capsys.readouterr().out)
    assert (sorted(told["decided"]), told["left"], told["waiting"]) == ([pair.pk for pair in copied[:8]], [], 1)


def test_what_healed_together_is_told_once(copied: list[CloneSuspect], sign_in: SignIn) -> None:
    now = timezone.now()
    CloneSuspect.objects.filter(pk__in=[pair.pk for pair in copied[:5]]).update(closed_at=now, outcome="SKU renamed")
    CloneSuspect.objects.filter(pk=copied[5].pk).update(closed_at=now, outcome="The copy was deleted in the store")
    html = sign_in("Viewer").get(f"{PAGE}?tab=closed").content.decode()
    assert html.count("c-card__head") == 2
    assert "5 pairs of the same two products" in html
