"""The change log: everything that happened to levels, newest first, filtered and exported."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse

from catalog.search import variants_found
from connectors.models import Store
from inventory import change_file, change_log
from inventory.change_log import ChangeKind, Cursor, Wanted
from inventory.models import LevelPublication, Location
from inventory.views.ledger import moment
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import EPOCH, MICROSECOND, PAGE_ROWS

FILTERS: Final = ("kind", "store", "location", "q", "level", "from", "to")


def wanted_of(asked: QueryDict) -> Wanted:
    """The filters in an address; one that cannot be read narrows nothing."""
    store = Store.objects.filter(slug=asked.get("store", "")).first()
    words, level = asked.get("q", "").strip(), asked.get("level", "")
    zone = store.zone if store else None
    return Wanted(
        kinds=[ChangeKind(kind) for kind in asked.getlist("kind") if kind in ChangeKind.values] or list(ChangeKind),
        store=store,
        location=asked.get("location", ""),
        variants=variants_found(words) if words else None,
        publication=int(level) if level.isdigit() and len(level) < 19 else None,
        since=moment(asked.get("from", ""), zone),
        until=moment(asked.get("to", ""), zone),
    )


def cursor_of(text: str) -> Cursor | None:
    """The cursor as an address writes it; None where it cannot be read."""
    parts = text.split(",")
    if len(parts) != len(Cursor._fields) or not all(part.lstrip("-").isdigit() for part in parts):
        return None
    try:
        return Cursor(EPOCH + int(parts[0]) * MICROSECOND, int(parts[1]), min(int(parts[2]), 2**63 - 1))
    except OverflowError:
        return None


def written(cursor: Cursor) -> str:
    """A cursor for an address."""
    return f"{(cursor.at - EPOCH) // MICROSECOND},{cursor.kind},{cursor.id}"


class ChangeLogPage(ConsolePage):
    """The list with its filters. The same address with `format=csv` is the file of all its lines."""

    permission = "inventory.view_ledgerentry"
    title = "Change log"
    template_name = "inventory/change_log.html"

    def get(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        wanted = wanted_of(request.GET)
        if request.GET.get("format") == "csv":
            return _file(wanted)
        rows, after = change_log.page(wanted, cursor_of(request.GET.get("after", "")), PAGE_ROWS)
        kept = [(name, value) for name in FILTERS for value in request.GET.getlist(name) if value]
        return self.page(
            rows=rows,
            keyset=_Shown(len(rows), _address(kept, after), "?" + urlencode(kept) if "after" in request.GET else ""),
            kinds=ChangeKind,
            stores=list(Store.objects.all()),
            locations=list(Location.objects.all()),
            level=_level(wanted),
            filtered=bool(kept),
            export="?" + urlencode([*kept, ("format", "csv")]),
            zone=wanted.store.zone if wanted.store else None,
        )


class _Shown:
    """What `components/keyset.html` shows."""

    def __init__(self, shown: int, older: str, newer: str) -> None:
        self.shown, self.older, self.newer = shown, older, newer


def _address(kept: list[tuple[str, str]], after: Cursor | None) -> str:
    return "?" + urlencode([*kept, ("after", written(after))]) if after else ""


def _level(wanted: Wanted) -> LevelPublication | None:
    if wanted.publication is None:
        return None
    rows = LevelPublication.objects.select_related("listed__variant__product", "store_location", "store")
    return rows.filter(pk=wanted.publication).first()


def _file(wanted: Wanted) -> StreamingHttpResponse:
    response = StreamingHttpResponse(change_file.lines(wanted), content_type="text/csv")
    name = "-".join(filter(None, ["changes", wanted.store.slug if wanted.store else ""]))
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
