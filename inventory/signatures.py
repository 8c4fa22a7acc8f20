"""Signatures under the ATS of a store: which one stands, and what withdraws it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connectors import notices
from connectors.models import NoticeEvent, Store, SyncRun
from connectors.models.runs import Outcome
from inventory.models import Validation
from syncconsole.kernel import audit


def last(store: Store) -> Validation | None:
    """The newest signature, withdrawn or not."""
    return store.validations.filter(signed_at__isnull=False).select_related("signed_by").order_by("-signed_at").first()


def newest(store: Any) -> QuerySet[Validation, Any]:
    """The key of `last`, for a query about stores; `store` is an outer reference."""
    return Validation.objects.filter(store=store, signed_at__isnull=False).order_by("-signed_at").values("pk")[:1]


def standing(store: Store) -> Validation | None:
    """The signature that stands."""
    found = last(store)
    return found if found and found.withdrawn_at is None else None


def withdraw(cause: str, store: Store | None = None) -> int:
    """Take back the signature that stands, of `store` or of every store, and say why. Returns how many were taken back:
    none where none stood, so that it may be said again."""
    with transaction.atomic():
        rows = Validation.objects.select_for_update(of=("self",)).select_related("store")
        rows = rows.filter(signed_at__isnull=False, withdrawn_at=None).order_by("pk")
        found = list(rows.filter(store=store) if store else rows)
        Validation.objects.filter(pk__in=[row.pk for row in found]).update(
            withdrawn_at=timezone.now(), withdrawn_cause=cause[:300]
        )
        for row in found:
            audit.record(None, "withdraw ATS signature", str(row.store), after={"cause": cause})
    for row in found:
        subject = f"The ATS signature of {row.store} is withdrawn: daily and weekly wait."
        link = f"/console/stores/{row.store.slug}/validation/"
        notices.notify(NoticeEvent.GATE_LOST, row.store, subject, f"{cause} Check the sheet and sign again.", link=link)
    return len(found)


def withdraw_before_writing(run: SyncRun) -> None:
    """A full sync that is about to overwrite something ends the signature first: quantities are others afterwards. Said
    before the first write, so that no crash comes between."""
    if run.items.filter(outcome=Outcome.PLANNED).exclude(delta=0).exists():
        withdraw(f"Full sync #{run.pk} overwrote quantities in the store.", run.store)
