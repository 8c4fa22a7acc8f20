"""The frame around pages: errors, components, and no script or style inside our own pages."""

from __future__ import annotations

import re

from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.console import showcase
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.worlds import World


def test_nothing_is_at_an_unknown_address(sign_in: SignIn) -> None:
    answer = sign_in().get("/elsewhere/")
    assert answer.status_code == 404
    assert "Nothing is at this address" in answer.content.decode()


def test_a_form_of_an_earlier_sign_in_says_what_to_do(sign_in: SignIn) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in().cookies
    answer = client.post(reverse("admin:check_ledger"))
    assert answer.status_code == 403
    assert "Nothing was changed." in answer.content.decode()


def test_a_form_sent_after_the_session_ended_changes_nothing_and_says_so(sign_in: SignIn) -> None:
    """The login would lead back to an address that has no page, and what was typed would be gone."""
    answer = Client().post(reverse("admin:run_reject", args=[1]), {"reason": "Too many to zero"})
    assert answer.status_code == 403
    assert "what you typed is still there" in answer.content.decode()

    opened = sign_in().get(reverse("admin:check_ledger"))
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "Nothing was changed." in opened.content.decode()


def test_text_that_no_database_keeps_is_not_searched_for(sign_in: SignIn) -> None:
    assert sign_in().get(reverse("admin:sales") + "?q=%00").status_code == 404


def test_what_copied_text_brings_along_unseen_is_left_out(sign_in: SignIn) -> None:
    store = StoreFactory(writes_paused=False)
    address = reverse("admin:pause_writes", args=[store.slug])
    answer = sign_in().post(address, {"pause": "1", "reason": "Count\0ing"})
    store.refresh_from_db()
    assert (answer.status_code, store.pause_reason) == (302, "Counting")


def test_the_components_are_for_developers(sign_in: SignIn, settings: Settings) -> None:
    client = sign_in()
    assert client.get(reverse("admin:components")).status_code == 404
    settings.DEBUG = True
    page = client.get(reverse("admin:components")).content.decode()
    for name in ("status_badge", "blast_radius", "waterfall", "run_progress", "chart", "confirm"):
        assert f"<h2>{name}</h2>" in page


def test_our_own_content_carries_no_script_and_no_style(world: World, sign_in: SignIn) -> None:
    store = showcase.live_store(world)
    run = showcase.plan_over_limits(world)
    client = sign_in()
    for address in (
        reverse("admin:index"),
        reverse("admin:levels"),
        reverse("admin:store", args=[store.slug]),
        reverse("admin:run", args=[run.pk]),
        reverse("admin:why", args=[world.publication("AB-002").pk]),
    ):
        page = client.get(address).content.decode()
        ours = page.partition("<main")[2].partition("</main>")[0]
        assert ours
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", ours), address


def test_the_printed_terms_add_up_to_the_printed_sums(world: World, sign_in: SignIn) -> None:
    showcase.live_store(world)
    for sku in ("TS-BLK-M", "SC-WOL-U", "MT-HALF", "PL-MIL", "AB-002"):
        page = sign_in().get(reverse("admin:why", args=[world.publication(sku).pk]))
        for bars in (page.context["ours"], page.context["theirs"]):
            running = 0
            for bar in bars:
                if bar.is_sum:
                    assert running == bar.quantity, (sku, bar.label)
                    running = bar.quantity
                else:
                    running += bar.quantity
