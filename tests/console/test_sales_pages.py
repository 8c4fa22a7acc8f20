"""Sales orders are found by what people know of them, and one order proves its total and tells how it came about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connectors.models import Store
from connectors.ports.buyers import Address, Customer, LocalizedField
from connectors.ports.orders import Fulfilment, FulfilmentLine, RemoteOrder, Tracking
from orders.models import Document, MappedKind, Refund, RefundState, ValueMapping
from orders.search import orders_found
from syncconsole.kernel.models import AuditEntry
from syncconsole.navigation import palette
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.factories.orders import NOON
from tests.orders.shapes import bundle, delivery, line, payment, sold, told, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return StoreFactory(name="Atelier Bucovina RO", slug="bucovina-ro")


def numbered(number: int, **parts: Any) -> RemoteOrder:
    return sold(ref=f"gid://shopify/Order/{number}", name=f"#{number}", **parts)


def bought() -> dict[str, Any]:
    return {
        "customer_ref": "customer/9",
        "customer": Customer("Ion", "Popescu", "ion@example.ro", None, tax_exempt=False),
        "email": "ion@example.ro",
        "billing_address": Address("Ion Popescu", "", "Str. Mare 1", "", "Cluj-Napoca", "", "CJ", "400001", "RO", ""),
        "fulfilments": (
            Fulfilment(
                "f/1",
                "#1042-F1",
                "success",
                NOON,
                NOON,
                "loc",
                (FulfilmentLine("l", "line/1", 2),),
                (Tracking("FAN", "AWB-77"),),
            ),
        ),
    }


def text(client: Client, name: str, *args: Any, query: str = "") -> str:
    answer = client.get(reverse(f"admin:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


# --- the list


def test_orders_are_found_by_store_status_and_day(store: Store, sign_in: SignIn) -> None:
    told(store, numbered(1))
    told(store, numbered(2, cancelled_at=NOON, lines=(line(2, unfulfilled_quantity=0),)))
    told(StoreFactory(), numbered(3))
    client = sign_in("Viewer")

    assert text(client, "sales").count("data-row") == 3
    assert text(client, "sales", query=f"?store={store.slug}").count("data-row") == 2
    assert text(client, "sales", query="?status=cancelled").count("data-row") == 1
    assert text(client, "sales", query="?from=2026-11-20&to=2026-11-20").count("data-row") == 3
    assert "No order matches" in text(client, "sales", query="?from=2026-11-21")


@pytest.mark.parametrize(
    "words", ["#1042", "1042", "111-98567-54", "gid://shopify/Order/987654321", "987654321", " #1042 "]
)
def test_an_order_is_found_by_number_third_party_reference_and_the_stores_id(store: Store, words: str) -> None:
    told(store, numbered(7))
    wanted = told(store, sold(ref="gid://shopify/Order/987654321", name="#1042", source_identifier="111-98567-54"))

    assert orders_found(words) == [wanted.pk]


def test_nothing_is_found_by_part_of_a_number(store: Store) -> None:
    told(store, numbered(1042))

    assert orders_found("104") == []
    assert orders_found("") == []


def test_the_same_number_in_two_stores_is_pointed_out_on_both(store: Store, sign_in: SignIn) -> None:
    outlet = StoreFactory(name="Atelier Outlet")
    here, there = told(store, numbered(1042)), told(outlet, numbered(1042))
    told(store, numbered(7))
    client = sign_in("Viewer")

    listed = text(client, "sales")
    assert listed.count("also in") == 2
    assert "also in Atelier Outlet" in listed
    assert text(client, "order_queue").count("also in") == 2
    assert "also exists</a> in Atelier Outlet" in text(client, "sale", here.pk)
    assert "also exists</a> in Atelier Bucovina RO" in text(client, "sale", there.pk)


def test_the_palette_finds_an_order_and_says_whose_it_is(store: Store, rf: Any) -> None:
    sale = told(store, numbered(1042))
    request = rf.get("/")
    request.user = UserFactory(roles=["Viewer"])

    (found,) = palette(request, "#1042")

    assert (found.link, found.title) == (reverse("admin:sale", args=[sale.pk]), "#1042")
    assert found.description == "Order · Atelier Bucovina RO · 20 Nov 2026"
    told(StoreFactory(name="Atelier Outlet"), numbered(1042))
    assert sorted(each.description for each in palette(request, "#1042")) == [
        "Order · Atelier Bucovina RO · 20 Nov 2026 · also in Atelier Outlet",
        "Order · Atelier Outlet · 20 Nov 2026 · also in Atelier Bucovina RO",
    ]
    request.user = UserFactory(roles=["Onboarding"])
    assert palette(request, "#1042") == []


# --- one order


def test_an_order_shows_its_lines_and_that_they_add_up(store: Store, sign_in: SignIn) -> None:
    sale = told(
        store,
        numbered(
            1042,
            lines=(line(2, off=["20.00"], taxes=["37.80"]), line(1, "50.00", ref="line/2", bundle=bundle())),
            shipping=(delivery("19.00"),),
            subtotal="230.00",
            total_tax="37.80",
            total="286.80",
            fulfilment_orders=(work(2),),
        ),
    )

    page = text(sign_in("Viewer"), "sale", sale.pk)

    for shown in ("286.80 RON", "Adds up", "−20.00 RON", "Set de iarnă", "in its parts", "TVA 21 %", "37.80 RON"):
        assert shown in page, shown


def test_amounts_have_the_decimals_of_their_currency(store: Store, sign_in: SignIn) -> None:
    yen = numbered(1, lines=(line(2, "1500", currency="JPY"),), subtotal="3000", total="3000", currency="JPY")

    page = text(sign_in("Viewer"), "sale", told(store, yen).pk)

    assert "3,000 JPY" in page
    assert "3,000.00" not in page


def test_names_of_ours_stand_for_the_stores(store: Store, sign_in: SignIn) -> None:
    ValueMapping.objects.create(store=store, kind=MappedKind.GATEWAY, value="shopify_payments", ours="Card")
    sale = told(store, numbered(1, transactions=(payment("200.00"),)))

    assert "Card" in text(sign_in("Viewer"), "sale", sale.pk)


def test_who_bought_is_masked_for_those_who_may_not_see_it(store: Store, sign_in: SignIn) -> None:
    sale = told(store, numbered(1042, **bought()))
    personal = ("Ion Popescu", "ion@example.ro", "Str. Mare 1", "AWB-77")

    for role in ("Viewer", "Operator"):
        client = sign_in(role)
        masked = text(client, "sales") + text(client, "sale", sale.pk)
        assert not [word for word in personal if word in masked]
        assert "your role sees no customer data" in masked
    for role in ("Accountant", "Administrator"):
        page = text(sign_in(role), "sale", sale.pk)
        assert all(word in page for word in personal)


def test_a_newer_version_that_could_not_be_carried_says_why(store: Store, sign_in: SignIn) -> None:
    sale = told(store, numbered(1))
    sale.incoming.revision, sale.incoming.cause, sale.incoming.remedy = 2, "10.00 RON apart.", "Compare it."
    sale.incoming.save()

    page = text(sign_in("Viewer"), "sale", sale.pk)

    assert "A newer version waits" in page
    assert "10.00 RON apart." in page


def test_a_value_changed_here_shows_by_how_much_the_lines_are_apart(store: Store, sign_in: SignIn) -> None:
    sale = told(store, numbered(1))
    sale.lines.update(unit_price=Decimal("90.00"), net=Decimal("180.00"))

    page = text(sign_in("Viewer"), "sale", sale.pk)

    assert "20.00 RON apart" in page
    assert "Adds up" not in page


def test_a_line_is_changed_after_a_warning_and_both_values_are_shown(store: Store, sign_in: SignIn) -> None:
    sale = told(store, numbered(1042))
    address = reverse("admin:edit_line", args=[sale.pk, sale.lines.get().pk])
    client = sign_in("Operator")
    assert "is overwritten by the store" in client.get(address).content.decode()

    refused = client.post(address, {"field": "quantity", "value": "lots", "reason": "Clientul a sunat"})
    assert (refused.status_code, "Clientul a sunat" in refused.content.decode()) == (422, True)
    answer = client.post(address, {"field": "quantity", "value": "3", "reason": "Clientul a sunat"}, follow=True)

    page = answer.content.decode()
    for shown in ("100.00 RON apart", "2 → 3 · Clientul a sunat", "is 3 until the store"):
        assert shown in page, shown
    assert sign_in("Viewer").get(address).status_code == 403
    assert AuditEntry.objects.filter(action="change order").count() == 1


def test_refunds_lead_to_their_documents_and_stand_in_the_timeline(store: Store, sign_in: SignIn) -> None:
    sale = told(store, numbered(1042))
    about = {"store": store, "currency": "RON", "shop_currency": "RON"}
    refund = Refund.objects.create(
        order=sale.incoming,
        ref="gid/881",
        made_at=NOON,
        settled_at=NOON,
        state=RefundState.READY,
        sentence="Goods came back and money was paid.",
        paid=Decimal("121.00"),
        **about,
    )
    document = Document.objects.create(
        refund=refund,
        purpose="inventory_credit_memo",
        kind="inventory_credit_memo",
        series="ICM",
        number=42,
        state="posted",
        dated_at=NOON,
        posted_at=NOON,
        **about,
    )

    page = text(sign_in("Viewer"), "sale", sale.pk)

    for shown in ("Goods came back and money was paid.", "ICM-0042 posted", "121.00 RON"):
        assert shown in page, shown
    assert page.count(reverse("admin:document", args=[document.pk])) == 2
    assert page.count(reverse("admin:refund", args=[refund.pk])) == 2


def test_an_order_that_is_not_there_is_not_found(sign_in: SignIn) -> None:
    assert sign_in("Viewer").get(reverse("admin:sale", args=[7])).status_code == 404


def test_orders_are_not_open_to_onboarding(sign_in: SignIn) -> None:
    assert sign_in("Onboarding").get(reverse("admin:sales")).status_code == 403


def measured(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_pages_ask_the_same_whatever_there_is(store: Store, sign_in: SignIn) -> None:
    client = sign_in("Administrator")
    many = tuple(line(1, "1.00", ref=f"line/{n}", item_ref=f"item/{n}") for n in range(60))
    small = told(store, numbered(1))
    few = [measured(client, reverse("admin:sales")), measured(client, reverse("admin:sale", args=[small.pk]))]
    for number in range(2, 40):
        told(store, numbered(number, **bought()))
    large = told(store, numbered(99, lines=many, subtotal="60.00", total="60.00", transactions=(payment(),)))

    assert [measured(client, reverse("admin:sales")), measured(client, reverse("admin:sale", args=[large.pk]))] == few
    assert max(few) <= 15


# --- names


def test_names_are_given_in_place_and_orders_go_on(store: Store, sign_in: SignIn) -> None:
    told(store, numbered(1, transactions=(payment("200.00", gateway="cod"),)))
    client = sign_in("Onboarding")
    assert "1 unmapped" in text(client, "order_names", store.slug)

    given = {"kind": "gateway", "unmapped": "stop", "default": "", "value": ["cod", "paypal"], "ours": ["Ramburs", ""]}
    answer = client.post(reverse("admin:order_names", args=[store.slug]), given, follow=True)

    assert "1 of 2 values have a name of ours" in answer.content.decode()
    assert list(ValueMapping.objects.values_list("value", "ours")) == [("cod", "Ramburs")]
    assert "All named" in text(client, "order_names", store.slug)


def test_names_are_read_by_viewers_and_changed_by_those_who_may(store: Store, sign_in: SignIn) -> None:
    viewer = sign_in("Viewer")

    told(store, numbered(1, po_number="", localized=(LocalizedField("vat", "RO", "tax", "CUI", "RO 77"),)))
    page = text(viewer, "order_names", store.slug)
    assert "needs another role" in page
    assert "1 business buyer" in page
    assert "RO77" not in page
    assert "RO77" in text(sign_in("Operator"), "order_names", store.slug)
    assert viewer.post(reverse("admin:order_names", args=[store.slug]), {"kind": "gateway"}).status_code == 403


def test_where_tax_ids_are_is_named_in_place_and_a_slip_keeps_what_was_typed(store: Store, sign_in: SignIn) -> None:
    client, page = sign_in("Operator"), reverse("admin:order_names", args=[store.slug])

    slip = client.post(page, {"tax_fields": "order.custom.cui, vat"})
    assert slip.status_code == 422
    assert 'value="order.custom.cui, vat"' in slip.content.decode()
    assert "Write it like order.custom.vat_number" in slip.content.decode()

    client.post(page, {"tax_fields": "order.custom.cui, customer.facts.vat"})
    store.refresh_from_db()
    assert store.tax_fields == ["order.custom.cui", "customer.facts.vat"]
    assert 'value="order.custom.cui,customer.facts.vat"' in text(client, "order_names", store.slug)
