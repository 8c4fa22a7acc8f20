"""Stores: added, and asked who they are, what we may do there and which locations they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from connectors import registry, resting, scopes
from connectors.models import Store, StoreLocation
from connectors.models.stores import Grant
from connectors.ports.access import INVENTORY
from connectors.ports.errors import ConnectorError, ConnectorUnavailable
from connectors.ports.store import RemoteLocation, StoreOverview, StorePort
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.secrets import UndecryptableSecret

log = structlog.get_logger(__name__)

SETTINGS_PAGE = "the store's settings"


@dataclass(frozen=True, slots=True)
class FoundLocation:
    """A location as the store has it, and whether it was new to us."""

    name: str
    is_active: bool
    is_fulfillment_service: bool
    new: bool


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """What a test of the connection found. `cause` and `remedy` are empty when all is well (`ok`)."""

    store: str
    cause: str = ""
    remedy: str = ""
    answered: bool = True
    """False: the store could not be reached, so nothing was learned about the account."""
    shop: str = ""
    domain: str = ""
    plan: str = ""
    currency: str = ""
    time_zone: str = ""
    api_version: str = ""
    scopes: list[str] = field(default_factory=list)
    missing_scopes: list[str] = field(default_factory=list)
    locations: list[FoundLocation] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """The store answered, it is the right one, and nothing is missing."""
        return not self.cause

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {"ok": self.ok, **asdict(self)}


def test_connection(
    store: Store,
    *,
    open_port: Callable[[Store], StorePort] | None = None,  # noqa: PT028 - not a test
) -> ConnectionReport:
    """Ask the store who it is, and keep what it says about the connection; no preference is touched.

    Calls the store, so never inside a transaction. Saves when it was checked, cause and remedy, the granted scopes,
    and the locations when the right shop answered. A location the store no longer has is kept as inactive. A store
    that cannot be reached told us nothing: what the last test found stands.
    """
    report, locations = _ask(store, open_port or registry.store_for)
    known: set[str] = set()
    if report.ok:
        resting.end(store.pk)
    if report.answered:
        with transaction.atomic():
            Store.objects.filter(pk=store.pk).update(
                connection_checked_at=timezone.now(),
                connection_cause=report.cause[:300],
                connection_remedy=report.remedy[:300],
                granted_scopes=report.scopes if report.domain == store.shop_domain else store.granted_scopes,
            )
            known = _keep_locations(store, locations) if locations is not None else set()
        store.refresh_from_db(
            fields=["connection_checked_at", "connection_cause", "connection_remedy", "granted_scopes"]
        )
    log.info("connection_tested", store=store.slug, ok=report.ok, cause=report.cause)
    for location in locations or []:
        report.locations.append(
            FoundLocation(location.name, location.is_active, location.is_fulfillment_service, location.ref not in known)
        )
    return report


def _ask(store: Store, open_port: Callable[[Store], StorePort]) -> tuple[ConnectionReport, list[RemoteLocation] | None]:
    """The report, and the locations if the right shop could be asked for them."""
    try:
        if missing := _missing_access(store):
            return missing, None
        port = open_port(store)
        overview = port.overview()
        report = _judge(store, overview)
        readable = overview.domain == store.shop_domain and "read_locations" not in report.missing_scopes
        return report, port.locations() if readable else None
    except UndecryptableSecret as exc:
        return _refusal(store, exc.cause, exc.remedy), None
    except ConnectorUnavailable as exc:
        return replace(_refusal(store, exc.cause, exc.remedy), answered=False), None
    except ConnectorError as exc:
        return _refusal(store, exc.cause, exc.remedy), None


def _missing_access(store: Store) -> ConnectionReport | None:
    """What has to be entered before the store can be asked anything."""
    if store.grant == Grant.CLIENT_CREDENTIALS:
        if store.client_id and store.client_secret:
            return None
        return _refusal(store, "No client ID and secret are set.", f"Enter both under {SETTINGS_PAGE}.")
    if store.access_token:
        return None
    return _refusal(store, "No Admin API token is set.", f"Enter the token under {SETTINGS_PAGE}.")


def _refusal(store: Store, cause: str, remedy: str) -> ConnectionReport:
    return ConnectionReport(store=store.slug, cause=cause, remedy=remedy)


def _judge(store: Store, overview: StoreOverview) -> ConnectionReport:
    """What the answer means: the most basic fault first, since it explains those after it."""
    missing = scopes.missing(Store(granted_scopes=list(overview.scopes)).scopes, INVENTORY)
    cause = remedy = ""
    if overview.domain != store.shop_domain:
        cause = f"{overview.domain} answered, not {store.shop_domain}: the token belongs to another shop."
        remedy = f"Enter the token of {store.shop_domain}, or correct the shop domain, under {SETTINGS_PAGE}."
    elif overview.api_version != store.api_version:
        cause = f"Shopify answered with API version {overview.api_version}; {store.api_version} is not served any more."
        remedy = f"Set the API version under {SETTINGS_PAGE} to one that Shopify serves and this release was made for."
    elif missing:
        cause = f"The token lacks {', '.join(missing)}."
        remedy = "Add these scopes to the app in Shopify's admin, install it again, then test again."
    return ConnectionReport(
        store=store.slug,
        cause=cause,
        remedy=remedy,
        shop=overview.name,
        domain=overview.domain,
        plan=overview.plan,
        currency=overview.currency,
        time_zone=overview.time_zone,
        api_version=overview.api_version,
        scopes=sorted(overview.scopes),
        missing_scopes=missing,
    )


def _keep_locations(store: Store, locations: list[RemoteLocation]) -> set[str]:
    """Bring the store's location rows to what was read; returns the refs that were known before."""
    known = set(store.locations.values_list("ref", flat=True))
    now = timezone.now()
    rows = [
        StoreLocation(
            store=store,
            ref=location.ref,
            name=location.name[:255],
            is_active=location.is_active,
            is_fulfillment_service=location.is_fulfillment_service,
            holds_stock=location.holds_stock,
            seen_at=now,
        )
        for location in locations
    ]
    StoreLocation.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["store", "ref"],
        update_fields=["name", "is_active", "is_fulfillment_service", "holds_stock", "seen_at"],
    )
    store.locations.exclude(ref__in=[location.ref for location in locations]).update(is_active=False)
    return known


def add_store(store: Store, *, by: User | None) -> Store:
    """Save a new store after every check of its fields; it is an entry of the audit log, without the token.

    Raises ValidationError naming the fields.
    """
    store.full_clean()
    with transaction.atomic():
        store.save(force_insert=True)
        kept = {"slug": store.slug, "shop_domain": store.shop_domain, "inventory_owner": store.inventory_owner}
        audit.record(by, "add store", str(store), after=kept)
    return store
