"""A store's settings: the admin form, as the Settings tab of the store's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextInputWidget

from connectors import api_versions, scopes
from connectors.forms import TokenForm
from connectors.models import Store
from connectors.models.stores import Grant
from connectors.views.frame import store_tabs
from connectors.views.stores import REPORT
from inventory import settings_tab
from inventory.settings_tab import ADDRESS_RIGHT, CONNECTION, FILTER, LIMITS, LIMITS_TEXT, QUANTITIES, SCOPE, StoreForm
from syncconsole.kernel import audit
from syncconsole.kernel.admin import ConsoleAdmin, Crumb, signed_in
from syncconsole.kernel.secrets import UndecryptableSecret, fingerprint

ACCESS = ("grant", "access_token", "client_id", "client_secret")
"""Asked for when a store is added; replaced by forms of their own afterwards."""
SECRETS = {"access_token", "client_secret"}


class SettingsForm(StoreForm):
    """The tab; a token or secret is asked for only when a store is added, and replaced by its own form afterwards."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The count of the filter appears below its last field, while it is typed."""
        super().__init__(*args, **kwargs)
        tags = [self.fields[name] for name in FILTER if name in self.fields]
        for field in tags:
            field.widget = UnfoldAdminTextInputWidget(attrs={"data-scope": ""})
        if tags:
            count = '<span data-scope-count="{}" data-store="{}" aria-live="polite"></span>'
            where = reverse("admin:count_in_scope")
            tags[-1].help_text = format_html("{} " + count, tags[-1].help_text, where, self.instance.slug or "")

    class Meta(StoreForm.Meta):
        fields = (*ACCESS, *StoreForm.Meta.fields)


@admin.register(Store)
class StoreAdmin(ConsoleAdmin):
    """The list is our own page; the form is the Settings tab."""

    form = SettingsForm
    change_form_template = "connectors/store_settings.html"
    search_fields = ("name", "slug", "shop_domain")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:stores")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A store with history stays; pause its writes instead."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Store | None = None) -> Any:
        connection = CONNECTION if obj else (*CONNECTION[:3], *ACCESS, *CONNECTION[3:])
        return (
            ("Connection", {"fields": connection}),
            ("What syncs", {"fields": SCOPE}),
            ("Quantities", {"fields": QUANTITIES}),
            ("Safety limits", {"fields": LIMITS, "description": LIMITS_TEXT}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> Any:
        """What went live stays: direction is locked, and the slug is in addresses and commands. Where the token is sent
        is for those alone who may replace it."""
        if obj is None:
            return ()
        return tuple(settings_tab.fixed(obj, may_readdress=signed_in(request).has_perm(ADDRESS_RIGHT)))

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: bool) -> None:
        """Save only what was edited, so that a run that touches the row meanwhile loses nothing, and note it."""
        person, address = signed_in(request), request.META.get("REMOTE_ADDR")
        if change:
            wanted = {name: getattr(obj, name) for name in form.changed_data}
            settings_tab.change(obj, wanted, by=person, address=address)
            return
        with transaction.atomic():
            obj.save()
            entered = {name: str(getattr(obj, name)) for name in form.changed_data if name not in SECRETS}
            audit.record(person, "add store", obj.name, after=entered, address=address)

    def response_add(self, request: HttpRequest, obj: Store, post_url_continue: Any = None) -> HttpResponse:
        return redirect("admin:connectors_store_change", obj.pk)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        store, person = context.get("original"), signed_in(request)
        last = Crumb("Settings") if store else Crumb("Connect a store")
        context["crumbs"] = [
            Crumb("Stores", reverse("admin:stores")),
            *([Crumb(store.name, reverse("admin:store", args=[store.slug]))] if store else []),
            last,
        ]
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False, "show_close": False}
        if store:
            report = request.session.get(REPORT)
            if report and report["slug"] == store.slug:
                del request.session[REPORT]
                context["report"] = report
            context |= {
                "store": store,
                "zone": store.zone,
                "tabs": store_tabs(store, "settings", person),
                "token": secret_shown(store, "access_token"),
                "token_form": TokenForm(),
                "client_secret": secret_shown(store, "client_secret"),
                "grants": Grant.choices,
                "may_replace": person.has_perm(ADDRESS_RIGHT),
                "locations": list(store.locations.all()),
                "capabilities": scopes.capabilities(store),
                "beyond": scopes.beyond(store),
                "support": api_versions.support(store.api_version),
            }
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[no-any-return]


def secret_shown(store: Store, name: str) -> str:
    """What may be seen of a secret: its last characters."""
    try:
        return fingerprint(getattr(store, name))
    except UndecryptableSecret as lost:
        return str(lost)
