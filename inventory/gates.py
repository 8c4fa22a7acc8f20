"""Preflight: what must be true before a job may write, each a row with cause and remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, FilteredRelation, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from catalog.models import ListedVariant
from connectors import pausing, scopes
from connectors.models import Store, StoreLocation, SyncRun
from connectors.models.runs import WRITING
from connectors.pausing import WritesAllowed
from connectors.ports.access import INVENTORY
from connectors.runs import Gate
from inventory import signatures
from inventory.jobs import Job
from inventory.knowledge import OrderFlow, order_books
from inventory.models import LevelPublication, Location, Validation
from syncconsole.kernel.templatetags.console import plural

OUT_OF_DATE: Final = dt.timedelta(minutes=30)
"""A store not asked for its orders for so long, beside its own interval, is behind."""

ON_ITS_WAY: Final = dt.timedelta(minutes=2)
"""An order noticed so lately is no queue: every job that overwrites brings orders in before it reads a level."""

NAMED: Final = 3
"""Names listed in a sentence before the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gates of a store look at, read at one moment."""

    store: Store
    writes: WritesAllowed
    owner: str | None
    """Name of the account that owns the inventory of the shop domain."""
    unmapped: list[str]
    """Its active locations, the merchant's own, where it holds stock and to which none of ours is mapped."""
    masters: list[Location]
    """Our locations mapped to the store."""
    linked: bool
    baseline: bool
    untracked: int
    writing: SyncRun | None
    orders: OrderFlow
    signature: Validation | None
    """The newest one, withdrawn or not."""


def with_facts(stores: QuerySet[Store]) -> QuerySet[Any]:
    """Stores with what their gates look at, all of it but the orders, in the query that reads them."""
    of_store = OuterRef("pk")
    publications = LevelPublication.objects.filter(store=of_store)
    variants = ListedVariant.objects.filter(store=of_store, tracked=False, gone_at=None).order_by().values("store")
    writing = SyncRun.objects.filter(store=of_store, status__in=WRITING, kind__startswith="inventory.").order_by("pk")
    left = StoreLocation.objects.filter(store=of_store, is_active=True, is_fulfillment_service=False, holds_stock=True)
    ours = Location.objects.filter(mappings__store=of_store)
    owner = Store.objects.filter(shop_domain=OuterRef("shop_domain"), inventory_owner=True)
    signature = FilteredRelation("validations", condition=Q(validations__pk=Subquery(signatures.newest(of_store))))
    found: QuerySet[Any] = pausing.with_pauses(stores).annotate(
        owner=Subquery(owner.values("name")[:1]),
        unmapped=ArraySubquery(left.filter(mappings=None, vacated=False).order_by("name").values("name")),
        masters=ArraySubquery(ours.values(row=JSONObject(**{name: name for name in MASTER}))),
        linked=Exists(publications.eligible()),
        baseline=Exists(publications.filter(baseline_at__isnull=False)),
        untracked=Coalesce(Subquery(variants.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0),
        writing_pk=Subquery(writing.values("pk")[:1]),
        writing_kind=Subquery(writing.values("kind")[:1]),
        signature=signature,
    )
    return found.select_related("signature__signed_by")


MASTER: Final = ("name", "stock_master", "billing_warehouse")
"""Of our locations, what a gate says."""


def look(store: Store) -> Facts:
    """The facts now; two queries whatever the number of levels."""
    return facts_of(with_facts(Store.objects.all()).get(pk=store.pk))


def facts_of(store: Any) -> Facts:
    """The facts of a store read `with_facts` just now; one query more, about its orders."""
    return Facts(
        store=store,
        writes=pausing.told_by(store),
        owner=store.owner,
        unmapped=store.unmapped,
        masters=[Location(**row) for row in store.masters],
        linked=store.linked,
        baseline=store.baseline,
        untracked=store.untracked,
        writing=SyncRun(pk=store.writing_pk, kind=store.writing_kind) if store.writing_pk else None,
        orders=order_books().flow(store),
        signature=getattr(store, "signature", None),
    )


def gates_for(store: Store, kind: str) -> list[Gate]:
    """Every gate of `kind` for `store`, evaluated now; failing ones first."""
    return judged(look(store), Job(kind))


def judged(facts: Facts, job: Job) -> list[Gate]:
    """The gates of `job` by these facts; failing ones first. For whoever asks about several jobs at once."""
    return _shut_first([check(facts, job) for check in JOB_GATES[job]])


def gates_to_write(store: Store) -> list[Gate]:
    """What every writing run needs, whatever it writes; failing ones first."""
    facts = look(store)
    return _shut_first([_writes_allowed(facts, ""), _scopes(facts, "")])


def every_gate(facts: Facts) -> list[tuple[Gate, list[Job]]]:
    """Every gate of any job, each once, with the jobs that need it; failing ones first. What a run of one's own kind does
    is left to the start of that run."""
    checks = dict.fromkeys(check for checks in JOB_GATES.values() for check in checks)
    found = [(check(facts, ""), [job for job in Job if check in JOB_GATES[job]]) for check in checks]
    return sorted(found, key=lambda each: each[0].passed)


def _shut_first(gates: list[Gate]) -> list[Gate]:
    return sorted(gates, key=lambda gate: gate.passed)


def _writes_allowed(facts: Facts, _: str) -> Gate:
    if facts.writes.ok:
        return Gate.open("writes_allowed", "Writes allowed", "Nothing is paused.")
    return Gate.shut("writes_allowed", "Writes allowed", facts.writes.cause, facts.writes.remedy)


def _owner(facts: Facts, _: str) -> Gate:
    store = facts.store
    if store.inventory_owner:
        return Gate.open("inventory_owner", "One inventory owner", f"Only this account pushes to {store.shop_domain}.")
    named = (
        f"{facts.owner} owns the inventory of {store.shop_domain}." if facts.owner else "This account does not own it."
    )
    return Gate.shut(
        "inventory_owner",
        "One inventory owner",
        named,
        "Start the job there, or move the ownership to this account.",
    )


def _scopes(facts: Facts, _: str) -> Gate:
    store, name, label = facts.store, "connection", "Connection tested"
    if store.connection_checked_at is None:
        return Gate.shut(name, label, "Never tested.", "Press Test connection on the store's page.")
    if store.connection_cause:
        return Gate.shut(name, label, store.connection_cause, store.connection_remedy)
    if lacks := scopes.missing(store.scopes, INVENTORY):
        missing = ", ".join(lacks)
        return Gate.shut(name, label, f"The token lacks: {missing}.", "Grant them in Shopify, then test again.")
    return Gate.open(name, label, "Token accepted, all scopes present.")


def _mapping(facts: Facts, _: str) -> Gate:
    name, label = "location_mapping", "Locations mapped"
    if not facts.masters:
        return Gate.shut(name, label, "No location is mapped.", "Map locations on the store's page.")
    if facts.unmapped:
        return Gate.shut(
            name,
            label,
            f"{_names(facts.unmapped)}: the store holds stock there, and none of our locations is mapped to it.",
            "Map one of ours to it, or deactivate it in the store; then test the connection again.",
        )
    return Gate.open(name, label, f"{plural(len(facts.masters), 'location')} of ours mapped, none with stock left out.")


def _linked(facts: Facts, _: str) -> Gate:
    if facts.linked:
        return Gate.open("linked", "Items linked", "Levels of linked items are known.")
    return Gate.shut(
        "linked",
        "Items linked",
        "No level of this store takes part.",
        "Import items, link them, map locations, check the tag filter.",
    )


def _tracked(facts: Facts, _: str) -> Gate:
    """Never shut: what the store does not track takes no part, and is counted so that nobody waits for it."""
    if not facts.untracked:
        return Gate.open("track_quantity", "Track quantity", "On for every linked variant.")
    left_out = f"Off in the store for {plural(facts.untracked, 'variant')}: left out of every job."
    return Gate.open("track_quantity", "Track quantity", left_out)


def _stock_master(facts: Facts, _: str) -> Gate:
    """Never shut: the database lets a location have one master. Says which."""
    told = _names([f"{place}: {place.master}" for place in facts.masters]) or "No location is mapped."
    return Gate.open("stock_master", "One stock master per location", told)


def _no_run(facts: Facts, kind: str) -> Gate:
    other = facts.writing
    if other is None or other.kind == kind:
        return Gate.open("no_run", "No other run writes", "No inventory run of this store is writing.")
    return Gate.shut(
        "no_run", "No other run writes", f"Run #{other.pk} ({other.label}) is writing.", "Wait until it is done."
    )


def _integration_date(facts: Facts, _: str) -> Gate:
    since = facts.store.integration_date
    if since:
        told = f"Orders count from {since:%-d %b %Y}; older ones that are open hold their goods."
        return Gate.open("integration_date", "Integration date", told)
    return Gate.shut(
        "integration_date",
        "Integration date",
        "Nobody has said from which day on orders count, so no order is known here.",
        "Set the day on the store's Orders tab.",
    )


def _orders_up_to_date(facts: Facts, _: str) -> Gate:
    name, label, flow, store = "orders_up_to_date", "Orders up to date", facts.orders, facts.store
    if store.integration_date is None:
        return Gate.shut(name, label, "No order is brought in yet.", "Set the integration date first.")
    if flow.cause:
        return Gate.shut(name, label, flow.cause, flow.remedy)
    bring_in = f"Press Import now on the order queue, or run import_orders {store.slug}."
    if flow.until is None:
        return Gate.shut(name, label, "The store was never asked for its orders.", bring_in)
    known = f"Known up to {flow.until.astimezone(store.zone):%-d %b %H:%M}"
    if flow.unreadable:
        told = f"{known} only: {plural(flow.unreadable, 'order')} that changed could not be read."
        return Gate.shut(name, label, told, "See the cause under Changes; read again, or ignore with a reason.")
    asked_at = flow.asked_at or flow.until
    if timezone.now() - asked_at > OUT_OF_DATE + dt.timedelta(minutes=store.import_minutes):
        return Gate.shut(name, label, f"{known} only; the store was not asked since.", bring_in)
    if flow.blocked:
        waits = f"{plural(flow.blocked, 'order')} {'waits' if flow.blocked == 1 else 'wait'} for a person"
        return Gate.open(name, label, f"{known}; {waits}, and the levels they name are held until then.")
    return Gate.open(name, label, f"{known}.")


def _queue_empty(facts: Facts, _: str) -> Gate:
    name, label, flow = "order_queue", "Order queue empty", facts.orders
    if not flow.waiting:
        return Gate.open(name, label, "No order waits to be imported.")
    waits = f"{plural(flow.waiting, 'order')} {'waits' if flow.waiting == 1 else 'wait'} to be imported"
    if flow.waiting_since and timezone.now() - flow.waiting_since <= ON_ITS_WAY:
        return Gate.open(name, label, f"{waits}, just noticed: a job brings them in before it reads a level.")
    return Gate.shut(
        name, label, f"{waits}.", "Press Import now on the order queue; Changes names what could not be read."
    )


def _nothing_processing(facts: Facts, _: str) -> Gate:
    name, label, busy = "nothing_processing", "Nothing processing", facts.orders.processing
    if not busy:
        return Gate.open(name, label, "No worker has an order in hand.")
    told = f"A worker has {plural(busy, 'order')} in hand."
    return Gate.shut(name, label, told, "Takes seconds; start again when it is done.")


def _baseline(facts: Facts, _: str) -> Gate:
    if facts.baseline:
        return Gate.open("baseline", "Baseline taken", "A full sync has told us what the store shows.")
    return Gate.shut(
        "baseline",
        "Baseline taken",
        "No full sync has run yet, so we do not know what the store shows.",
        "Start a full sync (reason: go-live).",
    )


def _validated(facts: Facts, _: str) -> Gate:
    name, label, signed = "ats_validated", "ATS validated", facts.signature
    if signed is None or signed.signed_at is None:
        return Gate.shut(
            name, label, "Nobody has confirmed the quantities yet.", "Open the sheet, count its sample and sign."
        )
    who = f"{signed.signed_by}, {signed.signed_at.astimezone(facts.store.zone):%-d %b %Y %H:%M %Z}"
    if signed.withdrawn_at:
        told = f"The signature of {who} is withdrawn: {signed.withdrawn_cause}"
        return Gate.shut(name, label, told, "Check the sheet, count a new sample and sign again.")
    samples = signed.counts.get("samples", 0)
    return Gate.open(name, label, f"{who}; {samples} of {samples} samples confirmed.")


def _names(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


Check = Callable[[Facts, str], Gate]

READING: Final[list[Check]] = [_scopes, _linked]
WRITES: Final[list[Check]] = [_writes_allowed, _owner, *READING, _no_run]
PREFLIGHT: Final[list[Check]] = [
    *(*WRITES, _mapping, _integration_date, _orders_up_to_date, _queue_empty, _tracked, _stock_master),
]

JOB_GATES: Final[dict[Job, list[Check]]] = {
    Job.FULL: PREFLIGHT,
    Job.DAILY: [*PREFLIGHT, _validated],
    Job.WEEKLY: [*PREFLIGHT, _validated],
    Job.DELTA: [*WRITES, _baseline],
    Job.RECENT: [*WRITES, _baseline],
    Job.MANUAL: [*WRITES, _queue_empty, _nothing_processing],
    Job.OBSERVE: [*READING, _baseline],
}
"""Design §5.4, its column of gates; what every job that writes needs stands before it."""
