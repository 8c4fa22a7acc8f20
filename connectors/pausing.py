"""Pausing writes: per store and for the whole installation, by a person or by the system. Plans and reads go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import QuerySet, Subquery
from django.utils import timezone

from connectors import notices
from connectors.models import NoticeEvent, Store
from connectors.ports.errors import ConnectorError
from syncconsole.kernel import audit
from syncconsole.kernel.models import Installation, User
from syncconsole.kernel.refusals import Refusal

log = structlog.get_logger(__name__)

STORE_RIGHT: Final = "connectors.pause_writes"
INSTALLATION_RIGHT: Final = "kernel.pause_all_writes"


class PauseRefused(Refusal):
    """Nothing was paused or resumed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class WritesAllowed:
    """Whether anything may be written to a store now. `cause` and `remedy` are empty when it may."""

    ok: bool
    cause: str = ""
    remedy: str = ""


def writes_allowed(store: Store) -> WritesAllowed:
    """What the database says this moment, whatever the given instance remembers; one query."""
    return told_by(with_pauses(Store.objects.only("name", "writes_paused", "pause_reason")).get(pk=store.pk))


def with_pauses(stores: QuerySet[Store]) -> QuerySet[Any]:
    """Stores with what `told_by` looks at."""
    everywhere = Installation.objects.filter(writes_paused=True).values("pause_reason")
    return stores.annotate(all_paused=Subquery(everywhere[:1]))


def told_by(store: Any) -> WritesAllowed:
    """Whether anything may be written to a store `with_pauses`, as of its reading."""
    if store.all_paused is not None:
        return WritesAllowed(
            ok=False,
            cause=f"All writes of the installation are paused: {store.all_paused}",
            remedy="Resume them under System › Health when the reason is gone.",
        )
    if store.writes_paused:
        return WritesAllowed(
            ok=False,
            cause=f"Writes to {store.name} are paused: {store.pause_reason}",
            remedy="Resume them on the store's page when the reason is gone.",
        )
    return WritesAllowed(ok=True)


def pause_store(store: Store, *, by: User | None, reason: str, address: str | None = None) -> bool:
    """Stop every write to `store`; `by` None is the system, `address` where the person sits.

    A batch that is on its way is not called back. False when it was paused already: reason and person stay.
    Raises PauseRefused without a reason or the right.
    """
    _check(by, STORE_RIGHT, reason)
    with transaction.atomic():
        paused = Store.objects.filter(pk=store.pk, writes_paused=False).update(
            writes_paused=True, pause_reason=reason[:300], paused_by=by, paused_at=timezone.now()
        )
        if paused:
            audit.record(by, "pause writes", str(store), after={"reason": reason}, address=address)
            _tell(store, f"Writes to {store.name} are paused", reason, f"/console/stores/{store.slug}/")
    store.refresh_from_db(fields=["writes_paused", "pause_reason", "paused_by", "paused_at"])
    return bool(paused)


def resume_store(store: Store, *, by: User | None, address: str | None = None) -> bool:
    """Let writes to `store` go on. False when nothing was paused. Raises PauseRefused without the right."""
    _check(by, STORE_RIGHT, "resumed")
    with transaction.atomic():
        resumed = Store.objects.filter(pk=store.pk, writes_paused=True).update(
            writes_paused=False, pause_reason="", paused_by=None, paused_at=None
        )
        if resumed:
            before = {"reason": store.pause_reason}
            audit.record(by, "resume writes", str(store), before=before, address=address)
    store.refresh_from_db(fields=["writes_paused", "pause_reason", "paused_by", "paused_at"])
    return bool(resumed)


def pause_all(*, by: User | None, reason: str, address: str | None = None) -> bool:
    """Stop every write to every store. False when that was so already. Raises PauseRefused."""
    _check(by, INSTALLATION_RIGHT, reason)
    row = Installation.current()
    with transaction.atomic():
        paused = Installation.objects.filter(pk=row.pk, writes_paused=False).update(
            writes_paused=True, pause_reason=reason[:300], paused_by=by, paused_at=timezone.now()
        )
        if paused:
            audit.record(by, "pause all writes", str(row), after={"reason": reason}, address=address)
            _tell(None, "All writes are paused", reason, "/console/")
    return bool(paused)


def resume_all(*, by: User | None, address: str | None = None) -> bool:
    """Let writes go on; stores that are paused themselves stay so. False when nothing was paused.

    Raises PauseRefused without the right.
    """
    _check(by, INSTALLATION_RIGHT, "resumed")
    row = Installation.current()
    with transaction.atomic():
        resumed = Installation.objects.filter(pk=row.pk, writes_paused=True).update(
            writes_paused=False, pause_reason="", paused_by=None, paused_at=None
        )
        if resumed:
            audit.record(by, "resume all writes", str(row), before={"reason": row.pause_reason}, address=address)
    return bool(resumed)


def pause_for_credentials(store: Store, error: ConnectorError) -> None:
    """The store refused our account in the middle of work: nothing more is sent until a person has seen to it."""
    with transaction.atomic():
        Store.objects.filter(pk=store.pk).update(
            connection_cause=error.cause[:300], connection_remedy=error.remedy[:300]
        )
        pause_store(store, by=None, reason=f"{error.cause} {error.remedy}")
    store.refresh_from_db(fields=["connection_cause", "connection_remedy"])
    log.warning("store_paused", store=store.slug, cause=error.cause)


def _check(by: User | None, right: str, reason: str) -> None:
    if by is not None and not by.has_perm(right):
        raise PauseRefused("Your role may not pause or resume writes.", "An operator or an administrator can.")
    if not reason.strip():
        raise PauseRefused("A pause needs its reason.", "Write in a few words why; everybody who meets it reads them.")


def _tell(store: Store | None, subject: str, reason: str, link: str) -> None:
    notices.notify(
        NoticeEvent.STORE_PAUSED,
        store,
        subject,
        f"{reason}\nPlans and reads go on; nothing is written until somebody resumes it.",
        link,
    )
