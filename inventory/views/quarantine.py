"""Quarantine: pairs of variants of which nobody can tell whose stock is ours; both sides beside each other, and the decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from catalog.clone_decisions import Decided, of_same_products
from catalog.models import HOLDING, CloneDecision, CloneSuspect
from connectors.approval import DecisionRefused
from connectors.models import Store
from inventory import clones
from inventory.views.quarantine_pairs import Group, Pair, group_of, pair_of
from syncconsole.kernel.admin import ConsolePage, Tab, people_with
from syncconsole.kernel.keyset import page_of
from syncconsole.kernel.status import Meaning
from syncconsole.kernel.templatetags.console import plural

SHOWN: Final = 8
TABS: Final[dict[str, tuple[str, Q]]] = {
    "": ("To decide", Q(closed_at=None, decision=CloneDecision.NONE)),
    "waiting": ("Waiting", Q(closed_at=None, decision=CloneDecision.WAIT)),
    "decided": ("Decided", Q(closed_at=None) & ~Q(decision__in=HOLDING)),
    "closed": ("Healed", Q(closed_at__isnull=False)),
}

TOGETHER: Final[dict[str, tuple[str, ...]]] = {
    "": (),
    "waiting": (),
    "decided": ("decision", "decided_at"),
    "closed": ("decision", "closed_at", "outcome"),
}
"""What pairs of the same two products have in common to be told of as one."""
NAMED: Final = ("store", "variant__product", "decided_by")


class QuarantinePage(ConsolePage):
    """What waits for a decision first; what was decided and what healed by itself on tabs of their own."""

    permission = "catalog.view_clonesuspect"
    title = "Quarantine"
    template_name = "inventory/quarantine.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET
        found = CloneSuspect.objects.all()
        if slug := asked.get("store", ""):
            found = found.filter(store__slug=slug)
        current = asked.get("tab", "")
        current = current if current in TABS else ""
        rows = of_same_products(found.filter(TABS[current][1]), *TOGETHER[current])
        each = asked.get("each", "")
        alone = each.isdigit() and len(each) < 19
        if alone:
            rows = rows.filter(lead=int(each))
        shown = CloneSuspect.objects.filter(
            pk__in=rows.values("pk") if alone else rows.filter(lead=F("pk")).values("pk")
        )
        page = page_of(request, shown.select_related(*NAMED), *_order(current), size=SHOWN)
        several = [[row] for row in page.rows] if alone else _several(rows, page.rows)
        may_decide = self.can(clones.RIGHT)
        return self.page(
            cards=_cards(several),
            alone=alone,
            all_pairs=_address(current, slug),
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


def _several(rows: QuerySet[Any], leads: Sequence[CloneSuspect]) -> list[list[CloneSuspect]]:
    """The pairs that each of `leads` stands for, itself first; one query."""
    found: dict[int, list[CloneSuspect]] = {lead.pk: [] for lead in leads}
    for row in rows.filter(lead__in=list(found)).select_related(*NAMED).order_by("pk") if found else ():
        found[row.lead].append(row)
    return list(found.values())


def _cards(several: Sequence[Sequence[CloneSuspect]]) -> list[Group | Pair]:
    """A card for each pair, or for all pairs of the same two products."""
    suspects = [one for group in several for one in group]
    held, sold = clones.held_levels(suspects), clones.sold(suspects)
    return [
        group_of(group, held, sold) if len(group) > 1 else pair_of(group[0], held[group[0].pk], sold)
        for group in several
    ]


def _order(tab: str) -> tuple[str, ...]:
    return ("-closed_at", "-id") if tab == "closed" else ("first_seen_at", "id")


def _address(tab: str, store: str) -> str:
    return "?" + urlencode({name: value for name, value in (("tab", tab), ("store", store)) if value})


class DecideClone(ConsolePage):
    """Take the decision; a repeat, or a colleague who was faster, changes nothing and is said."""

    permission = clones.RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        suspect = get_object_or_404(CloneSuspect, pk=pk)
        chosen = request.POST.get("decision", "")
        decision = CloneDecision(chosen) if chosen in CloneDecision.values else CloneDecision.NONE
        person, address = self.person, request.META.get("REMOTE_ADDR")
        try:
            if request.POST.get("all"):
                self._tell(clones.decide_alike(suspect.pk, decision, by=person, address=address), decision)
            else:
                clones.decide(suspect.pk, decision, by=person, address=address)
                messages.success(request, f"{suspect.sku or 'The pair'}: {decision.label.lower()}.")
        except DecisionRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        return redirect(f"{reverse('admin:quarantine')}{_address('', request.POST.get('store', ''))}")

    def _tell(self, decided: Decided, decision: CloneDecision) -> None:
        messages.success(self.request, f"{plural(len(decided.pairs), 'pair')}: {decision.label.lower()}.")
        left = Counter(f"{refused.cause} {refused.remedy}" for _, refused in decided.refused)
        for cause, count in left.items():
            messages.warning(
                self.request, f"{plural(count, 'pair')} left as {'it was' if count == 1 else 'they were'}: {cause}"
            )
