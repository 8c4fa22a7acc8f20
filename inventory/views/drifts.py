"""Doors for decisions about levels that differ: what each would do in numbers, then done once, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from connectors.models import Store
from inventory import deciding, frozen, offsets
from inventory.deciding import Decision, DecisionReport, DriftDecisionRefused, Preview
from inventory.frozen import ReleaseRefused
from inventory.models import Drift, LevelPublication
from inventory.models.drifts import STANDING
from inventory.offsets import OffsetRefused
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.templatetags.console import plural, signed

SHOWN: Final = 20
LEFT_SHOWN: Final = 5


@dataclass(frozen=True)
class Option:
    """A decision that may be taken, and what it would do."""

    decision: Decision
    effects: list[str]

    @property
    def label(self) -> str:
        """Its name on the page."""
        return str(self.decision.label)


def effects(told: Preview, decision: Decision, store: Store) -> list[str]:
    """What a decision would do, in sentences with numbers."""
    if decision is Decision.IGNORE:
        return [
            "Nothing moves. Deltas and weekly runs leave these levels alone, and nobody is asked while they stay so."
        ]
    if decision is Decision.KEEP:
        return [
            f"No ledger entry. The next delta sends {signed(told.to_store)} to {store}.",
            "Other stores get nothing.",
        ]
    said = [f"{plural(told.entries, 'ledger entry,ledger entries')}, ATS {signed(told.ats)}.", f"{store} gets nothing."]
    others = [f"{name} gets {signed(units)}." for name, units in sorted(told.to_others.items())]
    return said + (others or ["No other store shares these levels."])


class DecideDriftPage(ConsolePage):
    """One level, or a group with one cause: what each decision would do, and the form that takes one."""

    permission = deciding.RIGHT
    title = "Decide"
    template_name = "inventory/decide_drift.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Held and drift", reverse("admin:held") + "?tab=drift"), Crumb("Decide")]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request.GET, list(asked_for(request.GET)[: deciding.MOST]))

    def show(self, asked: QueryDict, drifts: list[Drift], *, problem: str = "", status: int = 200) -> HttpResponse:
        """The question, with what was typed kept."""
        if not drifts:
            messages.info(self.request, "Decided, or gone by itself, before.")
            return redirect(f"{reverse('admin:held')}?tab=drift")
        store = drifts[0].store
        choices = deciding.choices(drifts)
        choice = chosen(asked, choices)
        return self.page(
            status=status,
            drifts=drifts[:SHOWN],
            count=len(drifts),
            more=len(drifts) - SHOWN,
            units=sum(each.quantity for each in drifts),
            store=store,
            zone=store.zone,
            options=[
                Option(decision, effects(deciding.preview(drifts, decision, choice), decision, store))
                for decision in Decision
            ],
            choices=choices,
            chosen=choice,
            given=asked,
            problem=problem,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        drifts = list(asked_for(request.POST)[: deciding.MOST])
        if request.POST.get("decision") not in Decision.values:
            return self.show(request.POST, drifts, problem="Choose whose number is right.", status=422)
        decision = Decision(request.POST["decision"])
        choice = chosen(request.POST, deciding.choices(drifts))
        try:
            report = deciding.decide(
                [each.pk for each in drifts],
                decision,
                by=self.person,
                reason=request.POST.get("reason", ""),
                choice=choice,
            )
        except DriftDecisionRefused as refused:
            return self.show(request.POST, drifts, problem=f"{refused.cause} {refused.remedy}", status=422)
        self._say(report, decision)
        return redirect(f"{reverse('admin:held')}?tab=drift")

    def _say(self, report: DecisionReport, decision: Decision) -> None:
        if report.decided:
            levels = plural(report.decided, "level")
            messages.success(self.request, f"{decision.label}: {levels}, {signed(report.units)} units.")
        elif not report.left:
            messages.info(self.request, "Decided, or gone by itself, before.")
        for left in report.left[:LEFT_SHOWN]:
            messages.warning(self.request, f"{left.label} stays undecided. {left.cause} {left.remedy}")
        if len(report.left) > LEFT_SHOWN:
            messages.warning(self.request, f"{len(report.left) - LEFT_SHOWN} more stay undecided for such causes.")


def asked_for(asked: QueryDict) -> QuerySet[Drift, Drift]:
    """The drifts that an address or a form names: one by its number, or a group. Raises Http404 for neither."""
    one = asked.get("drift", "")
    if one.isdigit():
        rows = Drift.objects.filter(pk=int(one), state__in=STANDING)
    elif (slug := asked.get("store")) and (cause := asked.get("cause")):
        last = asked.get("last", "")
        rows = deciding.of_group(
            slug,
            cause,
            asked.get("writer", ""),
            up_to=int(last) if last.isdigit() else 0,
            ignored=bool(asked.get("ignored")),
        )
    else:
        raise Http404("No drift is named.")
    return rows.select_related("store", "publication__listed__variant__product", "publication__store_location")


def chosen(asked: QueryDict, choices: list[tuple[int, str, list[tuple[int, str]]]]) -> dict[int, int]:
    """Which of our locations takes the difference, as the form says; only those that are offered."""
    found = {}
    for there, _, ours in choices:
        said = asked.get(f"location-{there}", "")
        if said.isdigit() and int(said) in dict(ours):
            found[there] = int(said)
    return found


class ResumeLevel(ConsolePage):
    """Let a level go on that two writers had paused."""

    permission = frozen.RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            released = frozen.release([pk], by=self.person, reason=request.POST.get("reason", ""))
        except ReleaseRefused as refused:
            messages.warning(request, f"The level stays paused. {refused.cause} {refused.remedy}")
        else:
            said = "Resumed: the next delta sends what is owed to it." if released else "It is not paused any more."
            (messages.success if released else messages.info)(request, said)
        return redirect(f"{reverse('admin:held')}?tab=drift")


class AcknowledgeOffsetPage(ConsolePage):
    """Sign that committed units belong to orders that nobody here can see: what is known of them, then the signature. What
    is signed can be withdrawn here."""

    permission = offsets.SIGN_RIGHT
    title = "Sign for orders"
    template_name = "inventory/sign_offset.html"
    publication: LevelPublication

    def find(self, **kwargs: Any) -> None:
        rows = LevelPublication.objects.select_related("store", "store_location", "listed__variant__product")
        self.publication = get_object_or_404(rows, pk=kwargs["pk"])

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Held and drift", reverse("admin:held")), Crumb("Sign for orders")]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, problem: str = "", reason: str = "", why: str = "", status: int = 200) -> HttpResponse:
        """What is known now, with what was typed kept: `reason` of a signature, `why` it is withdrawn."""
        publication = self.publication
        return self.page(
            status=status,
            publication=publication,
            store=publication.store,
            zone=publication.store.zone,
            known=offsets.known(publication),
            older_hidden=offsets.older_orders_hidden(publication.store),
            signatures=publication.acknowledgements.select_related("signed_by")[:SHOWN],
            problem=problem,
            reason=reason,
            why=why,
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.POST.get("step") == "withdraw":
            return self._withdraw(request.POST.get("why", ""))
        reason, numbers = request.POST.get("reason", ""), []
        for name in ("committed", "open_here"):
            said = request.POST.get(name, "").removeprefix("-")
            numbers.append(int(request.POST[name]) if said.isdigit() else -1)
        committed, open_here = numbers
        try:
            signed_now = offsets.acknowledge(
                pk, committed=committed, open_here=open_here, by=self.person, reason=reason
            )
        except OffsetRefused as refused:
            return self.show(problem=f"{refused.cause} {refused.remedy}", reason=reason, status=422)
        if signed_now:
            said = (
                f"Signed for {plural(signed_now.quantity, 'unit')}: the level is read again, and held for them no more."
            )
            messages.success(request, said)
        else:
            messages.info(request, "Just this is signed already.")
        return redirect("admin:held")

    def _withdraw(self, why: str) -> HttpResponse:
        try:
            units = offsets.withdraw(self.publication.pk, by=self.person, reason=why)
        except OffsetRefused as refused:
            return self.show(problem=f"{refused.cause} {refused.remedy}", why=why, status=422)
        said = f"Withdrawn for {plural(units, 'unit')}: the level is read again, and held for them from then on."
        messages.success(self.request, said)
        return redirect("admin:held")
