"""The queue of changes: what waits to be read from the stores, what could not be, and the decisions about it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from connectors import changes, inbox
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from connectors.views.ignoring import ignore_with_reason
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.keyset import COUNTED_EXACTLY, page_of

SEE_RIGHT: Final = "connectors.view_remotechange"
OPEN: Final = (ChangeState.WAITING, ChangeState.FAILED)
CHIPS: Final[dict[str, tuple[str, tuple[ChangeState, ...]]]] = {
    "": ("Waiting or failed", OPEN),
    **{state.value: (str(state.label), (state,)) for state in (*OPEN, ChangeState.IGNORED, ChangeState.DONE)},
}
"""Value of `state` in the address → the chip's label and the states it shows. What is read already is looked for, not
met with."""


def found_changes(asked: QueryDict) -> QuerySet[RemoteChange, RemoteChange]:
    """Rows by store, kind and state, as an address or a form names them."""
    _, states = CHIPS.get(asked.get("state", ""), CHIPS[""])
    return changes.found(store=asked.get("store", ""), kind=asked.get("kind", ""), states=states)


def chips(request: HttpRequest) -> list[dict[str, Any]]:
    """Each state with the number of rows that the other filters leave; a very long one is not counted to its end."""
    shown = []
    for value, (label, _) in CHIPS.items():
        asked = request.GET.copy()
        for name in ("after", "before"):
            asked.pop(name, None)
        asked["state"] = value
        count = found_changes(asked)[: COUNTED_EXACTLY + 1].count() if value else None
        over = count is not None and count > COUNTED_EXACTLY
        shown.append(
            {
                "label": f"{label}, over {COUNTED_EXACTLY:,}" if over else label,
                "count": None if over else count,
                "url": f"?{asked.urlencode()}",
                "current": request.GET.get("state", "") == value,
            }
        )
    return shown


class ChangesPage(ConsolePage):
    """What stores told of or polling found, one row per object, the last one noticed for the first time on top."""

    permission = SEE_RIGHT
    title = "Changes"
    template_name = "connectors/changes.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        page = page_of(request, found_changes(request.GET).select_related("store"), "-id")
        asked = request.GET.copy()
        asked["state"] = ChangeState.FAILED
        return self.page(
            rows=page.rows,
            keyset=page,
            stores=Store.objects.all(),
            kinds=sorted(settings.CHANGE_READERS),
            chips=chips(request),
            narrowed=any(request.GET.get(name) for name in ("store", "kind")),
            any_known=bool(page.rows) or RemoteChange.objects.exists(),
            failed=found_changes(asked)[: COUNTED_EXACTLY + 1].count(),
            may_handle=self.can(inbox.HANDLE_RIGHT),
        )


class ChangeView(ConsolePage):
    """Something about one changed object."""

    permission = SEE_RIGHT
    change: RemoteChange

    def find(self, **kwargs: Any) -> None:
        self.change = get_object_or_404(RemoteChange.objects.select_related("store"), pk=kwargs["pk"])

    def back(self) -> HttpResponse:
        """To the object's page."""
        return redirect("admin:change", self.change.pk)


class ChangePage(ChangeView):
    """One changed object: who told of it, how often it was read, why it is not, what may be done."""

    template_name = "connectors/change.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Changes", reverse("admin:changes")), Crumb(self.change.ref)]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        change = self.change
        return self.page(
            change=change,
            zone=change.store.zone,
            has_reader=change.kind in settings.CHANGE_READERS,
            may_handle=self.can(inbox.HANDLE_RIGHT),
            may_retry=change.state in (ChangeState.FAILED, ChangeState.IGNORED),
            may_ignore=change.state == ChangeState.FAILED,
        )


class RetryChange(ChangeView):
    """Have a failed or ignored object read again."""

    permission = inbox.HANDLE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        this = RemoteChange.objects.filter(pk=self.change.pk)
        if changes.retry(this, by=self.person, what=f"{self.change.store}: {self.change}"):
            messages.success(request, "It is read again in a moment.")
        else:
            messages.info(request, "It waits, or was read, already.")
        return self.back()


class IgnoreChange(ChangeView):
    """Leave a failed object unread."""

    permission = inbox.HANDLE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ignore_with_reason(request, partial(changes.ignore, self.change, by=self.person))
        return self.back()


class RetryChanges(ConsolePage):
    """Have every failed object read again that the filters of the form leave."""

    permission = inbox.HANDLE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        store, kind = request.POST.get("store", ""), request.POST.get("kind", "")
        failed = changes.found(store=store, kind=kind, states=[ChangeState.FAILED])
        retried = changes.retry(failed, by=self.person, what=f"{store or 'all stores'}: {kind or 'every kind'}, failed")
        if retried:
            messages.success(request, f"{retried:,} failed {'object' if retried == 1 else 'objects'} wait again.")
        else:
            messages.info(request, "Nothing has failed any more.")
        kept = QueryDict(mutable=True)
        kept.update({name: value for name, value in (("store", store), ("kind", kind)) if value})
        return redirect(f"{reverse('admin:changes')}?{kept.urlencode()}")
