"""The ledger: every entry, newest first; nothing here can be changed."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from inventory import audit
from inventory.models import LedgerEntry, Location
from inventory.models.ledger import EntryKind
from inventory.search import levels_found, levels_of
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import about, page_of

FILTERS = ("kind", "location", "origin", "q", "variant", "from", "to", "level")


def moment(text: str, zone: dt.tzinfo | None = None) -> dt.datetime | None:
    """A moment typed as 2026-11-19T10:00, in `zone` (the installation's by default); None when it is none."""
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        return None
    if found is None or timezone.is_aware(found):
        return found
    return timezone.make_aware(found, zone or timezone.get_default_timezone())


class LedgerPage(ConsolePage):
    """The list with its filters, the number of entries and the last check."""

    permission = "inventory.view_ledgerentry"
    title = "Ledger"
    template_name = "inventory/ledger.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        page = page_of(request, self.found(), "-id")
        return self.page(
            rows=page.rows,
            keyset=page,
            kinds=EntryKind,
            locations=list(Location.objects.all()),
            total=about(LedgerEntry),
            check=audit.latest(),
            filtered=any(request.GET.get(name) for name in FILTERS),
        )

    def found(self) -> QuerySet[LedgerEntry, LedgerEntry]:
        """Entries by the filters in the address."""
        asked = self.request.GET
        rows = LedgerEntry.objects.select_related("level__variant__product", "level__location", "actor")
        if asked.get("kind") in EntryKind.values:
            rows = rows.filter(kind=asked["kind"])
        if code := asked.get("location"):
            rows = rows.filter(level__location__code=code)
        if origin := asked.get("origin", "").strip():
            rows = rows.filter(origin=origin)
        if words := asked.get("q", "").strip():
            rows = rows.filter(level__in=levels_found(words))
        if asked.get("variant", "").isdigit():
            rows = rows.filter(level__in=levels_of([int(asked["variant"])]))
        if asked.get("level", "").isdigit():
            rows = rows.filter(level=int(asked["level"]))
        if since := moment(asked.get("from", "")):
            rows = rows.filter(recorded_at__gte=since)
        if until := moment(asked.get("to", "")):
            rows = rows.filter(recorded_at__lte=until)
        return rows
