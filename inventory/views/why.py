"""Why this number: the terms that sum to it, now or at a past moment, and everything that happened to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from inventory import drift, offsets, standing
from inventory.explanation import explain, ledger_of
from inventory.models import InventoryLevel, LedgerEntry, LevelPublication
from inventory.models.ledger import EntryKind
from inventory.models.publications import PublicationState
from inventory.views import why_figures
from inventory.views.ledger import moment
from inventory.views.why_figures import Bar
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.templatetags.console import n, plural

ENTRIES_RIGHT = "inventory.view_ledgerentry"
SHOWN_ELSEWHERE = 40
"""Publications of one item, over all stores and locations, that are offered beside it."""


class SumPage(ConsolePage):
    """Base of pages with a sum whose terms lead to their entries."""

    def linked(self, bars: list[Bar]) -> list[Bar]:
        """The bars; without their addresses for people who may not see entries."""
        return bars if self.can(ENTRIES_RIGHT) else [replace(bar, url="") for bar in bars]


class WhyPage(SumPage):
    """The sums of one publication: ours, the store's, and how they meet."""

    permission = "inventory.view_levelpublication"
    template_name = "inventory/why.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        same_item = LevelPublication.objects.filter(pk=pk).values("listed__variant")
        rows = LevelPublication.objects.filter(listed__variant__in=same_item).order_by("store__name", "pk")
        related = rows.select_related("listed__variant__product", "store", "store_location")
        found = {row.pk: row for row in related.filter(Q(pk=pk) | ~Q(state=PublicationState.CLOSED))[:SHOWN_ELSEWHERE]}
        if pk not in found:
            raise Http404
        publication = found[pk]
        variant, zone = publication.listed.variant, publication.store.zone
        asked = request.GET.get("at", "")
        at = moment(asked, zone)
        ahead = at is not None and at > timezone.now()
        at = None if ahead else at
        explanation = explain(publication.pk, at)
        until = parse_datetime(request.GET.get("until", "")) or at or timezone.now() + dt.timedelta(seconds=1)
        older = "until" in request.GET
        sums = (explanation.on_hand, sum((term.quantity for term in explanation.expected_terms), Decimal(0)))
        ledger = ledger_of(publication, at)
        return self.page(
            crumbs=_crumbs(variant.sku or variant.item_number, n(explanation.target)),
            explanation=explanation,
            publication=publication,
            may_sign=self.can(offsets.SIGN_RIGHT),
            variant=variant,
            store=publication.store,
            others=list(found.values()),
            ours=self.linked(why_figures.our_sum(explanation, variant.pk, asked if at else "")),
            theirs=why_figures.store_sum(explanation),
            stands=standing.stands(
                publication, explanation.pending or 0, drifts=drift.undecided().filter(publication=publication).exists()
            ),
            timeline=why_figures.timeline(ledger, publication.pk, until, zone, sums=None if older else sums),
            at=at,
            typed_at=f"{(at or timezone.now()).astimezone(zone):%Y-%m-%dT%H:%M}",
            unreadable=bool(asked) and at is None,
            ahead=ahead,
            zone=zone,
        )


class WhyLevelPage(SumPage):
    """The sum of one of our levels, with its publications in stores beside it."""

    permission = "inventory.view_inventorylevel"
    template_name = "inventory/why_level.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        level = get_object_or_404(InventoryLevel.objects.select_related("variant__product", "location"), pk=pk)
        at = moment(request.GET.get("at", ""))
        now = at or timezone.now() + dt.timedelta(seconds=1)
        until = parse_datetime(request.GET.get("until", "")) or now
        bars, ats = level_sum(level, now)
        bars = self.linked(bars)
        published = LevelPublication.objects.filter(members__level=level).select_related("store", "store_location")
        default = ZoneInfo(str(timezone.get_default_timezone()))
        return self.page(
            crumbs=_crumbs(level.variant.sku or level.variant.item_number, n(ats)),
            level=level,
            variant=level.variant,
            bars=bars,
            ats=ats,
            published=published.order_by("store__name"),
            timeline=why_figures.timeline(LedgerEntry.objects.filter(level=level), None, until, default),
            at=at,
            typed_at=f"{(at or timezone.now()).astimezone(default):%Y-%m-%dT%H:%M}",
        )


def level_sum(level: InventoryLevel, until: dt.datetime) -> tuple[list[Bar], Decimal]:
    """The terms of a level's on hand and ATS as recorded before `until`, and that ATS."""
    entries = LedgerEntry.objects.filter(level=level, recorded_at__lte=until)
    by_kind = (
        entries.exclude(on_hand_delta=0).order_by().values("kind").annotate(total=Sum("on_hand_delta"), n=Count("pk"))
    )
    totals = {row["kind"]: row for row in by_kind}
    bars = []
    for kind in EntryKind:
        if row := totals.get(kind.value):
            url = why_figures.ledger_url(level.variant_id, kind=kind.value, location=level.location.code)
            bars.append(Bar(kind.label, row["total"], plural(row["n"], "entry,entries"), url))
    on_hand = sum((bar.quantity for bar in bars), Decimal(0))
    bars.append(Bar("On hand", on_hand, is_sum=True))
    released = entries.aggregate(total=Sum("released_delta"))["total"] or 0
    bars.append(Bar("Released to open orders", Decimal(-released)))
    ats = on_hand - released
    bars.append(Bar("ATS, what can be sold", ats, is_sum=True))
    return why_figures.drawn(bars), ats


def _crumbs(item: str, number: str) -> Sequence[Crumb]:
    return [Crumb("Levels", reverse("admin:levels")), Crumb(item), Crumb(f"Why {number}?")]
