"""Notices: what goes out, when, and that nothing is lost or said twice."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import responses
import time_machine
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import notice_addresses, notices, notices_tasks
from connectors.models import Notice, NoticeEvent, NoticeRule, Store
from connectors.models.notices import NoticeStatus
from connectors.notice_addresses import AddressRefused, check_address
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db

HOOK = "https://hooks.example.com/sync"
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = "workflows://prod-1.westeurope.logic.azure.com:443/643e69f83c8944/4g5h6j7k8l9o"
BUCHAREST = ZoneInfo("Europe/Bucharest")


@pytest.fixture(autouse=True)
def outside_world(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """No name is looked up, and no host inside is allowed."""
    settings.ALLOWED_API_HOSTS = []

    def unknown(*_: Any, **__: Any) -> list[Any]:
        raise OSError("no name server here")

    monkeypatch.setattr(notice_addresses.socket, "getaddrinfo", unknown)


@pytest.fixture
def store() -> Store:
    return StoreFactory(name="Atelier Outlet", time_zone="Europe/Bucharest")


def rule(**fields: Any) -> NoticeRule:
    fields = {"name": "Stock team", "events": list(NoticeEvent), "address": "jsons://hooks.example.com/sync"} | fields
    made = NoticeRule(**fields)
    made.full_clean()
    made.save()
    return made


def failed(store: Store | None, run: int = 4285) -> list[Notice]:
    return notices.notify(
        NoticeEvent.RUN_FAILED,
        store,
        f"Delta #{run} stopped",
        "Shopify is unreachable. It tries again.",
        f"/console/runs/{run}/",
    )


def send_what_is_due() -> None:
    for notice_id in notices.due():
        notices.deliver(notice_id)


# --- what goes out


@responses.activate
def test_a_webhook_gets_subject_cause_remedy_and_link(store: Store) -> None:
    rule()
    sent = responses.post(HOOK)
    failed(store)
    send_what_is_due()

    payload = json.loads(sent.calls[0].request.body)
    assert payload["title"] == "Delta #4285 stopped"
    assert payload["message"].split("\n\n") == [
        "Shopify is unreachable. It tries again.",
        "http://127.0.0.1:8000/console/runs/4285/",
    ]
    assert Notice.objects.get().status == NoticeStatus.SENT


@responses.activate
def test_slack_and_teams_get_their_own_form(store: Store) -> None:
    rule(address=SLACK)
    rule(address=TEAMS)
    slack = responses.post(SLACK, body="ok")
    teams = responses.post(
        "https://prod-1.westeurope.logic.azure.com:443/workflows/643e69f83c8944/triggers/manual/paths/invoke"
    )
    failed(store)
    send_what_is_due()

    assert "Delta #4285 stopped" in slack.calls[0].request.body
    assert "Shopify is unreachable" in teams.calls[0].request.body
    assert set(Notice.objects.values_list("status", flat=True)) == {NoticeStatus.SENT}


@responses.activate
def test_a_message_is_sent_once_however_often_it_is_asked_for(store: Store) -> None:
    rule()
    sent = responses.post(HOOK)
    notice = failed(store)[0]

    notices.deliver(notice.pk)
    notices.deliver(notice.pk)
    notices_tasks.send_notice(notice.pk)

    assert sent.call_count == 1


def test_nothing_goes_out_for_what_did_not_happen(store: Store) -> None:
    rule()
    with transaction.atomic():
        failed(store)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_a_message_is_published_only_after_the_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rule()
    published: list[int] = []
    monkeypatch.setattr(notices_tasks.send_notice, "delay", published.append)
    with django_capture_on_commit_callbacks(execute=True):
        kept = failed(store)
        assert published == []
    assert published == [kept[0].pk]


# --- who is told


def test_rules_of_other_stores_other_events_and_inactive_ones_are_silent(store: Store) -> None:
    for_all, for_this = rule(), rule(store=store)
    rule(store=StoreFactory())
    rule(events=["audit_red"])
    rule(active=False)

    assert {notice.rule for notice in failed(store)} == {for_all, for_this}


def test_what_concerns_the_installation_goes_to_rules_for_all_stores(store: Store) -> None:
    for_all = rule()
    rule(store=store)

    kept = notices.notify(NoticeEvent.AUDIT_RED, None, "The ledger check found 2 differences")

    assert [notice.rule for notice in kept] == [for_all]


# --- no repeats


def test_the_same_failure_is_told_once_in_the_rules_time_and_counted(store: Store) -> None:
    rule(repeat_minutes=30)
    with time_machine.travel(dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC), tick=False) as clock:
        assert len(failed(store, 4285)) == 1
        Notice.objects.update(status=NoticeStatus.SENT)
        clock.shift(dt.timedelta(minutes=15))
        assert failed(store, 4290) == [], "another run met the same failure"
        assert Notice.objects.get().repeats == 1
        clock.shift(dt.timedelta(minutes=16))
        assert len(failed(store, 4295)) == 1


def test_every_plan_that_waits_is_its_own_news(store: Store) -> None:
    rule()

    def waits(run: int) -> list[Notice]:
        return notices.notify(NoticeEvent.AWAITING_APPROVAL, store, f"Plan of run #{run} waits for approval")

    assert len(waits(1)) == 1
    assert len(waits(2)) == 1
    assert waits(2) == []


def test_stores_and_rules_do_not_silence_each_other(store: Store) -> None:
    rule()
    rule()
    assert len(failed(store)) == 2
    assert len(failed(StoreFactory())) == 2


def test_a_message_that_could_not_be_sent_does_not_silence_the_next(store: Store) -> None:
    rule()
    failed(store)
    Notice.objects.update(status=NoticeStatus.FAILED)
    assert len(failed(store)) == 1


def test_zero_minutes_means_every_time(store: Store) -> None:
    rule(repeat_minutes=0)
    assert len(failed(store)) + len(failed(store)) == 2


# --- quiet hours


@responses.activate
def test_a_message_of_the_night_is_kept_and_sent_in_the_morning(store: Store) -> None:
    rule(quiet_from=dt.time(22), quiet_to=dt.time(7))
    sent = responses.post(HOOK)
    with time_machine.travel(dt.datetime(2026, 11, 21, 23, 30, tzinfo=BUCHAREST), tick=False) as clock:
        failed(store)
        send_what_is_due()
        assert sent.call_count == 0
        assert Notice.objects.get().not_before == dt.datetime(2026, 11, 22, 7, 0, tzinfo=BUCHAREST)

        clock.move_to(dt.datetime(2026, 11, 22, 6, 59, tzinfo=BUCHAREST))
        send_what_is_due()
        assert sent.call_count == 0

        clock.move_to(dt.datetime(2026, 11, 22, 7, 0, tzinfo=BUCHAREST))
        send_what_is_due()
        assert sent.call_count == 1


def test_the_same_news_all_night_is_one_message_in_the_morning(store: Store) -> None:
    rule(quiet_from=dt.time(22), quiet_to=dt.time(7), repeat_minutes=30)
    with time_machine.travel(dt.datetime(2026, 11, 21, 22, 0, tzinfo=BUCHAREST), tick=False) as clock:
        for run in range(1, 9):
            failed(store, run)
            clock.shift(dt.timedelta(hours=1))
    assert Notice.objects.get().repeats == 7


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-21T21:59", None),
        ("2026-11-21T22:00", "2026-11-22T07:00"),
        ("2026-11-22T00:01", "2026-11-22T07:00"),
        ("2026-11-22T07:00", None),
        ("2027-03-27T23:00", "2027-03-28T07:00"),  # clocks go forward this night
        ("2026-10-24T23:00", "2026-10-25T07:00"),  # and back this night
    ],
)
def test_quiet_hours_over_midnight_end_in_the_stores_own_morning(store: Store, now: str, until: str | None) -> None:
    night = rule(quiet_from=dt.time(22), quiet_to=dt.time(7))
    at = dt.datetime.fromisoformat(now).replace(tzinfo=BUCHAREST).astimezone(dt.UTC)
    expected = dt.datetime.fromisoformat(until).replace(tzinfo=BUCHAREST) if until else None
    assert notices.quiet_until(night, store, at) == expected


def test_quiet_hours_follow_the_store_not_the_installation() -> None:
    lunch = rule(quiet_from=dt.time(12), quiet_to=dt.time(13))
    there = StoreFactory(time_zone="America/New_York")
    at = dt.datetime(2026, 11, 21, 12, 30, tzinfo=ZoneInfo("America/New_York"))
    assert notices.quiet_until(lunch, there, at) == dt.datetime(
        2026, 11, 21, 13, 0, tzinfo=ZoneInfo("America/New_York")
    )
    assert notices.quiet_until(lunch, None, at) is None


# --- what does not get through


@responses.activate
def test_a_failure_is_kept_with_its_cause_and_tried_again_later(store: Store) -> None:
    rule(address="jsons://user:geheimnis@hooks.example.com/sync/pfadgeheimnis")
    responses.post("https://hooks.example.com/sync/pfadgeheimnis", status=503)
    with time_machine.travel(dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC), tick=False) as clock:
        failed(store)
        send_what_is_due()
        notice = Notice.objects.get()
        assert notice.status == NoticeStatus.WAITING
        assert "503" in notice.cause
        assert "Send test" in notice.remedy
        assert "geheimnis" not in notice.cause
        assert notice.not_before == timezone.now() + dt.timedelta(minutes=1)

        responses.replace(responses.POST, "https://hooks.example.com/sync/pfadgeheimnis", status=200)
        clock.shift(dt.timedelta(minutes=1))
        send_what_is_due()
    notice.refresh_from_db()
    assert (notice.status, notice.tries, notice.cause) == (NoticeStatus.SENT, 2, "")


@responses.activate
def test_after_the_last_try_it_stays_unsent_with_its_cause(store: Store) -> None:
    rule()
    sent = responses.post(HOOK, body=requests.ConnectionError("refused"))
    with time_machine.travel(dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC), tick=False) as clock:
        failed(store)
        for _ in range(10):
            send_what_is_due()
            clock.shift(dt.timedelta(hours=5))
    assert Notice.objects.get().status == NoticeStatus.FAILED
    assert sent.call_count == len(notices.WAITS) + 1


@responses.activate
def test_a_message_whose_worker_died_is_sent_by_another(store: Store) -> None:
    rule()
    sent = responses.post(HOOK)
    failed(store)
    Notice.objects.update(status=NoticeStatus.SENDING, claimed_at=timezone.now() - notices.STUCK * 2)
    send_what_is_due()
    assert sent.call_count == 1


@responses.activate
def test_a_rule_switched_off_meanwhile_sends_nothing(store: Store) -> None:
    rule()
    sent = responses.post(HOOK)
    failed(store)
    NoticeRule.objects.update(active=False)
    send_what_is_due()
    assert sent.call_count == 0
    assert "switched off" in Notice.objects.get().cause


@responses.activate
def test_send_test_tells_what_the_service_said_whatever_the_hour(store: Store) -> None:
    night = rule(quiet_from=dt.time(0), quiet_to=dt.time(23, 59, 59))
    responses.post(HOOK, status=403)

    reply = notices.send_test(night)

    assert not reply.ok
    assert "403" in reply.cause
    kept = Notice.objects.get()
    assert (kept.event, kept.status) == ("test", NoticeStatus.FAILED), "a test is not repeated later"

    responses.replace(responses.POST, HOOK, status=200)
    assert notices.send_test(night).ok


def test_an_address_whose_key_is_lost_is_said(store: Store, settings: Any) -> None:
    rule()
    failed(store)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    send_what_is_due()
    assert "cannot be decrypted" in Notice.objects.get().cause


@responses.activate
def test_a_redirect_is_not_followed(store: Store) -> None:
    rule()
    responses.post(HOOK, status=302, headers={"Location": "http://127.0.0.1:9/inside"})
    inside = responses.get("http://127.0.0.1:9/inside")
    failed(store)
    send_what_is_due()
    assert inside.call_count == 0
    assert Notice.objects.get().status == NoticeStatus.WAITING


# --- where notices may go


@pytest.mark.parametrize(
    "address",
    [
        SLACK,
        TEAMS,
        "jsons://hooks.example.com/x?+Authorization=token",
        "mailtos://ana:secret@example.com?smtp=mail.example.com&to=stock@example.com",
        "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz",
        "tgram://123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/12345",
        "ntfys://ntfy.example.com/stock",
        "mmosts://chat.example.com/abcdefabcdefabcdefabcdef",
    ],
)
def test_usual_addresses_are_taken(address: str) -> None:
    assert check_address(address, resolve=True)


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1/x",
        "json://localhost:6379/x",
        "json://api.localhost/x",
        "json://2130706433/x",
        "json://127.1/x",
        "json://0x7f.0.0.1/x",
        "json://[::1]/x",
        "json://[::ffff:127.0.0.1]/x",
        "json://10.0.0.5/x",
        "json://169.254.169.254/latest/meta-data",
        "json://0.0.0.0/x",
        "mailto://ana:secret@example.com?smtp=127.0.0.1",
        "mailto://ana:secret@example.com?smtp=localhost",
        "syslog://",
        "dbus://",
        "form://hooks.example.com/x",
        "schan://token",
        "file:///etc/passwd",
        "https://example.com/any",
        "nonsense",
        "jsons://hooks.example.com/x?template=/etc/passwd",
        "workflows://prod-1.example.com:443/643e69f83c8944/4g5h6j7k8l9o?template=file:///etc/passwd",
        "jsons://hooks.example.com/x?verify=no",
        "jsons://hooks.example.com/x?redirect=yes",
        "mailto://ana:secret@example.com?pgp=yes&pgpkey=/etc/passwd",
    ],
)
def test_addresses_inside_and_services_that_reach_into_this_machine_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        check_address(address)
    assert refused.value.cause
    assert refused.value.remedy
    assert "secret" not in str(refused.value)
    with pytest.raises(ValidationError):
        rule(address=address)


def test_a_name_that_stands_for_an_inside_address_is_refused_when_sending(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule()
    failed(store)
    inside = [(2, 1, 6, "", ("192.168.1.20", 0))]
    monkeypatch.setattr(notice_addresses.socket, "getaddrinfo", lambda *_, **__: inside)
    send_what_is_due()
    notice = Notice.objects.get()
    assert notice.status == NoticeStatus.FAILED
    assert "private network" in notice.cause


def test_the_installation_may_name_an_inside_host(settings: Any) -> None:
    settings.ALLOWED_API_HOSTS = ["127.0.0.1"]
    assert check_address("json://127.0.0.1:9999/x", resolve=True)


# --- rules


def test_the_address_is_encrypted_and_shown_nowhere() -> None:
    made = rule(address=SLACK)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in repr(NoticeRule.objects.values().get())
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in repr(vars(NoticeRule.objects.get()))
    assert NoticeRule.objects.get(pk=made.pk).address == SLACK


@pytest.mark.parametrize(
    "fields",
    [
        {"events": []},
        {"quiet_from": dt.time(22)},
        {"quiet_to": dt.time(7)},
        {"quiet_from": dt.time(7), "quiet_to": dt.time(7)},
    ],
)
def test_half_a_rule_is_refused_by_the_database_too(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeRule.objects.create(**({"name": "x", "events": ["audit_red"], "address": SLACK} | fields))


# --- the door


@responses.activate
def test_the_button_asks_before_it_sends_and_says_what_came_back(client: Client) -> None:
    made = rule(address=SLACK)
    hook = responses.post(SLACK, body="ok")
    client.force_login(UserFactory(roles=["Administrator"]))
    page = client.get(reverse("admin:connectors_noticerule_change", args=[made.pk])).content.decode()
    found = re.search(r'href="([^"]*send-test[^"]*)"', page)
    assert found
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in page

    asked = client.get(found[1])
    assert (asked.status_code, hook.call_count) == (200, 0), "following a link sends nothing"
    assert "whatever the hour" in asked.content.decode()

    told = client.post(found[1], follow=True).content.decode()
    assert hook.call_count == 1
    assert "was taken" in told


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Onboarding", "Accountant"])
def test_other_roles_send_no_test(client: Client, role: str) -> None:
    made = rule()
    client.force_login(UserFactory(roles=[role]))
    client.post(f"/console/connectors/noticerule/{made.pk}/send-test/")
    assert not Notice.objects.exists()
