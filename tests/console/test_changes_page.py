"""The queue of changes: what waits, what failed and why, retried one by one or all at once, ignored with a reason."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connectors import changes
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db

CAUSE = "Shopify gave no lines for the order."
REMEDY = "Open the order in Shopify, then retry it."


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def noticed(store: Store, number: int, *, kind: str = "order") -> RemoteChange:
    ref = f"gid://shopify/{kind.capitalize()}/{number}"
    changes.notice(store, kind, {ref: timezone.now()}, by="webhook")
    return RemoteChange.objects.get(store=store, ref=ref)


def failed(store: Store, number: int, *, kind: str = "order") -> RemoteChange:
    row = noticed(store, number, kind=kind)
    changes.fail([one for one in changes.claim(store, kind, 50) if one.id == row.pk], CAUSE, REMEDY, lasting=True)
    row.refresh_from_db()
    return row


def text(client: Client, name: str, *args: int, query: str = "") -> str:
    answer = client.get(reverse(f"admin:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_queue_shows_what_waits_and_what_failed_and_hides_what_was_read(store: Store, sign_in: SignIn) -> None:
    broken, read = failed(store, 1), noticed(store, 2)
    changes.settle(changes.claim(store, "order", 50))
    waits = noticed(StoreFactory(), 3)
    client = sign_in("Viewer")
    page = text(client, "changes")
    assert all(row.ref in page for row in (broken, waits))
    assert read.ref not in page
    assert CAUSE in page
    assert REMEDY in page
    assert read.ref in text(client, "changes", query="?state=done")
    assert waits.ref not in text(client, "changes", query=f"?store={store.slug}")
    assert text(client, "changes", query="?state=failed").count("data-row") == 1
    assert "No object matches" in text(client, "changes", query="?kind=order&state=ignored")


def test_the_states_are_counted_within_the_filter(store: Store, sign_in: SignIn) -> None:
    failed(store, 1)
    failed(store, 2)
    failed(StoreFactory(), 3)
    shown = sign_in("Viewer").get(reverse("admin:changes"), {"store": store.slug}).context["chips"]
    assert {chip["label"]: chip["count"] for chip in shown} == {
        "Waiting or failed": None,
        "Waiting": 0,
        "Failed": 2,
        "Ignored": 0,
        "Read": 0,
    }


def test_one_failed_object_is_retried_or_ignored_with_a_reason(store: Store, sign_in: SignIn) -> None:
    row = failed(store, 1)
    client = sign_in("Operator")
    page = text(client, "change", row.pk)
    assert CAUSE in page
    client.post(reverse("admin:change_ignore", args=[row.pk]), {"reason": " "})
    row.refresh_from_db()
    assert row.status == ChangeState.FAILED
    client.post(reverse("admin:change_ignore", args=[row.pk]), {"reason": "A test order."})
    row.refresh_from_db()
    assert row.status == ChangeState.IGNORED
    assert "Ignored: A test order." in text(client, "change", row.pk)
    client.post(reverse("admin:change_retry", args=[row.pk]))
    row.refresh_from_db()
    assert (row.status, row.cause) == (ChangeState.WAITING, "")
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"ignore change", "retry changes"}
    assert changes.claim(store, "order", 1)[0].attempts == 1


def test_an_ignored_object_waits_again_when_the_store_tells_of_a_later_change(store: Store) -> None:
    row = failed(store, 1)
    changes.ignore(row, by=None, reason="A test order.")
    changes.notice(store, "order", {row.ref: timezone.now() + dt.timedelta(minutes=1)}, by="webhook")
    row.refresh_from_db()
    assert (row.status, row.cause) == (ChangeState.WAITING, "")


def test_all_that_failed_in_one_store_wait_again_and_no_other(store: Store, sign_in: SignIn) -> None:
    mine, other = [failed(store, number) for number in (1, 2)], failed(StoreFactory(), 3)
    ignored = failed(store, 4)
    changes.ignore(ignored, by=None, reason="A test order.")
    client = sign_in("Operator")
    assert "Retry 2 failed objects" in text(client, "changes", query=f"?store={store.slug}")
    answer = client.post(reverse("admin:changes_retry"), {"store": store.slug, "kind": ""}, follow=True)
    assert "2 failed objects wait again." in answer.content.decode()
    assert RemoteChange.objects.filter(state="waiting", pk__in=[row.pk for row in mine]).count() == 2
    assert {RemoteChange.objects.get(pk=row.pk).state for row in (other, ignored)} == {"failed", "ignored"}


def test_a_viewer_reads_the_cause_and_has_no_button(store: Store, sign_in: SignIn) -> None:
    row = failed(store, 1)
    client = sign_in("Viewer")
    page = text(client, "changes") + text(client, "change", row.pk)
    assert reverse("admin:changes_retry") not in page
    assert reverse("admin:change_retry", args=[row.pk]) not in page
    assert "needs another role" in page


def test_home_and_the_inbox_lead_to_what_could_not_be_read(store: Store, sign_in: SignIn) -> None:
    failed(store, 1)
    client = sign_in("Viewer")
    assert f"{reverse('admin:changes')}?store={store.slug}&amp;state=failed" in text(client, "index")
    assert "1 changed object could not be read" in text(client, "index")
    assert "1 changed object</a>" not in text(client, "webhooks")
    assert "could not be read" in text(client, "webhooks")


def test_an_empty_queue_says_what_will_come(store: Store, sign_in: SignIn) -> None:
    client = sign_in("Viewer")
    assert "No change yet" in text(client, "changes")
    noticed(store, 1)
    changes.settle(changes.claim(store, "order", 1))
    assert "Nothing waits and nothing failed" in text(client, "changes")


def test_a_long_queue_costs_what_a_short_one_does(store: Store, sign_in: SignIn) -> None:
    client = sign_in("Operator")

    def asked() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            text(client, "changes")
        return len(queries)

    failed(store, 1)
    few = asked()
    for number in range(2, 70):
        noticed(store, number)
    assert asked() == few
    assert text(client, "changes").count("data-row") == 50


def command(*arguments: str) -> tuple[dict[str, object], int]:
    out, code = StringIO(), 0
    try:
        call_command("changes", *arguments, "--json", stdout=out, stderr=StringIO())
    except SystemExit as left:
        code = int(left.code or 0)
    return json.loads(out.getvalue()), code


def test_the_command_lists_what_failed_and_has_it_read_again(store: Store) -> None:
    row = failed(store, 1)
    noticed(store, 2)
    said, code = command(store.slug)
    assert code == 1
    assert said["counts"] == {"waiting": 1, "done": 0, "failed": 1, "ignored": 0}
    assert said["failed"] == [{"slug": store.slug, "kind": "order", "ref": row.ref, "cause": CAUSE, "remedy": REMEDY}]
    said, code = command(store.slug, "--kind", "order", "--retry")
    assert code == 0
    assert said["retried"] == 1
    assert AuditEntry.objects.filter(action="retry changes", actor=None).exists()


def test_the_command_retries_only_for_who_may(store: Store) -> None:
    failed(store, 1)
    viewer = UserFactory(roles=["Viewer"])
    said, code = command("--as", viewer.email)
    assert (code, said["retried"]) == (1, 0)
    _, code = command("--retry", "--as", viewer.email)
    assert code == 2
    assert command("bucovina-nowhere")[1] == 2
