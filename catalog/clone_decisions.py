"""Deciding a clone suspicion: which of two equal variants of a store owns the stock of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Case, F, Min, QuerySet, When, Window
from django.db.models.fields.json import KT
from django.utils import timezone

from catalog import linking
from catalog.models import (
    CloneDecision,
    CloneKind,
    CloneSuspect,
    LinkConflict,
    ListedVariant,
    Listing,
    MatchedBy,
    Variant,
)
from connectors.approval import DecisionRefused
from connectors.models import Store
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

RIGHT: Final = "catalog.decide_clone"


def why_not(suspect: CloneSuspect, decision: CloneDecision) -> str:
    """Why this decision is not open to anybody for this pair; empty where it is."""
    if decision == CloneDecision.WAIT:
        return "" if suspect.verdict != CloneDecision.WAIT else "It waits already."
    if suspect.variant_id is None:
        return f"Several items here have the SKU {suspect.sku}: keep it on one of them first, then link again."
    if suspect.kind == CloneKind.SHARED_ITEM and decision in (CloneDecision.ORIGINAL, CloneDecision.COPY):
        return "Both are one inventory item in the store, so neither can own it alone."
    if suspect.kind == CloneKind.SAME_SKU and decision == CloneDecision.SAME:
        return "They have two inventory items in the store, and one item here can feed one of them."
    return ""


def recommended(suspect: CloneSuspect) -> tuple[CloneDecision, str]:
    """The decision that is right most often for this pair, and why."""
    if suspect.variant_id is None:
        return CloneDecision.WAIT, "Nothing can be linked before the SKU belongs to one item here."
    if suspect.kind == CloneKind.SHARED_ITEM:
        return CloneDecision.SAME, "The store keeps one quantity for both, so they are one thing on the shelf."
    return (
        CloneDecision.ORIGINAL,
        "It is the older one, and a copy takes SKU and quantity along when a product is duplicated.",
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """The pairs that one click decided, and those that it had to leave, each with its cause."""

    pairs: list[CloneSuspect]
    refused: list[tuple[CloneSuspect, DecisionRefused]]


def decide(
    suspect_id: int,
    decision: CloneDecision,
    *,
    by: User,
    address: str | None = None,
    before_moving: Callable[[CloneSuspect], None],
    then: Callable[[Store], object],
) -> CloneSuspect:
    """Say what the pair is. The side that owns the stock is linked, by this person's word.

    Callers that keep publications give `then`, which brings them in step in the same transaction, and `before_moving`,
    which raises DecisionRefused where a link to another inventory item must not be made now.
    Raises DecisionRefused: the right is missing, somebody decided before, the pair is gone, or the decision does not fit.
    """
    one = _decide(suspect_id, lambda pair: [pair], decision, by, address, before_moving, then)
    return one.pairs[0]


def decide_alike(
    suspect_id: int,
    decision: CloneDecision,
    *,
    by: User,
    address: str | None = None,
    before_moving: Callable[[CloneSuspect], None],
    then: Callable[[Store], object],
) -> Decided:
    """`decide` for all pairs of the same two products at once (`alike`). A pair that cannot be decided so is left, and the
    others are decided; raises DecisionRefused where none can."""
    return _decide(suspect_id, alike, decision, by, address, before_moving, then)


def alike(suspect: CloneSuspect) -> list[CloneSuspect]:
    """The pairs of the same two products of the store that stand as this one does, undecided or waiting; itself, where it
    is of no two products. Where it was decided meanwhile, those that are not."""
    products = [side.get("product_ref") for side in (suspect.original, suspect.copy)]
    if not all(products) or products[0] == products[1]:
        return [suspect]
    found = CloneSuspect.objects.filter(
        store=suspect.store_id,
        kind=suspect.kind,
        closed_at=None,
        decision=suspect.decision if suspect.holds else CloneDecision.NONE,
        original__product_ref=products[0],
        copy__product_ref=products[1],
    )
    return list(found.select_related("store", "variant", "decided_by")) or [suspect]


def of_same_products(rows: QuerySet[CloneSuspect], *besides: str) -> QuerySet[Any]:
    """`rows` with `lead`: the first of the pairs that are of the same two products, and have all of `besides` in common."""
    product, copied = KT("original__product_ref"), KT("copy__product_ref")
    alone = Case(When(original__product_ref=F("copy__product_ref"), then=F("pk")), default=0)
    return rows.annotate(lead=Window(Min("pk"), partition_by=["store", "kind", product, copied, alone, *besides]))


def _decide(
    suspect_id: int,
    which: Callable[[CloneSuspect], list[CloneSuspect]],
    decision: CloneDecision,
    by: User,
    address: str | None,
    before_moving: Callable[[CloneSuspect], None],
    then: Callable[[Store], object],
) -> Decided:
    if not by.has_perm(RIGHT):
        raise DecisionRefused("Your role may not decide this.", "An operator or an administrator can.")
    done = Decided([], [])
    with transaction.atomic(), connection.cursor() as cursor:
        store = CloneSuspect.objects.select_related("store").get(pk=suspect_id).store
        cursor.execute(linking.ALONE, [store.pk])
        now = timezone.now()
        for pair in which(CloneSuspect.objects.select_related("store", "variant", "decided_by").get(pk=suspect_id)):
            try:
                with transaction.atomic():
                    _settle(pair, decision, by, now, address, before_moving)
                done.pairs.append(pair)
            except DecisionRefused as refused:
                done.refused.append((pair, refused))
        if not done.pairs:
            raise done.refused[0][1]
        then(store)
    return done


def _settle(
    suspect: CloneSuspect,
    decision: CloneDecision,
    by: User,
    now: dt.datetime,
    address: str | None,
    before_moving: Callable[[CloneSuspect], None],
) -> None:
    """Decide one pair, which nobody else decides meanwhile."""
    _check(suspect, decision)
    before = suspect.verdict.label
    owner = {CloneDecision.COPY: "copy", CloneDecision.WAIT: ""}.get(decision, "original")
    if owner and suspect.variant is not None:
        _link(suspect, suspect.variant, owner, before_moving)
    suspect.decision, suspect.decided_by, suspect.decided_at = decision, by, now
    suspect.save(update_fields=["decision", "decided_by", "decided_at"])
    audit.record(
        by,
        "decide clone suspect",
        str(suspect),
        before={"decision": before},
        after={"decision": decision.label, "original": suspect.original_ref, "copy": suspect.copy_ref},
        address=address,
    )


def _check(suspect: CloneSuspect, decision: CloneDecision) -> None:
    if suspect.closed_at is not None:
        raise DecisionRefused(f"It closed by itself: {suspect.outcome}.", "Nothing is left to decide.")
    if suspect.verdict not in (CloneDecision.NONE, CloneDecision.WAIT):
        raise DecisionRefused(
            f"Decided by {suspect.decided_by} before: {suspect.verdict.label}.", "Nothing was changed by this."
        )
    if decision == CloneDecision.NONE:
        raise DecisionRefused("No decision was chosen.", "Choose one of the four.")
    if cause := why_not(suspect, decision):
        raise DecisionRefused(cause, "Choose another decision.")


def _link(suspect: CloneSuspect, variant: Variant, side: str, before_moving: Callable[[CloneSuspect], None]) -> None:
    """Link `variant` to that side of the pair, as it was last read, unless it is."""
    ref, item = getattr(suspect, f"{side}_ref"), getattr(suspect, f"{side}_item")
    facts = getattr(suspect, side)
    links = ListedVariant.objects.filter(store=suspect.store, gone_at=None)
    holder = links.filter(item_ref=item).select_related("variant").first()
    if holder is not None:
        if holder.variant_id == variant.pk or side == "copy":
            # It is linked, to this or, by its remembered id, to another of ours: that one owns the stock from now on.
            return
        raise DecisionRefused(f"{holder.variant} is linked to it.", "Link the store again, then decide.")
    before_moving(suspect)
    listing, _ = Listing.objects.get_or_create(
        store=suspect.store,
        remote_ref=facts["product_ref"],
        product_id=variant.product_id,
        defaults={"handle": facts["handle"], "linked_at": timezone.now()},
    )
    ListedVariant.objects.update_or_create(
        store=suspect.store,
        variant=variant,
        defaults={
            "listing": listing,
            "remote_ref": ref,
            "item_ref": item,
            "sku": facts["sku"],
            "barcode": facts["barcode"],
            "tracked": facts["tracked"],
            "gone_at": None,
            "matched_by": MatchedBy.PERSON,
            "linked_at": timezone.now(),
        },
    )
    LinkConflict.objects.filter(store=suspect.store, remote_ref=ref).delete()
