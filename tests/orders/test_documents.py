"""Every refund becomes exactly one right document, however it is told: repeated, shuffled, at once, or changed later."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Sum

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from orders import documents, imports, intake
from orders.documents import DecisionRefused, Settled, why_due
from orders.models import Document, DocumentSeries, DocumentState, IncomingOrder, IncomingState, Refund
from syncconsole.kernel.models import AuditEntry
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.inventory.test_races import at_once
from tests.orders.refund_cases import DAY, Case, cases
from tests.orders.shelves import Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

CASES = {case.name: case for case in cases()}
BOTH = CASES["goods and money of a shipped order"]
PENDING = CASES["restocked goods whose money is pending: the document waits, stock does not"]
FAILED = CASES["paying back failed"]
THREE = CASES["quantity only, amount only and both, on one order"]
TWICE = CASES["a second refund sees what the first consumed"]
TWO_KINDS = CASES["units cancelled with money and shipping: the rest is a credit memo"]


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def imported(store: Store, order: RemoteOrder, *, ref: str = "order", minutes: int = 0) -> IncomingOrder:
    """The order as the store tells it so many minutes later, kept and imported."""
    told = dataclasses.replace(order, ref=ref, updated_at=order.updated_at + dt.timedelta(minutes=minutes))
    own = tuple(dataclasses.replace(refund, ref=f"{ref}/{refund.ref}") for refund in told.refunds)
    intake.keep(store, [dataclasses.replace(told, refunds=own)], asked_at=DAY)
    IncomingOrder.objects.filter(store=store, ref=ref).update(state=IncomingState.IMPORTED)
    return IncomingOrder.objects.get(store=store, ref=ref)


def settled(row: IncomingOrder) -> Settled:
    return documents.settle_order(row.pk)


def with_money(case: Case, **changes: Any) -> RemoteOrder:
    """The case's order, its first refund's transactions changed."""
    first, *rest = case.order.refunds
    moved = tuple(dataclasses.replace(each, **changes) for each in first.transactions)
    return dataclasses.replace(case.order, refunds=(dataclasses.replace(first, transactions=moved), *rest))


def posted() -> list[tuple[str, Decimal, str]]:
    return [(each.label, each.total, each.state) for each in Document.objects.exclude(number=None).order_by("pk")]


# --- once


def test_a_refund_becomes_a_numbered_document_with_its_reason_and_its_lines(store: Store) -> None:
    settled(imported(store, BOTH.order))

    document = Document.objects.get()
    assert (document.label, document.state, document.total, document.currency) == ("ICM-0001", "posted", 121, "RON")
    assert document.sentence == BOTH.expected[0].sentence
    assert document.stock_check == "+1 back to available, Cluj."
    assert document.money_check == "121.00 RON paid back."
    assert document.equal_check == "Lines 121.00 RON = document 121.00 RON = the store's transactions 121.00 RON."
    line = document.lines.get()
    assert (line.kind, line.label, line.quantity, line.fate, line.amount, line.tax) == (
        ("goods", "A", 1, "returned", 121, 21)
    )


def test_the_same_version_again_changes_nothing(store: Store) -> None:
    row = imported(store, THREE.order)
    first = settled(row)
    refunds = list(Refund.objects.values())

    assert [len(each.posted) for each in (first, settled(row), settled(row))] == [3, 0, 0]
    assert list(Refund.objects.values()) == refunds
    assert [label for label, _, _ in posted()] == ["ICM-0001", "CM-0001", "ICM-0002"]


@pytest.mark.parametrize("order_of_arrival", list(itertools.permutations(range(3))))
def test_three_refunds_told_one_by_one_or_out_of_order_make_the_same_documents(
    store: Store, order_of_arrival: tuple[int, ...]
) -> None:
    """Each delivery makes us read the order: versions with one, two and three refunds, and late ones that are older."""
    versions = [dataclasses.replace(THREE.order, refunds=THREE.order.refunds[: n + 1]) for n in range(3)]
    for number in order_of_arrival:
        settled(imported(store, versions[number], minutes=number))

    assert {each.ref: each.state for each in Refund.objects.all()} == dict.fromkeys(
        ["order/refund-1", "order/refund-2", "order/refund-3"], "ready"
    )
    assert sorted((kind, total) for kind, total in Document.objects.values_list("kind", "total")) == [
        ("credit_memo", 12),
        ("inventory_credit_memo", 0),
        ("inventory_credit_memo", 30),
    ]


@pytest.mark.django_db(transaction=True)
def test_deliveries_at_once_make_one_document_each_and_numbers_without_gaps() -> None:
    store = StoreFactory()
    rows = [imported(store, THREE.order, ref=f"order-{n}") for n in range(3)]

    assert at_once(*(lambda row=row: settled(row) for row in rows for _ in range(3))) == []

    numbers = Document.objects.filter(series="ICM").values_list("number", flat=True)
    assert sorted(numbers) == list(range(1, 7))
    assert sorted(Document.objects.filter(series="CM").values_list("number", flat=True)) == [1, 2, 3]
    assert Refund.objects.count() == 9


def test_numbers_of_what_is_rolled_back_are_given_again(store: Store) -> None:
    with transaction.atomic():
        settled(imported(store, BOTH.order, ref="lost"))
        transaction.set_rollback(True)

    settled(imported(store, BOTH.order))

    assert [label for label, _, _ in posted()] == ["ICM-0001"]
    assert DocumentSeries.objects.get().last_number == 1


def test_a_second_document_for_the_same_purpose_is_refused_by_the_database(store: Store) -> None:
    settled(imported(store, PENDING.order))
    document = Document.objects.get()
    document.pk = None

    with pytest.raises(IntegrityError, match="document_once"), transaction.atomic():
        document.save(force_insert=True)


def test_a_refund_that_makes_two_documents_makes_them_together(store: Store) -> None:
    settled(imported(store, TWO_KINDS.order))

    assert posted() == [("OC-0001", 100, "posted"), ("CM-0001", 10, "posted")]


# --- orders that make none


def test_goods_of_an_order_that_nobody_paid_say_so_with_what_to_do(store: Store) -> None:
    settled(imported(store, CASES["goods returned without money and without a word why stop"].order))

    cause, remedy = why_due(Refund.objects.get())

    assert "Nothing was ever paid for this order, as with cash on delivery" in cause
    assert "book it as it is" in remedy


def test_orders_that_are_not_ours_make_no_document(store: Store) -> None:
    row = imported(store, BOTH.order)
    for state in (IncomingState.SHADOW, IncomingState.EXCLUDED, IncomingState.PENDING, IncomingState.FAILED):
        IncomingOrder.objects.update(state=state)
        settled(row)
    test_order = imported(store, dataclasses.replace(BOTH.order, test=True), ref="test")
    settled(test_order)

    assert not Document.objects.exists()
    assert not Refund.objects.filter(order=test_order).exists()


def test_an_order_without_refunds_costs_no_query(store: Store, django_assert_num_queries: Any) -> None:
    row = imported(store, dataclasses.replace(BOTH.order, refunds=()))
    order = row.order
    with transaction.atomic(), django_assert_num_queries(0):
        documents.settle({row: order})


def test_two_refunds_cost_as_many_queries_as_one(store: Store, django_assert_num_queries: Any) -> None:
    for number, case in enumerate((BOTH, TWICE)):
        row = imported(store, case.order, ref=f"order-{number}")
        order = row.order
        with transaction.atomic(), django_assert_num_queries(5):
            documents.settle({row: order})


def test_a_refund_that_makes_no_document_is_recorded(store: Store) -> None:
    case = CASES["units that can still be sent, without money: recorded only"]
    settled(imported(store, case.order))

    assert Refund.objects.get().sentence == case.expected[0].sentence
    assert not Document.objects.exists()


# --- money that is pending, or fails


def test_the_document_waits_for_the_money_and_is_posted_once_it_came(store: Store) -> None:
    settled(imported(store, PENDING.order))
    assert Document.objects.get().state == DocumentState.WAITS
    assert not DocumentSeries.objects.exists()

    settled(imported(store, with_money(PENDING, status="success"), minutes=1))

    assert posted() == [("ICM-0001", 121, "posted")]
    assert Document.objects.get().sentence.endswith("so it is an Inventory Credit Memo with value.")


def test_money_that_fails_needs_a_person_and_a_new_success_makes_one_memo_with_value(store: Store) -> None:
    settled(imported(store, PENDING.order))
    settled(imported(store, with_money(PENDING, status="failure"), minutes=1))
    waiting = Document.objects.get()
    assert (waiting.state, waiting.total) == (DocumentState.NEEDS_PERSON, 0)

    settled(imported(store, with_money(PENDING, status="success"), minutes=2))

    assert posted() == [("ICM-0001", 121, "posted")]


def test_a_payment_that_failed_and_another_that_went_through_make_one_memo_with_value(store: Store) -> None:
    settled(imported(store, PENDING.order))
    settled(imported(store, with_money(PENDING, status="failure"), minutes=1))
    failed = with_money(PENDING, status="failure")
    (tried,) = failed.refunds[0].transactions
    again = dataclasses.replace(tried, ref="another", status="success")
    refund = dataclasses.replace(failed.refunds[0], transactions=(tried, again))
    settled(imported(store, dataclasses.replace(failed, refunds=(refund,)), minutes=2))

    assert posted() == [("ICM-0001", 121, "posted")]


def test_a_person_says_that_no_money_goes_back(store: Store) -> None:
    settled(imported(store, FAILED.order))
    refund, accountant = Refund.objects.get(), UserFactory()

    documents.decide(refund, refund.sentence, by=accountant, reason="agreed with the buyer")

    assert posted() == [("ICM-0001", 0, "posted")]
    assert Refund.objects.get().decided_by == accountant
    assert AuditEntry.objects.get(action="decide refund").after == {"reason": "agreed with the buyer"}
    settled(IncomingOrder.objects.get())
    assert posted() == [("ICM-0001", 0, "posted")]


def test_a_decision_about_what_changed_meanwhile_is_refused(store: Store) -> None:
    settled(imported(store, FAILED.order))
    seen = Refund.objects.get()
    settled(imported(store, with_money(FAILED, status="success"), minutes=1))

    with pytest.raises(DecisionRefused, match="changed since"):
        documents.decide(seen, seen.sentence, by=UserFactory(), reason="agreed")


def test_a_decision_does_not_hold_for_another_difference(store: Store) -> None:
    case = CASES["a cent is missing and nothing says why"]
    settled(imported(store, case.order))
    refund = Refund.objects.get()
    documents.decide(refund, refund.sentence, by=UserFactory(), reason="a cent")
    assert posted() == [("ICM-0001", Decimal("10.01"), "posted")]

    less = dataclasses.replace(case.order.refunds[0].transactions[0].amount)
    shop = dataclasses.replace(less.shop, amount=Decimal("5.00"))
    both = dataclasses.replace(less, shop=shop, presentment=shop)
    settled(imported(store, with_money(case, amount=both), minutes=1))

    assert posted() == [("ICM-0001", Decimal("10.01"), "posted")]
    waiting = Document.objects.get(number=None)
    assert (waiting.state, waiting.total) == (DocumentState.NEEDS_PERSON, Decimal("-5.01"))


# --- after posting


def test_money_that_comes_after_the_memo_was_posted_makes_a_counter_document_of_the_difference(store: Store) -> None:
    settled(imported(store, FAILED.order))
    refund = Refund.objects.get()
    documents.decide(refund, refund.sentence, by=UserFactory(), reason="no money")

    settled(imported(store, with_money(FAILED, status="success"), minutes=1))
    settled(IncomingOrder.objects.get())

    assert posted() == [("ICM-0001", 0, "posted"), ("ICM-0002", 100, "posted")]
    later = Document.objects.get(number=2)
    assert later.counters is not None
    assert later.counters.number == 1
    assert [(line.kind, line.amount) for line in later.lines.all()] == [("accepted", 100)]


def test_a_document_that_turns_out_wrong_is_cancelled_whole_by_another(store: Store) -> None:
    """The fulfilment was called back: what was a return is money alone."""
    case = CASES["sent in the very moment of the refund counts as sent"]
    settled(imported(store, case.order))
    settled(imported(store, dataclasses.replace(case.order, fulfilments=()), minutes=1))

    assert posted() == [("ICM-0001", 40, "countered"), ("CM-0001", 40, "posted"), ("ICM-0002", -40, "posted")]
    countering = Document.objects.get(series="ICM", number=2)
    assert [(line.quantity, line.amount) for line in countering.lines.all()] == [(-1, -40)]
    settled(IncomingOrder.objects.get())
    assert len(posted()) == 3


def test_a_posted_document_cannot_be_changed_deleted_or_added_to(store: Store) -> None:
    settled(imported(store, BOTH.order))
    document = Document.objects.get()
    line = document.lines.get()

    def refused(work: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            work()

    refused(lambda: Document.objects.update(total=1))
    refused(lambda: Document.objects.update(sentence="another"))
    refused(lambda: Document.objects.all()._raw_delete("default"))
    refused(lambda: document.lines.update(quantity=9))
    refused(lambda: document.lines.all()._raw_delete("default"))
    line.pk, line.position = None, 2
    refused(lambda: line.save(force_insert=True))
    assert Document.objects.update(fiscal_number="SHP 0131") == 1


@pytest.mark.django_db(transaction=True)
def test_a_document_whose_lines_do_not_come_to_its_total_cannot_be_posted() -> None:
    settled(imported(StoreFactory(), PENDING.order))

    with pytest.raises(IntegrityError, match="lines come to 121"), transaction.atomic():
        Document.objects.update(number=1, posted_at=DAY, state=DocumentState.POSTED, total=120)


# --- through the import


def test_the_import_books_stock_and_document_of_a_return_together(world: World) -> None:
    Store.objects.update(integration_date=DAY.date())
    shop = Shelves(item=world.item("TS-BLK-M", here=20, there=20).item_ref)
    shop.place(3, world.there)
    shop.fulfil(3, world.there)
    shop.come_back(1, world.there)
    intake.keep(world.store, [shop.told()], asked_at=DAY)

    imports.import_waiting(Store.objects.get(pk=world.store.pk))

    assert IncomingOrder.objects.get().state == IncomingState.IMPORTED
    assert world.level("TS-BLK-M").on_hand == 18
    assert [label for label, _, _ in posted()] == ["ICM-0001"]


# --- the command


def test_the_command_settles_every_imported_order_and_says_what_it_posted(store: Store) -> None:
    Store.objects.update(integration_date=DAY.date())
    imported(store, BOTH.order)
    imported(store, dataclasses.replace(BOTH.order, refunds=()), ref="no refund")

    code, told, _ = run("process_refunds", store.slug)
    assert (code, told["refunds"], told["posted"]) == (0, 1, ["ICM-0001"])

    code, told, _ = run("process_refunds", store.slug)
    assert (code, told["refunds"], told["posted"]) == (0, 1, [])


def test_the_command_names_the_refunds_that_wait(store: Store) -> None:
    Store.objects.update(integration_date=DAY.date())
    imported(store, PENDING.order)

    code, told, said = run("process_refunds", store.slug)

    assert (code, told["waiting"], told["posted"]) == (1, 1, [])
    assert PENDING.expected[0].sentence in said


def test_the_command_refuses_a_store_whose_integration_date_is_not_set(store: Store) -> None:
    code, told, _ = run("process_refunds", store.slug)
    assert (code, told["outcome"]) == (2, "refused")


# --- conservation


def test_documents_come_to_the_money_of_the_refunds_in_every_currency(store: Store) -> None:
    """All histories of the table in one store: Σ posted documents = Σ money of the refunds that are done."""
    for number, case in enumerate(CASES.values()):
        settled(imported(store, case.order, ref=f"order-{number}"))

    done = Refund.objects.filter(state="ready")
    for name, kind in (("currency", ""), ("shop_currency", "_shop")):
        paid = dict(done.values_list(name).annotate(total=Sum(f"paid{kind}")).order_by(name))
        booked = Document.objects.filter(refund__in=done).values_list(name)
        assert dict(booked.annotate(total=Sum(f"total{kind}")).order_by(name)) | _zeros(paid) == paid
    assert {"RON", "EUR", "JPY", "KWD"} <= set(done.values_list("currency", flat=True))


def _zeros(paid: dict[str, Decimal]) -> dict[str, Decimal]:
    return {currency: total for currency, total in paid.items() if not total}


def test_by_command_a_refund_is_booked_for_the_sentence_that_was_read(store: Store) -> None:
    settled(imported(store, FAILED.order))
    code, told, _ = run("refunds", store.slug, "--state", "needs_person")
    [row] = told["listed"]
    assert (code, row["refund"], bool(row["cause"])) == (0, Refund.objects.get().ref, True)
    accountant = UserFactory(roles=["Accountant"])
    command = ("refunds", "--decide", str(row["number"]), "--reason", "no money", "--as", accountant.email)
    assert run(*command)[1]["remedy"] == "Give --sentence with what the list says of it."
    assert run(*command, "--sentence", "another")[0] == 2

    code, told, _ = run(*command, "--sentence", row["sentence"])

    assert (code, told["done"]) == (0, "Posted: ICM-0001.")
