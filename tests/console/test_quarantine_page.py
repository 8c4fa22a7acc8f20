"""The quarantine page: both sides, the effect of each decision, one click, and what healed by itself."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from catalog.models import CloneDecision, CloneSuspect
from connectors.models import Store
from inventory import publications
from inventory.models import LevelPublication
from tests.console import showcase
from tests.console.conftest import SignIn
from tests.factories.kernel import UserFactory
from tests.worlds import World

PAGE = "/console/quarantine/"


@pytest.fixture
def pair(world: World, shown: Store) -> CloneSuspect:
    [suspect] = showcase.clones(world, 1)
    publications.refresh(shown)
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
