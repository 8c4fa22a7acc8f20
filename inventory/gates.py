"""Preflight: what must be true before a job may write, each a row with cause and remedy."""

from __future__ import annotations

from collections.abc import Callable

from connectors import pausing, scopes
from connectors.models import Store
from connectors.models.runs import WRITING
from connectors.ports.access import INVENTORY
from connectors.runs import Gate
from inventory.models import LevelPublication, LocationMapping
from inventory.models.publications import PublicationState

Check = Callable[[Store, str], Gate]


def gates_for(store: Store, kind: str) -> list[Gate]:
    """Every gate of `kind` for `store`, evaluated now; failing ones first."""
    checks = [*EVERY_JOB, *JOB_GATES.get(kind, [])]
    return sorted((check(store, kind) for check in checks), key=lambda gate: gate.passed)


def _writes_allowed(store: Store, _: str) -> Gate:
    allowed = pausing.writes_allowed(store)
    if allowed.ok:
        return Gate.open("writes_allowed", "Writes allowed", "Nothing is paused.")
    return Gate.shut("writes_allowed", "Writes allowed", allowed.cause, allowed.remedy)


def _owner(store: Store, _: str) -> Gate:
    if store.inventory_owner:
        return Gate.open("inventory_owner", "One inventory owner", f"Only this account pushes to {store.shop_domain}.")
    other = store.other_owner()
    named = f"{other.name} owns the inventory of {store.shop_domain}." if other else "This account does not own it."
    return Gate.shut(
        "inventory_owner",
        "One inventory owner",
        named,
        "Start the job there, or move the ownership to this account.",
    )


def _scopes(store: Store, _: str) -> Gate:
    if store.connection_checked_at is None:
        return Gate.shut(
            "connection", "Connection tested", "Never tested.", "Press Test connection on the store's page."
        )
    if store.connection_cause:
        return Gate.shut("connection", "Connection tested", store.connection_cause, store.connection_remedy)
    if lacks := scopes.missing(store.scopes, INVENTORY):
        missing = ", ".join(lacks)
        return Gate.shut(
            "connection",
            "Connection tested",
            f"The token lacks: {missing}.",
            "Grant them in Shopify, then test again.",
        )
    return Gate.open("connection", "Connection tested", "Token accepted, all scopes present.")


def _mapping(store: Store, _: str) -> Gate:
    mapped = LocationMapping.objects.filter(store=store).count()
    if mapped:
        return Gate.open("location_mapping", "Locations mapped", f"{mapped} of our locations are mapped.")
    return Gate.shut(
        "location_mapping", "Locations mapped", "No location is mapped.", "Map locations on the store's page."
    )


def _linked(store: Store, _: str) -> Gate:
    if LevelPublication.objects.filter(store=store).eligible().exists():
        return Gate.open("linked", "Items linked", "Levels of linked items are known.")
    return Gate.shut(
        "linked",
        "Items linked",
        "No level of this store takes part.",
        "Import items, link them, check the tag filter.",
    )


def _no_run(store: Store, kind: str) -> Gate:
    other = store.runs.filter(status__in=WRITING, kind__startswith="inventory.").exclude(kind=kind).first()
    if other is None:
        return Gate.open("no_run", "No other run writes", "No inventory run of this store is writing.")
    return Gate.shut(
        "no_run", "No other run writes", f"Run #{other.pk} ({other.label}) is writing.", "Wait until it is done."
    )


def _baseline(store: Store, _: str) -> Gate:
    live = LevelPublication.objects.filter(store=store, state=PublicationState.LIVE).exists()
    if live:
        return Gate.open("baseline", "Baseline taken", "A full sync has told us what the store shows.")
    return Gate.shut(
        "baseline",
        "Baseline taken",
        "No full sync has run yet, so we do not know what the store shows.",
        "Start a full sync (reason: go-live).",
    )


EVERY_JOB: list[Check] = [_writes_allowed, _owner, _scopes, _mapping, _linked, _no_run]
JOB_GATES: dict[str, list[Check]] = {"inventory.delta": [_baseline]}
