"""Every refund becomes exactly the right documents: the table in refund_cases.toml, written by hand from the rules."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from decimal import Decimal

import pytest

from orders.classification import verdicts
from orders.effects import Effect, Holding, StockRule, Terms, effects_of
from orders.facts import Fact, FactKind, Spot, news
from orders.refund_goods import StockEntry
from orders.refund_money import sum_of
from orders.refund_words import money
from orders.verdict import Readiness, Verdict
from tests.orders.refund_cases import Case, Expected, cases

CASES = cases()
OF_REFUNDS = {FactKind.CANCELLED, FactKind.LOST, FactKind.RETURNED, FactKind.WRITTEN_OFF}


def named(case: Case) -> str:
    return case.name


def judged(case: Case) -> list[Verdict]:
    return verdicts(case.order, invoiced=case.invoiced, accepted=case.accepted)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_documents_entries_and_sentence_are_those_of_the_table(case: Case) -> None:
    assert {v.refund_ref: told(v) for v in judged(case)} == {each.refund_ref: each for each in case.expected}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_ledger_books_what_the_verdicts_prove(case: Case) -> None:
    """The engine that books stock reads the same facts on another way, and comes to the same entries."""
    proven = [entry for verdict in judged(case) for entry in verdict.entries]
    assert totals(proven) == totals(booked(case))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_lines_come_to_their_document_and_documents_to_the_money(case: Case) -> None:
    for verdict in judged(case):
        if verdict.readiness is not Readiness.READY or verdict.refund_ref in case.accepted:
            continue
        for document in verdict.documents:
            assert sum_of(case.order, document.parts) == document.total
        shop = sum((each.total.shop.amount for each in verdict.documents), Decimal(0))
        buyer = sum((each.total.presentment.amount for each in verdict.documents), Decimal(0))
        assert (shop, buyer) == (verdict.money.paid.shop.amount, verdict.money.paid.presentment.amount)


@pytest.mark.parametrize("case", [c for c in CASES if len(c.order.refunds) > 1], ids=named)
def test_the_order_in_which_the_store_lists_its_refunds_does_not_matter(case: Case) -> None:
    whole = judged(case)
    for refunds in itertools.permutations(case.order.refunds):
        shuffled = dataclasses.replace(case, order=dataclasses.replace(case.order, refunds=refunds))
        assert judged(shuffled) == whole


@pytest.mark.parametrize("case", [c for c in CASES if c.order.refunds and not c.order.cancelled_at], ids=named)
def test_what_happens_later_does_not_change_what_a_refund_was(case: Case) -> None:
    """Sending the rest of the order after the last refund leaves every verdict as it was."""
    last = max(refund.created_at or refund.updated_at for refund in case.order.refunds)
    sent = [each for each in case.order.fulfilments if each.created_at <= last]
    early = dataclasses.replace(case.order, fulfilments=tuple(sent))
    assert verdicts(early, invoiced=case.invoiced, accepted=case.accepted) == judged(case)


def test_the_table_has_every_kind_of_refund_at_least_once() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
    assert {each.state for case in CASES for each in case.expected} == {"ready", "waits", "needs a person"}


def told(verdict: Verdict) -> Expected:
    """A verdict in the words of the table."""
    ats: Counter[str] = Counter()
    for entry in verdict.entries:
        ats[entry.location_ref] += entry.on_hand - entry.released
    return Expected(
        refund_ref=verdict.refund_ref,
        documents=[f"{each.kind.replace('_', ' ')} {money(each.total)}" for each in verdict.documents],
        state=verdict.readiness.replace("_", " ").replace("needs person", "needs a person"),
        entries=[in_words(entry) for entry in verdict.entries],
        ats=[f"{place} {quantity:+}" for place, quantity in sorted(ats.items()) if quantity],
        sentence=verdict.sentence,
    )


def in_words(entry: StockEntry) -> str:
    moved = [
        f"{quantity:+} {name}"
        for quantity, name in ((entry.on_hand, "on hand"), (entry.released, "released"))
        if quantity
    ]
    return f"{', '.join(moved)}, {entry.location_ref}: {entry.kind.replace('_', ' ')}"


def booked(case: Case) -> list[Effect]:
    """What the engine books for the refunds of the case."""
    held: dict[Spot, Holding] = {}
    found: list[Effect] = []
    for fact in news(case.order, {}).facts:
        here = held.setdefault(fact.spot, Holding())
        there = held.setdefault(Spot(fact.spot.line_ref, fact.to_ref), Holding())
        made = effects_of(fact, Terms(StockRule.ORDER), here, there)
        found += made if of_a_refund(fact, case) else []
    return [effect for effect in found if effect.kind]


def of_a_refund(fact: Fact, case: Case) -> bool:
    """Whether a refund says it; an order's cancellation also loses units that no refund speaks of."""
    spoken_of = {entry.line_ref for refund in case.order.refunds for entry in refund.lines}
    return fact.kind in OF_REFUNDS and fact.spot.line_ref in spoken_of


def totals(entries: list[Effect] | list[StockEntry]) -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for entry in entries:
        where = str(entry.kind), entry.location_ref
        on_hand, released = found.get(where, (0, 0))
        found[where] = on_hand + entry.on_hand, released + entry.released
    return found
