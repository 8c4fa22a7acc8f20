"""Pausing writes: who may, what is kept of it, and what it stops."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from connectors import pausing
from connectors.models import Notice, NoticeRule, Store
from connectors.pausing import PauseRefused
from connectors.ports.errors import CredentialsRejected
from syncconsole.kernel.models import AuditEntry
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db

REFUSED = CredentialsRejected(
    service="Shopify",
    operation="adjust",
    cause="Shopify refused the token (HTTP 401).",
    remedy="Enter a new one.",
    status=401,
)


@pytest.fixture
def store() -> Store:
    return StoreFactory(name="Atelier Outlet")


def test_a_paused_store_says_why_and_how_to_go_on(store: Store) -> None:
    operator = UserFactory(roles=["Operator"])

    assert pausing.pause_store(store, by=operator, reason="Stock count in Cluj")

    told = pausing.writes_allowed(store)
    assert not told.ok
    assert told.cause == "Writes to Atelier Outlet are paused: Stock count in Cluj"
    assert "Resume" in told.remedy
    assert store.writes_paused, "the instance in hand knows, too"
    assert store.paused_by == operator


def test_other_stores_go_on(store: Store) -> None:
    pausing.pause_store(store, by=None, reason="Stock count")

    assert pausing.writes_allowed(StoreFactory()).ok


def test_the_installation_stops_every_store_and_resuming_it_leaves_paused_stores_paused(store: Store) -> None:
    administrator, other = UserFactory(roles=["Administrator"]), StoreFactory()
    pausing.pause_store(store, by=administrator, reason="Stock count")
    pausing.pause_all(by=administrator, reason="Database is moved")

    assert pausing.writes_allowed(other).cause == "All writes of the installation are paused: Database is moved"

    pausing.resume_all(by=administrator)
    assert pausing.writes_allowed(other).ok
    assert not pausing.writes_allowed(store).ok


def test_pausing_and_resuming_are_in_the_audit_log_with_person_reason_and_address(store: Store) -> None:
    operator = UserFactory(roles=["Operator"])
    pausing.pause_store(store, by=operator, reason="Stock count", address="192.0.2.7")
    pausing.resume_store(store, by=operator)

    paused, resumed = AuditEntry.objects.order_by("pk")
    assert (paused.action, paused.actor, paused.after, paused.address) == (
        "pause writes",
        operator,
        {"reason": "Stock count"},
        "192.0.2.7",
    )
    assert (resumed.action, resumed.before) == ("resume writes", {"reason": "Stock count"})


def test_pausing_twice_keeps_the_first_reason(store: Store) -> None:
    pausing.pause_store(store, by=None, reason="First")

    assert not pausing.pause_store(store, by=None, reason="Second")

    assert Store.objects.get(pk=store.pk).pause_reason == "First"
    assert AuditEntry.objects.count() == 1
    assert pausing.resume_store(store, by=None)
    assert not pausing.resume_store(store, by=None)


@pytest.mark.parametrize("role", ["Viewer", "Onboarding", "Accountant"])
def test_other_roles_may_not_pause_or_resume(store: Store, role: str) -> None:
    person = UserFactory(roles=[role])
    with pytest.raises(PauseRefused):
        pausing.pause_store(store, by=person, reason="I want to")
    with pytest.raises(PauseRefused):
        pausing.pause_all(by=person, reason="I want to")
    pausing.pause_store(store, by=None, reason="Refused token")
    with pytest.raises(PauseRefused):
        pausing.resume_store(store, by=person)
    assert Store.objects.get(pk=store.pk).writes_paused


def test_a_pause_needs_its_reason(store: Store) -> None:
    with pytest.raises(PauseRefused, match="reason"):
        pausing.pause_store(store, by=None, reason="  ")


def test_a_refused_token_pauses_the_store_by_the_system_and_tells_whoever_asked(store: Store) -> None:
    NoticeRule.objects.create(name="Team", events=["store_paused"], address="jsons://hooks.example.com/x")

    pausing.pause_for_credentials(store, REFUSED)
    pausing.pause_for_credentials(store, REFUSED)

    store = Store.objects.get(pk=store.pk)
    assert store.writes_paused
    assert store.paused_by is None
    assert store.connection_cause == "Shopify refused the token (HTTP 401)."
    notice = Notice.objects.get()
    assert notice.subject == "Writes to Atelier Outlet are paused"
    assert "Enter a new one." in notice.body


def test_the_command_pauses_and_resumes(store: Store) -> None:
    out = io.StringIO()
    call_command("pause_writes", store.slug, "--reason", "Stock count", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"what": store.slug, "paused": True, "changed": True}
    assert not pausing.writes_allowed(store).ok

    call_command("pause_writes", store.slug, "--resume", stdout=io.StringIO())
    assert pausing.writes_allowed(store).ok

    with pytest.raises(SystemExit) as stopped:
        call_command("pause_writes", "--all", stdout=out, stderr=io.StringIO())
    assert stopped.value.code == 2, "a pause of the installation needs its reason, too"
