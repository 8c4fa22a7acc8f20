"""The order queue: what waits and for what, one fix for many, and what a store told of every order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connectors import changes
from connectors.models import Store
from orders import intake, pace, tasks
from orders.models import IncomingOrder, IncomingState
from syncconsole.navigation import decisions
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.factories.orders import NOON
from tests.orders.shapes import sold, told, work

pytestmark = pytest.mark.django_db

SKU = {"cause": "XG-9 is not linked to a variant of ours.", "remedy": "Import the item.", "waits_for": "item:9"}


@pytest.fixture
def store() -> Store:
    return StoreFactory(integration_date=NOON.date())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stores whose orders were asked to be imported."""
    stores: list[int] = []
    monkeypatch.setattr(tasks.import_orders, "send", stores.append)
    return stores


def incoming(store: Store, number: int, state: IncomingState = IncomingState.PENDING, **parts: Any) -> IncomingOrder:
    intake.keep(store, [sold(ref=f"order/{number}", name=f"#{number}")], asked_at=NOON)
    IncomingOrder.objects.filter(store=store, ref=f"order/{number}").update(state=state, **parts)
    return IncomingOrder.objects.get(store=store, ref=f"order/{number}")


def failed(store: Store, number: int, **parts: Any) -> IncomingOrder:
    return incoming(store, number, IncomingState.FAILED, **SKU | parts)


def text(client: Client, name: str, *args: Any, query: str = "") -> str:
    answer = client.get(reverse(f"admin:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_orders_that_wait_for_the_same_are_one_problem_with_its_remedy(store: Store, sign_in: SignIn) -> None:
    for number in range(3):
        failed(store, number)
    failed(store, 7, cause="10.00 RON apart.", waits_for="total")

    page = text(sign_in("Operator"), "order_queue")

    assert "3 orders of" in page
    assert page.index("3 orders of") < page.index("10.00 RON apart.")
    assert "Retry 3 orders" in page


def test_every_state_is_a_filter(store: Store, sign_in: SignIn) -> None:
    failed(store, 1)
    incoming(store, 2)
    incoming(store, 3, IncomingState.SHADOW)
    incoming(store, 4, IncomingState.EXCLUDED)
    incoming(store, 5, IncomingState.IMPORTED, needs_look="2 units went and nothing says where.")
    client = sign_in("Viewer")

    whole = text(client, "order_queue")
    assert whole.count("data-row") == 5
    assert [
        whole.count(f'">{label} <') or whole.count(f">{label}</a>") for label in ("Pending", "Excluded", "To look at")
    ] == [1, 1, 1]
    for state, name in (("failed", "#1"), ("pending", "#2"), ("shadow", "#3"), ("excluded", "#4"), ("look", "#5")):
        page = text(client, "order_queue", query=f"?state={state}")
        assert page.count("data-row") == 1
        assert f">{name}</a>" in page
    assert text(client, "order_queue", query="?store=another").count("data-row") == 0


@pytest.mark.parametrize("words", ["#12", " 12 ", "order/12", "order/12 "])
def test_an_order_is_found_by_what_people_know_of_it(store: Store, sign_in: SignIn, words: str) -> None:
    incoming(store, 12)
    incoming(store, 112)
    client = sign_in("Viewer")
    page = text(client, "order_queue", query=f"?{urlencode({'q': words, 'store': store.slug})}")
    assert (page.count("data-row"), ">#12</a>" in page) == (1, True)
    assert f"q={quote_plus(words)}&amp;store={store.slug}&amp;state=failed" in page

    nothing = text(client, "order_queue", query="?q=13")
    assert "No order matches" in nothing


def test_retrying_a_group_tries_exactly_its_orders_again_at_once(
    store: Store, sign_in: SignIn, sent: list[int]
) -> None:
    failed(store, 1)
    failed(store, 2, waits_for="total")
    failed(StoreFactory(), 3)

    answer = sign_in("Operator").post(
        reverse("admin:order_queue_retry"), {"store": store.slug, "waits_for": "item:9"}, follow=True
    )

    assert "1 order is tried again now." in answer.content.decode()
    assert IncomingOrder.objects.get(state=IncomingState.PENDING).name == "#1"
    assert sent == [store.pk]


def test_one_order_is_retried_alone(store: Store, sign_in: SignIn, sent: list[int]) -> None:
    failed(store, 1)
    wanted = failed(store, 2)

    sign_in("Operator").post(reverse("admin:order_queue_retry"), {"order": str(wanted.pk)})

    assert IncomingOrder.objects.get(state=IncomingState.PENDING) == wanted


def test_an_order_that_no_longer_waits_is_left_alone(store: Store, sign_in: SignIn, sent: list[int]) -> None:
    row = incoming(store, 1, IncomingState.IMPORTED)

    answer = sign_in("Operator").post(reverse("admin:order_queue_retry"), {"order": str(row.pk)}, follow=True)

    assert "nothing to try again" in answer.content.decode()
    row.refresh_from_db()
    assert (row.state, sent) == (IncomingState.IMPORTED, [])


def test_viewers_look_and_do_not_retry(store: Store, sign_in: SignIn) -> None:
    row = failed(store, 1)
    client = sign_in("Viewer")

    assert "Retry" not in text(client, "order_queue") + text(client, "incoming", row.pk)
    assert client.post(reverse("admin:order_queue_retry"), {"order": str(row.pk)}).status_code == 403


def test_a_store_without_an_integration_date_is_named_with_what_to_do(sign_in: SignIn) -> None:
    StoreFactory(name="Atelier Outlet", integration_date=None)

    page = text(sign_in("Operator"), "order_queue")

    assert "Atelier Outlet" in page
    assert "integration date is not set" in page


def test_an_order_without_a_sales_order_shows_why_and_what_it_holds(store: Store, sign_in: SignIn) -> None:
    row = failed(store, 1)
    shadow = incoming(store, 2, IncomingState.SHADOW)
    client = sign_in("Operator")

    page = text(client, "incoming", row.pk)
    assert SKU["cause"] in page
    assert SKU["remedy"] in page
    assert "TS-BLK-M" in page
    assert "A shadow order" in text(client, "incoming", shadow.pk)


def test_an_imported_order_leads_to_its_sales_order(store: Store, sign_in: SignIn) -> None:
    sale = told(store, sold(fulfilment_orders=(work(2),)))

    page = text(sign_in("Operator"), "order_queue")

    assert reverse("admin:sale", args=[sale.pk]) in page
    assert sale.total == Decimal("200.00")


def test_the_sidebar_counts_orders_that_need_somebody(store: Store) -> None:
    for number in range(3):
        failed(store, number)
    incoming(store, 9)

    assert decisions(UserFactory().pk)["orders"] == 3


def test_home_says_how_many_orders_one_fix_frees(store: Store, sign_in: SignIn) -> None:
    for number in range(3):
        failed(store, number)

    page = sign_in("Operator").get(reverse("admin:index")).content.decode()

    assert "3 orders cannot be imported: XG-9 is not linked to a variant of ours." in page
    assert "waits_for=item%3A9" in page


@pytest.mark.parametrize(
    ("waits_for", "verb"),
    [("item:9", "Open listings"), ("location:4", "Map the location"), ("gateway:COD", "Name the payment gateway")],
)
def test_what_orders_wait_for_has_a_way_to_where_it_ends(
    store: Store, sign_in: SignIn, waits_for: str, verb: str
) -> None:
    order = failed(store, 1, waits_for=waits_for)
    client = sign_in("Operator")
    assert verb in client.get(reverse("admin:order_queue")).content.decode()
    assert verb in client.get(reverse("admin:incoming", args=[order.pk])).content.decode()


def test_the_queue_asks_the_same_whatever_waits(store: Store, sign_in: SignIn) -> None:
    client = sign_in("Operator")
    failed(store, 0)
    address = reverse("admin:order_queue")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(1, 60):
        failed(store, number, waits_for=f"item:{number % 7}")
    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few) <= 15


def test_a_long_queue_says_how_long_it_takes_from_the_rate_measured_last(store: Store, sign_in: SignIn) -> None:
    for number in range(30):
        incoming(store, number)
    client = sign_in("Viewer")
    assert "30 orders to import." in text(client, "order_queue")

    cache.set(pace._key(store.pk, pace.Work.IMPORT), 0.1)
    changes.notice(store, "order", {f"order/{number}": None for number in range(40)}, by="polling")
    said = text(client, "order_queue", query=f"?store={store.slug}")
    assert "30 orders to import, about 5 min." in said
    assert "40 orders to read." in said, "nobody has read any yet"


def test_the_rate_is_that_of_the_orders_really_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 60.0, 70.0, 71.0])
    monkeypatch.setattr(pace, "monotonic", lambda: next(clock))
    for done in (50, 100, pace.ENOUGH - 1):
        with pace.measured(store, pace.Work.READ) as stint:
            stint.done = done
    changes.notice(store, "order", {f"order/{number}": None for number in range(75)}, by="polling")
    (waiting,) = pace.waiting({store.pk: store})
    assert waiting.seconds == pytest.approx(75 / 3.75), "5 a second, then 2.5; too few say nothing"


def test_few_orders_are_done_before_anybody_reads_of_it(store: Store) -> None:
    for number in range(pace.WORTH_SAYING - 1):
        incoming(store, number)
    assert pace.waiting({store.pk: store}) == []
