"""When jobs start by themselves: said in sentences, changed row by row, and nothing typed is lost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import Store, SyncRun
from inventory import schedules
from inventory.jobs import Job
from inventory.models import Schedule
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db


def page(store: Store) -> str:
    return reverse("admin:store_schedule", args=[store.slug])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def operator(sign_in: SignIn) -> Client:
    return sign_in("Operator")


def test_a_save_tells_the_next_three_times(shown: Store, operator: Client) -> None:
    saved = operator.post(page(shown), {"job": "delta", "every_minutes": "5"}, follow=True).content.decode()
    assert "Delta of Atelier Bucovina RO runs every 5 minutes. Next: " in saved
    assert saved.partition("Next: ")[2].partition(".")[0].count(",") == 2
    assert schedules.of_store(shown)[Job.DELTA].every_minutes == 5


def test_what_was_typed_stays_when_it_cannot_be_saved(shown: Store, operator: Client) -> None:
    answer = operator.post(page(shown), {"job": "delta", "every_minutes": "0"})
    assert answer.status_code == 422
    assert 'value="0"' in answer.content.decode()
    answer = operator.post(page(shown), {"job": "observe", "at": "half past two"})
    assert answer.status_code == 422
    assert "half past two" in answer.content.decode()
    assert not Schedule.objects.exclude(every_minutes=15).filter(job=Job.DELTA).exists()


def test_rows_say_why_nothing_starts(operator: Client) -> None:
    said = text(operator, page(StoreFactory()))
    assert "Locked: No full sync has run yet" in said
    assert "Turn on…" in said


def test_a_late_run_and_a_change_of_the_clock_are_said(shown: Store, operator: Client) -> None:
    schedules.save(shown, Job.OBSERVE, by=None, at=dt.time(3))
    Schedule.objects.filter(job=Job.OBSERVE).update(late_seconds=42 * 60, late_cause="the worker was down.")
    for address in (page(shown), reverse("admin:schedules")):
        said = text(operator, address)
        assert "Ran 42 min late: the worker was down." in said
        assert "does not exist" in said or "comes twice" in said


def test_a_job_is_run_now(world: World, operator: Client) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    answer = operator.post(reverse("admin:start_job", args=[world.store.slug, "observe"]))
    run = SyncRun.objects.get(kind=Job.OBSERVE)
    assert answer.headers["Location"] == reverse("admin:run", args=[run.pk])
    assert operator.post(reverse("admin:start_job", args=[world.store.slug, "sideways"])).status_code == 404


def test_levels_that_were_never_published_are_planned_from_their_list(
    world: World, shown: Store, operator: Client
) -> None:
    world.item("NEW-1", here=3, there=0)
    plan, levels = (
        reverse("admin:start_job", args=[shown.slug, "manual"]),
        f"{reverse('admin:levels')}?store={shown.slug}",
    )
    assert plan in text(operator, page(shown))
    listed = text(operator, f"{levels}&state=no_baseline")
    assert (plan in listed, "NEW-1" in listed, "AB-003" in listed) == (True, True, False)
    assert plan not in text(operator, levels)

    operator.post(plan)

    assert SyncRun.objects.filter(kind=Job.MANUAL, store=shown).exists()


def test_a_viewer_sees_the_times_and_changes_none(shown: Store, sign_in: SignIn) -> None:
    viewer = sign_in("Viewer")
    said = text(viewer, page(shown))
    assert "every 15 minutes" in said
    assert "Save" not in said
    assert viewer.post(page(shown), {"job": "delta", "switch": "off"}).status_code == 403
    assert schedules.of_store(shown)[Job.DELTA].enabled


def test_the_pages_cost_the_same_whatever_they_show(
    shown: Store, operator: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(3):
        schedules.save(StoreFactory(), Job.OBSERVE, by=None, at=dt.time(1))
    for address in (page(shown), reverse("admin:schedules")):
        operator.get(address)
        with django_assert_max_num_queries(15):  # type: ignore[operator]
            operator.get(address)


def test_the_delta_says_whether_changes_leave_at_once(shown: Store, operator: Client) -> None:
    assert "no other store sells from this stock" in text(operator, page(shown))
    Store.objects.filter(pk=shown.pk).update(at_once="always")
    assert "each change here leaves within seconds" in text(operator, page(shown))
