"""The door that links our variants to a store's and lets their levels take part."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from catalog.linking import LinkRefused
from connectors.ports.errors import ConnectorError
from connectors.views.frame import StorePage
from inventory.linking import link_store
from syncconsole.kernel.templatetags.console import plural


class LinkNow(StorePage):
    """Read the store's variants and bind ours to them; the levels of what was bound are known afterwards."""

    permission = "catalog.link_items"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        here = redirect(f"{reverse('admin:links')}?{urlencode({'store': self.store.slug})}")
        try:
            report = link_store(self.store, actor=self.person).links
        except (ConnectorError, LinkRefused) as error:
            messages.warning(request, f"Not linked: {error.cause} {error.remedy}")
            return here
        messages.success(
            request,
            f"{plural(report.linked, 'variant')} linked in {self.store}, {report.already:,} were linked already, "
            f"{report.conflicts:,} left open, {report.only_there:,} only in the store, {report.only_here:,} only here.",
        )
        return here
