"""Documents of refunds: each refund becomes exactly what its facts say, however often and in whatever order it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Final

from django.db import transaction
from django.utils import timezone

from connectors.models import Store, StoreLocation
from connectors.models.stores import ExcludedRefunds
from connectors.ports.orders import RemoteOrder
from orders import numbering
from orders.classification import NONE, verdicts
from orders.document_lines import LineValues, difference, standing, wanted
from orders.models import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentState,
    IncomingOrder,
    IncomingState,
    Refund,
    RefundState,
)
from orders.told import Told
from orders.verdict import CANCELLATION, Planned, Readiness, Verdict
from syncconsole.kernel import audit, bulk
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

STATES: Final = {
    Readiness.READY: DocumentState.DRAFT,
    Readiness.WAITS: DocumentState.WAITS,
    Readiness.NEEDS_PERSON: DocumentState.NEEDS_PERSON,
}
SEE_RIGHT: Final = "orders.view_document"
SEE_REFUNDS_RIGHT: Final = "orders.view_refund"
DECIDE_RIGHT: Final = "orders.decide_refund"
LEFT_OUT: Final = (IncomingState.SHADOW, IncomingState.EXCLUDED)
"""States of an order that is not carried as a sales order."""
UNPAID: Final = (
    (
        "Nothing was ever paid for this order, as with cash on delivery that came back, and the store wrote no "
        "adjustment beside the goods: their value stands against no money."
    ),
    (
        "If nobody collected anything, book it as it is. If the carrier did, mark the order as paid in the store and "
        "refund it there."
    ),
)
"""Cause and remedy."""


class DecisionRefused(Refusal):
    """Nothing is left to decide, or it changed since it was looked at. Carries cause and remedy."""


@dataclass(slots=True)
class Settled:
    """What settling an order's refunds came to: documents posted now, and how many refunds wait or need a person."""

    posted: list[Document] = field(default_factory=list)
    refunds: int = 0
    waiting: int = 0
    needing_person: int = 0


def settle(told: Told, *, invoiced: Mapping[str, int] = NONE, left_out: Container[IncomingOrder] = ()) -> Settled:
    """Bring the documents of these orders to what the versions told say of their refunds, in the order of `told`.

    Inside the caller's transaction. Test orders make no document. Refunds of orders that are `left_out` by date are listed,
    and make documents only where their store says so; a refund that has documents already goes on with them
    (algorithms.md §8b 7). The same version again changes nothing. A document that waits follows every newer version; a
    posted one never changes, and what differs from it later is a counter-document. `invoiced`: units of each line that
    invoices hold. Orders without refunds cost no query, the others together as many as one.
    """
    concerned = {
        row: order
        for row, order in told.items()
        if not row.test and (order.refunds or (order.cancelled_at and invoiced))
    }
    return _Settling(concerned, invoiced, left_out).run() if concerned else Settled()


@transaction.atomic
def settle_order(pk: int, *, invoiced: Mapping[str, int] = NONE) -> Settled:
    """`settle` for one incoming order by itself, under its lock; nothing while it waits to be imported."""
    row = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=pk)
    if row.state not in (IncomingState.IMPORTED, *LEFT_OUT):
        return Settled()
    return settle({row: row.order}, invoiced=invoiced, left_out={row} if row.state in LEFT_OUT else ())


def settle_store(store: Store) -> Settled:
    """`settle_order` for every order of `store` that has refunds, oldest first; each by itself, so that what is
    done stays done."""
    read = IncomingOrder.objects.filter(store=store, state__in=(IncomingState.IMPORTED, *LEFT_OUT), test=False)
    rows = read.filter(snapshot__refunds__0__isnull=False)
    whole = Settled()
    for pk in rows.order_by("remote_created_at", "pk").values_list("pk", flat=True):
        done = settle_order(pk)
        whole.posted += done.posted
        whole.refunds += done.refunds
        whole.waiting += done.waiting
        whole.needing_person += done.needing_person
    return whole


def why_due(refund: Refund) -> tuple[str, str]:
    """Cause and remedy of a refund that waits for a person: what the store could tell, and what booking it as it is means."""
    received = refund.order.order.total_received.presentment.amount
    came_back = any(each.kind == DocumentKind.INVENTORY_CREDIT_MEMO for each in refund.documents.all())
    if came_back and not refund.paid and not received:
        return UNPAID
    return refund.equal_check, "Correct the refund in the store, and it is settled by itself; or book it as it is."


@transaction.atomic
def decide(
    refund: Refund,
    sentence: str,
    *,
    by: User,
    reason: str,
    invoiced: Mapping[str, int] = NONE,
    address: str | None = None,
) -> Settled:
    """Book a refund as it is, although it needs a person: no money goes back, or the difference is right.

    `sentence` is the one the person saw: a verdict that changed since is refused, and so is a decision without a reason.
    Raises `DecisionRefused`.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise DecisionRefused("Nothing was decided: the reason is missing.", "Say in a few words why it is right.")
    row = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=refund.order_id)
    refund = Refund.objects.get(pk=refund.pk)
    if refund.state != Readiness.NEEDS_PERSON or refund.sentence != sentence:
        raise DecisionRefused(
            "This refund changed since you looked at it; nothing was decided.", "Read what it says now, then decide."
        )
    refund.decided_on, refund.decided_by, refund.decided_at = sentence, by, timezone.now()
    refund.save(update_fields=["decided_on", "decided_by", "decided_at"])
    audit.record(
        by, "decide refund", f"Refund {refund}", before={"state": refund.state, "why": sentence},
        after={"reason": reason}, address=address,
    )  # fmt: skip
    return settle({row: row.order}, invoiced=invoiced, left_out={row} if row.state in LEFT_OUT else ())


class _Settling:
    """The refunds of some orders on their way into the books."""

    def __init__(self, told: Told, invoiced: Mapping[str, int], left_out: Container[IncomingOrder]) -> None:
        self.told, self.invoiced, self.left_out = told, invoiced, left_out
        known = Refund.objects.filter(order__in=told).prefetch_related("documents__lines")
        self.known = {refund.ref: refund for refund in known}
        self.places = self._places()
        self.new: list[tuple[Document, list[LineValues]]] = []
        self.ready: list[Document] = []
        self.countered: list[int] = []

    def run(self) -> Settled:
        found = [(row, verdict) for row, order in self.told.items() for verdict in self._verdicts(row, order)]
        refunds = self._write_refunds(found)
        stands = Counter(refund.state for refund in refunds)
        for refund, (_, verdict) in zip(refunds, found, strict=True):
            if refund.state != RefundState.LISTED:
                self._write_documents(refund, verdict)
        bulk.insert(document for document, _ in self.new)
        _write_lines(self.new)
        self._post()
        return Settled(self.ready, len(found), stands[RefundState.WAITS], stands[RefundState.NEEDS_PERSON])

    def _verdicts(self, row: IncomingOrder, order: RemoteOrder) -> list[Verdict]:
        places = {ref: self.places[ref] for ref in _unnamed(order) if ref in self.places}
        found = verdicts(order, invoiced=self.invoiced, places=places)
        accepted = [each.refund_ref for each in found if self._is_accepted(row, each)]
        if not accepted:
            return found
        return verdicts(order, invoiced=self.invoiced, places=places, accepted=accepted)

    def _is_accepted(self, row: IncomingOrder, verdict: Verdict) -> bool:
        refund = self.known.get(_ref(row, verdict))
        return bool(refund and verdict.readiness is Readiness.NEEDS_PERSON and refund.decided_on == verdict.sentence)

    def _places(self) -> dict[str, str]:
        """Names of the locations that the orders themselves do not name."""
        missing = {ref for order in self.told.values() for ref in _unnamed(order)}
        if not missing:
            return {}
        found = StoreLocation.objects.filter(store=next(iter(self.told)).store_id, ref__in=missing)
        return dict(found.values_list("ref", "name"))

    def _write_refunds(self, found: Sequence[tuple[IncomingOrder, Verdict]]) -> list[Refund]:
        rows = [self._refund(row, verdict) for row, verdict in found]
        bulk.insert(row for row in rows if row._state.adding)
        return rows

    def _refund(self, incoming: IncomingOrder, verdict: Verdict) -> Refund:
        """The refund's row, brought along; a new one is not saved yet."""
        ref, order = _ref(incoming, verdict), self.told[incoming]
        row = self.known.get(ref) or Refund(store_id=incoming.store_id, order=incoming, ref=ref)
        values = {
            "made_at": verdict.at,
            **self._stand(incoming, row, verdict),
            "currency": order.presentment_currency,
            "shop_currency": order.currency,
            "paid": verdict.money.paid.presentment.amount,
            "paid_shop": verdict.money.paid.shop.amount,
            "pending": verdict.money.pending.presentment.amount,
        }
        if _change(row, values):
            row.settled_at = timezone.now()
            if not row._state.adding:
                row.save()
        return row

    def _stand(self, incoming: IncomingOrder, row: Refund, verdict: Verdict) -> dict[str, object]:
        """State and words of a refund; of an order that is left out, what it would have been."""
        listed = incoming in self.left_out and incoming.store.excluded_refunds == ExcludedRefunds.LISTED
        if not listed or (not row._state.adding and row.documents.all()):
            return {"state": verdict.readiness.value, **_words(verdict)}
        why = f"Its order is left out by date, so it is listed and makes no document. Otherwise: {verdict.sentence}"
        return {"state": RefundState.LISTED.value, **_words(verdict), "sentence": why}

    def _write_documents(self, refund: Refund, verdict: Verdict) -> None:
        kept = list(refund.documents.all()) if refund.ref in self.known else []
        planned = {DocumentKind(each.kind.value): each for each in verdict.documents}
        for kind in dict.fromkeys([*planned, *(DocumentKind(each.kind) for each in kept)]):
            of_kind = sorted((each for each in kept if each.kind == kind), key=lambda each: each.pk)
            self._write_kind(_Wanted(refund, verdict, kind, planned.get(kind)), of_kind)

    def _write_kind(self, want: _Wanted, kept: Sequence[Document]) -> None:
        """The document of one kind: the first one, or the counter-document of those that are posted."""
        posted = [document for document in kept if document.is_posted]
        waiting = next((document for document in kept if not document.is_posted), None)
        lines = want.lines
        if posted:
            lines = difference(lines, standing(line for each in posted for line in each.lines.all()))
        if not (lines if posted else want.planned):
            if waiting:
                waiting.delete()
            return
        document = waiting or want.document(posted)
        news = _change(document, want.values(posted))
        if waiting is None:
            self.new.append((document, lines))
        else:
            _rewrite(document, lines, changed=news)
        if want.verdict.readiness is Readiness.READY:
            self.ready.append(document)
            if want.planned is None:
                self.countered += [each.pk for each in posted]

    def _post(self) -> None:
        """Number what is ready, series by series in the order of their codes, in each order after order, and close what was
        countered whole."""
        if not self.ready:
            return
        now = timezone.now()
        turn = {row.pk: number for number, row in enumerate(self.told)}
        by_series = sorted(
            self.ready, key=lambda each: (each.series, turn[each.refund.order_id], each.dated_at, each.pk)
        )
        for code, group in groupby(by_series, key=lambda each: each.series):
            documents = list(group)
            for document, number in zip(documents, numbering.post(code, documents, now), strict=True):
                document.number, document.posted_at, document.state = number, now, DocumentState.POSTED
        if self.countered:
            Document.objects.filter(pk__in=self.countered).update(state=DocumentState.COUNTERED)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The document of one kind that a verdict asks for; `planned` None: it asks for none any more."""

    refund: Refund
    verdict: Verdict
    kind: DocumentKind
    planned: Planned | None

    @property
    def lines(self) -> list[LineValues]:
        return wanted(self.planned) if self.planned else []

    def document(self, posted: Sequence[Document]) -> Document:
        return Document(
            refund=self.refund,
            store_id=self.refund.store_id,
            purpose=f"{self.kind.value}:{len(posted)}" if posted else self.kind.value,
            kind=self.kind,
            counters=posted[0] if posted else None,
            series=self.kind.code,
        )

    def values(self, posted: Sequence[Document]) -> dict[str, object]:
        """What the document says: of its kind, what the posted ones do not say yet."""
        words = _words(self.verdict)
        if posted:
            words["sentence"] = f"The refund changed after {posted[-1].label}: {words['sentence']}"
        total = self.planned.total if self.planned else None
        return {
            "state": STATES[self.verdict.readiness],
            **words,
            "currency": self.refund.currency,
            "shop_currency": self.refund.shop_currency,
            "total": (total.presentment.amount if total else 0) - sum(each.total for each in posted),
            "total_shop": (total.shop.amount if total else 0) - sum(each.total_shop for each in posted),
            "dated_at": self.verdict.at,
        }


def _ref(row: IncomingOrder, verdict: Verdict) -> str:
    alone = verdict.refund_ref == CANCELLATION
    return f"{CANCELLATION}:{row.ref}" if alone else verdict.refund_ref


def _unnamed(order: RemoteOrder) -> set[str]:
    """Locations that the order names by reference alone."""
    asked = {entry.location_ref for refund in order.refunds for entry in refund.lines}
    asked |= {sent.location_ref for sent in order.fulfilments}
    return asked - {work.location_ref for work in order.fulfilment_orders} - {""}


def _words(verdict: Verdict) -> dict[str, object]:
    check = verdict.check
    return {
        "sentence": verdict.sentence,
        "stock_check": check.stock,
        "money_check": check.money,
        "equal_check": check.equal,
    }


def _change(row: Refund | Document, values: Mapping[str, object]) -> bool:
    """Set these values; whether any of them is news. A row that is not kept yet is all news."""
    changed = row._state.adding or any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    return changed


def _rewrite(document: Document, lines: list[LineValues], *, changed: bool) -> None:
    """A document that waits, brought along; what is as it was costs nothing."""
    if changed:
        document.save()
    if standing(document.lines.all()) != lines:
        document.lines.all().delete()
        _write_lines([(document, lines)])


def _write_lines(documents: Sequence[tuple[Document, list[LineValues]]]) -> None:
    bulk.insert(
        DocumentLine(document=document, position=position, **asdict(line))
        for document, lines in documents
        for position, line in enumerate(lines, 1)
    )
