"""Linking: binding the variants of a store to ours, without a guess."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog import clones, matching
from catalog.models import ConflictKind, LinkConflict, ListedVariant, MatchedBy, Variant
from connectors.models import Store
from connectors.ports.store import RemoteVariant
from connectors.registry import store_for
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

CONFLICT_ROWS = 1000
CANDIDATES_SHOWN = 20


class LinkRefused(Refusal):
    """The listing cannot be believed; links stay as they are."""


@dataclass(slots=True)
class LinkReport:
    """Variants of the store: `linked` new or again (counted by rule in `by`), `already` linked and unchanged,
    `only_there` unknown here, `conflicts` that need a decision. `only_here`: ours, in the store's tag filter, without
    a link. `gone`: links whose variant was not found any more, this time or before. `changed`: links written now, for
    whatever reason, and suspicions opened or closed; where it is 0, nothing that follows from links is out of date."""

    linked: int = 0
    already: int = 0
    by: dict[MatchedBy, int] = field(default_factory=dict)
    only_here: int = 0
    only_there: int = 0
    conflicts: int = 0
    gone: int = 0
    changed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "linked": self.linked,
            "already": self.already,
            "by": {rule.value: count for rule, count in self.by.items()},
            "only_here": self.only_here,
            "only_there": self.only_there,
            "conflicts": self.conflicts,
            "gone": self.gone,
        }


def nothing_more() -> None:
    """Nobody keeps anything that follows from links."""


def link(
    store: Store,
    *,
    actor: User | None = None,
    variants: Iterable[RemoteVariant] | None = None,
    then: Callable[[], None] = nothing_more,
) -> LinkReport:
    """Bind the variants of `store` to ours: by remembered remote id, else SKU, else barcode, else handle and options.

    Reads the store's whole listing first, outside any transaction, or `variants` where the caller had the listing
    prepared; when that breaks off, nothing changes and its ConnectorError goes up. Whatever matches more than once
    becomes a `LinkConflict`; one that is solved vanishes. Doing it again changes nothing. Raises LinkRefused when the
    listing is empty though items are linked.
    `then` is called in the transaction that learns of it, once links and suspicions (`clones.detect`) are stored.
    Callers that keep publications refresh them afterwards (`inventory.linking.link_store`).
    """
    with matching.listing(store_for(store).iter_variants() if variants is None else variants) as seen:
        if not seen and ListedVariant.objects.filter(store=store, gone_at=None).exists():
            raise LinkRefused(
                f"{store} lists no variant at all, though items are linked to it.",
                "Test the connection and its scope read_products, then link again. Nothing was changed.",
            )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ALONE, [store.pk])
            report = bind(store)
            then()
            report.gone = ListedVariant.objects.filter(store=store, gone_at__isnull=False).count()
            report.only_here = _only_here(store)
            audit.record(actor, "link_items", str(store), after=report.as_dict())
    return report


ALONE = "SELECT pg_advisory_xact_lock(hashtext('catalog.link'), %s)"
"""One linking of a store at a time."""


def bind(store: Store, *, products: Collection[str] | None = None) -> LinkReport:
    """Bind what `matching.listing` has read, and keep what could not be bound. In a transaction that is `ALONE`.

    `products`: all that was read are these products of the store, by reference, those that are gone among them; links
    and conflicts of others stay as they are. Without it, the whole store was read.
    """
    matching.match(store.pk)
    now = timezone.now()
    report = _save_links(store, now, products)
    _save_conflicts(store, report, now, products)
    report.changed += clones.detect(store, now, products)
    return report


SAVE_LISTINGS = """
INSERT INTO catalog_listing (product_id, store_id, remote_ref, handle, linked_at)
SELECT DISTINCT ON (s.product_ref, v.product_id) v.product_id, %(store)s, s.product_ref, s.handle, %(now)s
  FROM linking_bound b
  JOIN linking_seen s ON s.ref = b.ref
  JOIN catalog_variant v ON v.id = b.variant_id
 ORDER BY s.product_ref, v.product_id, s.ordinal
ON CONFLICT (store_id, remote_ref, product_id) DO UPDATE SET handle = EXCLUDED.handle
 WHERE catalog_listing.handle <> EXCLUDED.handle
"""

# `fresh`: a new link, or one of ours that now means another variant or inventory item of the store.
WANTED = """
CREATE TEMPORARY TABLE linking_wanted AS
SELECT b.variant_id, b.matched_by, s.ref, s.item_ref, s.sku, s.barcode, s.tracked, g.id AS listing_id, l.id AS link_id,
       l.id IS NULL OR l.remote_ref <> s.ref OR l.item_ref <> s.item_ref AS fresh
  FROM linking_bound b
  JOIN linking_seen s ON s.ref = b.ref
  JOIN catalog_variant v ON v.id = b.variant_id
  JOIN catalog_listing g ON g.store_id = %(store)s AND g.remote_ref = s.product_ref AND g.product_id = v.product_id
  LEFT JOIN catalog_listedvariant l ON l.store_id = %(store)s AND l.variant_id = b.variant_id
"""
ANALYZE = "ANALYZE linking_wanted"

UPDATE_LINKS = """
UPDATE catalog_listedvariant l
   SET listing_id = w.listing_id, remote_ref = w.ref, item_ref = w.item_ref, sku = w.sku, barcode = w.barcode,
       tracked = w.tracked, gone_at = NULL,
       matched_by = CASE WHEN w.fresh THEN w.matched_by ELSE l.matched_by END,
       linked_at = CASE WHEN w.fresh THEN %(now)s ELSE l.linked_at END
  FROM linking_wanted w
 WHERE l.id = w.link_id
   AND (w.fresh OR l.gone_at IS NOT NULL OR l.listing_id <> w.listing_id OR l.tracked <> w.tracked
        OR l.sku <> w.sku OR l.barcode <> w.barcode)
"""

INSERT_LINKS = """
INSERT INTO catalog_listedvariant
       (listing_id, store_id, variant_id, remote_ref, item_ref, sku, barcode, tracked, matched_by, linked_at)
SELECT listing_id, %(store)s, variant_id, ref, item_ref, sku, barcode, tracked, matched_by, %(now)s
  FROM linking_wanted WHERE link_id IS NULL
"""

COUNT_LINKS = "SELECT matched_by, count(*) FILTER (WHERE fresh), count(*) FROM linking_wanted GROUP BY matched_by"

MARK_GONE = """
UPDATE catalog_listedvariant l SET gone_at = %(now)s
  FROM catalog_listing g
 WHERE l.store_id = %(store)s AND l.gone_at IS NULL AND g.id = l.listing_id
   AND (%(products)s::text[] IS NULL OR g.remote_ref = ANY(%(products)s))
   AND NOT EXISTS (SELECT 1 FROM linking_seen s WHERE s.ref = l.remote_ref AND s.item_ref = l.item_ref)
"""


def _save_links(store: Store, now: dt.datetime, products: Collection[str] | None) -> LinkReport:
    only = None if products is None else list(products)
    parameters: dict[str, Any] = {"store": store.pk, "now": now, "products": only}
    changed = 0
    with connection.cursor() as cursor:
        for statement in (SAVE_LISTINGS, WANTED, ANALYZE):
            cursor.execute(statement, parameters)
        for statement in (UPDATE_LINKS, INSERT_LINKS, MARK_GONE):
            cursor.execute(statement, parameters)
            changed += cursor.rowcount
        gone = cursor.rowcount
        cursor.execute(COUNT_LINKS)
        counted = {rule: (fresh, bound) for rule, fresh, bound in cursor.fetchall()}
    by = {rule: counted[rule.value][0] for rule in MatchedBy if counted.get(rule.value, (0, 0))[0]}
    linked = sum(by.values())
    bound = sum(count for _, count in counted.values())
    return LinkReport(linked=linked, already=bound - linked, by=by, gone=gone, changed=changed)


def _only_here(store: Store) -> int:
    linked = ListedVariant.objects.filter(store=store, gone_at=None).values("variant")
    return Variant.objects.in_scope(store).exclude(pk__in=linked).count()


CONFLICTS = """
SELECT c.ref, c.kind, c.there, c.variant_ids, s.product_ref, s.item_ref, s.sku, s.barcode, s.title, s.options
  FROM linking_conflict c JOIN linking_seen s ON s.ref = c.ref
 WHERE c.ref > %s
 ORDER BY c.ref LIMIT %s
"""
SOLVED = """
SELECT k.id FROM catalog_linkconflict k
 WHERE k.store_id = %s AND NOT EXISTS (SELECT 1 FROM linking_conflict c WHERE c.ref = k.remote_ref)
"""


@dataclass(frozen=True, slots=True)
class Unbound:
    """A variant of the store that was not bound."""

    ref: str
    kind: ConflictKind
    there: int
    variant_ids: list[int]
    product_ref: str
    item_ref: str
    sku: str
    barcode: str
    title: str
    options: list[str]

    @property
    def label(self) -> str:
        name = " / ".join([self.title, *self.options])
        return (f"{self.sku} · {name}" if self.sku else name)[:400]


def _save_conflicts(store: Store, report: LinkReport, now: dt.datetime, products: Collection[str] | None) -> None:
    known = LinkConflict.objects.filter(store=store)
    if products is not None:
        known = known.filter(product_ref__in=list(products))
    with connection.cursor() as cursor:
        cursor.execute(SOLVED, [store.pk])
        known.filter(pk__in=[row[0] for row in cursor.fetchall()]).delete()
        LinkConflict.candidates.through.objects.filter(linkconflict__in=known).delete()
        for chunk in _unbound():
            _save_chunk(store, chunk, now)
            only_there = sum(1 for found in chunk if found.kind == ConflictKind.ONLY_THERE)
            report.only_there += only_there
            report.conflicts += len(chunk) - only_there


def _unbound() -> Iterator[list[Unbound]]:
    after = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(CONFLICTS, [after, CONFLICT_ROWS])
            chunk = [Unbound(row[0], ConflictKind(row[1]), *row[2:]) for row in cursor.fetchall()]
        if not chunk:
            return
        yield chunk
        after = chunk[-1].ref


def _save_chunk(store: Store, chunk: list[Unbound], now: dt.datetime) -> None:
    ids = {pk for found in chunk for pk in found.variant_ids[:CANDIDATES_SHOWN]}
    numbers = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "item_number"))
    conflicts = []
    for found in chunk:
        cause, remedy = explain(found, [numbers[pk] for pk in found.variant_ids if pk in numbers])
        conflicts.append(
            LinkConflict(
                store=store,
                kind=found.kind,
                remote_ref=found.ref,
                item_ref=found.item_ref,
                product_ref=found.product_ref,
                sku=found.sku,
                barcode=found.barcode,
                remote_label=found.label,
                cause=cause[:400],
                remedy=remedy[:400],
                first_seen_at=now,
            )
        )
    LinkConflict.objects.bulk_create(
        conflicts,
        update_conflicts=True,
        unique_fields=["store", "remote_ref"],
        update_fields=["kind", "item_ref", "product_ref", "sku", "barcode", "remote_label", "cause", "remedy"],
    )
    candidates = LinkConflict.candidates.through
    candidates.objects.bulk_create(
        candidates(linkconflict_id=conflict.pk, variant_id=pk)
        for conflict, found in zip(conflicts, chunk, strict=True)
        for pk in found.variant_ids[:CANDIDATES_SHOWN]
        if pk in numbers
    )


def explain(found: Unbound, numbers: list[str]) -> tuple[str, str]:
    """Cause and remedy of a conflict; `numbers` are the item numbers it might be."""
    ours = ", ".join(numbers[:3]) + (" …" if len(numbers) > 3 else "")
    again = "then link again."
    match found.kind:
        case ConflictKind.DUPLICATE_SKU_THERE:
            return (
                f"The SKU {found.sku} is on {found.there} variants of the store, and on item {ours} here.",
                f"Give each variant an SKU of its own in the store, {again}",
            )
        case ConflictKind.DUPLICATE_SKU_HERE:
            return f"The SKU {found.sku} is on several items here: {ours}.", f"Keep it on one of them, {again}"
        case ConflictKind.DUPLICATE_BARCODE:
            return (
                f"The barcode {found.barcode} is on several variants; here on item {ours}.",
                f"Give each its own barcode, or this one an SKU that one item here has, {again}",
            )
        case ConflictKind.SHARED_ITEM:
            return (
                f"{found.there} variants of the store share one inventory item"
                + (f", which is linked to item {ours}." if ours else "."),
                f"Give each variant its own inventory item in the store, {again}",
            )
        case ConflictKind.ALREADY_LINKED:
            return (
                f"It matches item {ours}, which is linked to another variant of this store.",
                f"Give it an SKU of its own here and in the store, or delete the copy in the store, {again}",
            )
        case ConflictKind.ONLY_THERE if numbers:
            return (
                f"Handle and options are those of item {ours}, and the SKU differs: {found.sku or 'none'} in the store.",
                f"Write the same SKU on both sides, {again}",
            )
        case _:
            return (
                "No item here has its SKU, barcode, or handle and options.",
                f"Add the item with import_items, or correct its SKU, {again}",
            )
