"""Quarantine: pairs of variants of which nobody can tell whose stock is ours; both sides beside each other, and the decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from catalog.clone_decisions import recommended, why_not
from catalog.models import HOLDING, CloneDecision, CloneKind, CloneSuspect
from connectors.approval import DecisionRefused
from connectors.models import Store
from inventory import clones
from inventory.knowledge import Sold
from syncconsole.kernel.admin import ConsolePage, Tab, people_with
from syncconsole.kernel.keyset import page_of
from syncconsole.kernel.status import Meaning
from syncconsole.kernel.templatetags.console import n, plural

SHOWN: Final = 8
TABS: Final[dict[str, tuple[str, Q]]] = {
    "": ("To decide", Q(closed_at=None, decision=CloneDecision.NONE)),
    "waiting": ("Waiting", Q(closed_at=None, decision=CloneDecision.WAIT)),
    "decided": ("Decided", Q(closed_at=None) & ~Q(decision__in=HOLDING)),
    "closed": ("Healed", Q(closed_at__isnull=False)),
}


@dataclass(frozen=True)
class Field:
    """One fact of both sides."""

    name: str
    left: str
    right: str

    @property
    def same(self) -> bool:
        return self.left == self.right


@dataclass(frozen=True)
class Choice:
    """A decision as the page offers it: its effect, why it is recommended, why it is not open."""

    decision: CloneDecision
    effect: str
    why: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class Pair:
    """A suspect with everything that its part of the page says."""

    suspect: CloneSuspect
    sentence: str
    left: str
    right: str
    fields: list[Field]
    choices: list[Choice]


class QuarantinePage(ConsolePage):
    """What waits for a decision first; what was decided and what healed by itself on tabs of their own."""

    permission = "catalog.view_clonesuspect"
    title = "Quarantine"
    template_name = "inventory/quarantine.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET
        found = CloneSuspect.objects.select_related("store", "variant__product", "decided_by")
        if slug := asked.get("store", ""):
            found = found.filter(store__slug=slug)
        current = asked.get("tab", "")
        current = current if current in TABS else ""
        page = page_of(request, found.filter(TABS[current][1]), *_order(current), size=SHOWN)
        held, sold = clones.held_levels(page.rows), clones.sold(page.rows)
        may_decide = self.can(clones.RIGHT)
        return self.page(
            pairs=[pair_of(row, held[row.pk], sold) for row in page.rows],
            keyset=page,
            tabs=[
                Tab(label, _address(name, slug), name == current, f"{found.filter(which).count():,}")
                for name, (label, which) in TABS.items()
            ],
            tab=current,
            healed=Meaning.OK,
            stores=list(Store.objects.all()),
            filtered=bool(slug),
            may_decide=may_decide,
            who=[] if may_decide else people_with(clones.RIGHT),
        )


def _order(tab: str) -> tuple[str, ...]:
    return ("-closed_at", "-id") if tab == "closed" else ("first_seen_at", "id")


def _address(tab: str, store: str) -> str:
    return "?" + urlencode({name: value for name, value in (("tab", tab), ("store", store)) if value})


def pair_of(suspect: CloneSuspect, held: int, sold: Mapping[tuple[int, str], Sold]) -> Pair:
    """The pair as the page shows it. `held`: its levels that are held now; `sold` as `clones.sold`."""
    left, right = _named(suspect.original), _named(suspect.copy)
    zone = suspect.store.zone
    sides = ((suspect.original, suspect.original_item), (suspect.copy, suspect.copy_item))
    facts = zip(
        *(
            (*_facts(side, item, zone), _sold(sold.get((suspect.store_id, item)), shared=suspect.shared))
            for side, item in sides
        ),
        strict=True,
    )
    fields = [Field(name, *values) for name, values in zip(NAMES, facts, strict=True)]
    return Pair(suspect, _sentence(suspect, held, left, right), left, right, fields, _choices(suspect, left, right))


def _named(side: dict[str, Any]) -> str:
    return (
        " / ".join(filter(None, [str(side.get("title", "")), *side.get("options", [])])) or "a variant without a name"
    )


def _facts(side: dict[str, Any], item: str, zone: ZoneInfo) -> tuple[str, ...]:
    made = side.get("created", "")
    available = side.get("available")
    return (
        str(side.get("title", "")),
        str(side.get("handle", "")),
        " / ".join(side.get("options", [])),
        str(side.get("sku", "")),
        str(side.get("barcode", "")),
        item.rpartition("/")[2],
        f"{dt.datetime.fromisoformat(made).astimezone(zone):%-d %b %Y %H:%M}" if made else "",
        "" if available is None else n(available),
    )


NAMES: Final = (
    *("Product", "Handle", "Options", "SKU", "Barcode", "Inventory item", "Made", "Available there"),
    "Sold in the last 30 days",
)


def _sold(found: Sold | None, *, shared: bool) -> str:
    told = f"{plural(found.units, 'unit')} in {plural(found.orders, 'order')}" if found else "nothing"
    return f"{told}, both together" if shared else told


def _sentence(suspect: CloneSuspect, held: int, left: str, right: str) -> str:
    if suspect.kind == CloneKind.SHARED_ITEM:
        what = f"{right} and {left} share one inventory item in the store, and are two items here."
    elif left == right:
        what = f"{left} is there twice, with one SKU: {suspect.sku}."
    else:
        what = f"{right} has the SKU of {left}: {suspect.sku}."
    if not suspect.holds:
        return what
    if not held:
        return f"{what} Neither is linked, so nothing is pushed for them."
    return f"{what} {plural(held, 'level')} {'is' if held == 1 else 'are'} held; nothing is pushed for them."


def _choices(suspect: CloneSuspect, left: str, right: str) -> list[Choice]:
    ours = str(suspect.variant) if suspect.variant else "our item"
    best, why = recommended(suspect)
    effects = {
        CloneDecision.ORIGINAL: f"{ours} belongs to {left}, whose levels are pushed again. "
        f"Nothing is pushed for {right} as long as it has that SKU.",
        CloneDecision.COPY: f"{ours} is linked to {right} instead, and published there from its next full or manual run on. "
        f"What {left} shows stays as it is.",
        CloneDecision.SAME: f"Their one inventory item stays with {ours}. Orders of both count there.",
        CloneDecision.WAIT: "Both stay held. They are let go by themselves when the store shows another SKU on one of them.",
    }
    order = sorted(effects, key=lambda decision: decision != best)
    return [
        Choice(decision, effects[decision], why if decision == best else "", why_not(suspect, decision))
        for decision in order
    ]


class DecideClone(ConsolePage):
    """Take the decision; a repeat, or a colleague who was faster, changes nothing and is said."""

    permission = clones.RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        suspect = get_object_or_404(CloneSuspect, pk=pk)
        chosen = request.POST.get("decision", "")
        decision = CloneDecision(chosen) if chosen in CloneDecision.values else CloneDecision.NONE
        try:
            clones.decide(suspect.pk, decision, by=self.person, address=request.META.get("REMOTE_ADDR"))
        except DecisionRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.success(request, f"{suspect.sku or 'The pair'}: {decision.label.lower()}.")
        return redirect(f"{reverse('admin:quarantine')}{_address('', request.POST.get('store', ''))}")
