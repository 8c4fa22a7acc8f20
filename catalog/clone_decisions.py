"""Deciding a clone suspicion: which of two equal variants of a store owns the stock of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import connection, transaction
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
    if not by.has_perm(RIGHT):
        raise DecisionRefused("Your role may not decide this.", "An operator or an administrator can.")
    with transaction.atomic(), connection.cursor() as cursor:
        store = CloneSuspect.objects.select_related("store").get(pk=suspect_id).store
        cursor.execute(linking.ALONE, [store.pk])
        suspect = CloneSuspect.objects.select_related("store", "variant", "decided_by").get(pk=suspect_id)
        _check(suspect, decision)
        before = suspect.verdict.label
        owner = {CloneDecision.COPY: "copy", CloneDecision.WAIT: ""}.get(decision, "original")
        if owner and suspect.variant is not None:
            _link(suspect, suspect.variant, owner, before_moving)
        suspect.decision, suspect.decided_by, suspect.decided_at = decision, by, timezone.now()
        suspect.save(update_fields=["decision", "decided_by", "decided_at"])
        then(store)
        audit.record(
            by,
            "decide clone suspect",
            str(suspect),
            before={"decision": before},
            after={"decision": decision.label, "original": suspect.original_ref, "copy": suspect.copy_ref},
            address=address,
        )
    return suspect


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
