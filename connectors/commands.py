"""What commands about a store share."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from connectors.models import Store, SyncRun
from syncconsole.kernel.commands import Refused


def named_store(slug: str) -> Store:
    """The store with this short name. Raises Refused naming those there are."""
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        there = ", ".join(Store.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise Refused(f"There is no store {slug}.", f"Use one of: {there}; or add it with add_store.")
    return store


def named_run(number: int) -> SyncRun:
    """The run with this number. Raises Refused."""
    run = SyncRun.objects.select_related("store").filter(pk=number).first()
    if run is None:
        raise Refused(f"There is no run #{number}.", "Look up its number under Runs.")
    return run


def moment(text: str, store: Store) -> dt.datetime:
    """A time as typed; without a zone it is the store's. Raises Refused when it is none, or lies ahead."""
    try:
        parsed = parse_datetime(text if "T" in text or " " in text else f"{text}T00:00")
    except ValueError:
        parsed = None
    if parsed is None:
        raise Refused(f"{text} is no time.", "Write it like 2026-11-19T10:00.")
    aware = parsed if timezone.is_aware(parsed) else parsed.replace(tzinfo=store.zone)
    if aware > timezone.now():
        raise Refused(f"{text} lies ahead.", "Ask for a past moment.")
    return aware
