"""The door that links our variants to a store's and lets their levels take part."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors.models.runs import Trigger
from connectors.runs import RunAlreadyOpen
from connectors.views.frame import StorePage
from inventory.linking import start_link


class LinkNow(StorePage):
    """Have the store's variants read and ours bound to them; lands on the run, also when one is open already."""

    permission = "catalog.link_items"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        try:
            run = start_link(self.store, trigger=Trigger.PERSON, requested_by=self.person)
        except RunAlreadyOpen as already:
            run = already.run
        return redirect("admin:run", run.pk)
