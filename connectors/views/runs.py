"""Runs: the list, for all stores or for one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connectors.models import Store, SyncRun
from connectors.models.runs import OPEN, RunStatus
from connectors.progress import headline
from connectors.views.frame import StorePage
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import KeysetPage, page_of


@dataclass(frozen=True)
class RunRow:
    """A run as one line of a list."""

    run: SyncRun
    headline: str
    url: str

    @property
    def took(self) -> dt.timedelta | None:
        """From the first step to the last; None while it is open."""
        run = self.run
        return run.finished_at - run.started_at if run.finished_at and run.started_at else None


def run_rows(page: KeysetPage[SyncRun]) -> list[RunRow]:
    """Lines for the runs of a page."""
    return [RunRow(run, headline(run), reverse("admin:run", args=[run.pk])) for run in page.rows]


def found_runs(request: HttpRequest) -> QuerySet[SyncRun, SyncRun]:
    """Runs by the filters in the address: store, kind, state (or open)."""
    rows = SyncRun.objects.select_related("store", "requested_by")
    if slug := request.GET.get("store"):
        rows = rows.filter(store__slug=slug)
    if kind := request.GET.get("kind"):
        rows = rows.filter(kind=kind)
    state = request.GET.get("state")
    if state == "open":
        rows = rows.filter(status__in=OPEN)
    elif state in RunStatus.values:
        rows = rows.filter(status=state)
    return rows


class RunsPage(ConsolePage):
    """Every run, newest first."""

    permission = "connectors.view_syncrun"
    title = "Runs"
    template_name = "connectors/runs.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        from django.conf import settings

        page = page_of(request, found_runs(request), "-id")
        kinds = [(kind, SyncRun(kind=kind).label) for kind in settings.RUN_KINDS]
        filtered = any(request.GET.get(name) for name in ("store", "kind", "state"))
        return self.page(
            rows=run_rows(page),
            keyset=page,
            stores=Store.objects.all(),
            kinds=kinds,
            states=RunStatus,
            filtered=filtered,
        )


class StoreRunsPage(StorePage):
    """The runs of one store."""

    permission = "connectors.view_syncrun"
    title = "Runs"
    tab = "runs"
    template_name = "connectors/store_runs.html"

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        page = page_of(request, self.store.runs.select_related("store", "requested_by"), "-id")
        return self.page(rows=run_rows(page), keyset=page)
