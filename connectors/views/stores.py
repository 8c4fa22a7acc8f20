"""Doors of one store: test its connection, replace its token, pause and resume its writes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors import access, pausing
from connectors.connection import test_connection
from connectors.forms import AccessForm, TokenForm
from connectors.pausing import PauseRefused
from connectors.views.frame import StorePage

REPORT = "connection-report"
"""Session key of the last test's findings: shown once, beside the settings."""


class StoreDoor(StorePage):
    """Something done to a store; always ends in a redirect."""

    http_method_names = ["post", "options"]

    def to_settings(self) -> HttpResponse:
        """Back to the store's settings."""
        return redirect("admin:connectors_store_change", self.store.pk)

    def to_store(self) -> HttpResponse:
        """Back to the store's page."""
        return redirect("admin:store", self.store.slug)


class ConnectionTest(StoreDoor):
    """Ask the shop who it is; the findings appear beside the settings, and no setting is changed by it."""

    permission = "connectors.test_connection"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        request.session[REPORT] = {"slug": slug, **test_connection(self.store).as_dict()}
        return self.to_settings()


class ReplaceToken(StoreDoor):
    """Put a new token in place of the old one; neither is ever shown."""

    permission = "connectors.change_credentials"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        form = TokenForm(request.POST)
        if not form.is_valid():
            messages.warning(
                request, "The token was not replaced: " + " ".join(str(error) for error in form.errors["token"])
            )
            return self.to_settings()
        address = request.META.get("REMOTE_ADDR")
        access.replace_token(self.store, form.cleaned_data["token"], by=self.person, address=address)
        messages.success(request, "Token replaced. Test the connection to see what it may do.")
        return self.to_settings()


class ReplaceCredentials(StoreDoor):
    """Set how the token is obtained, and the app's client ID and secret; the secret is never shown."""

    permission = "connectors.change_credentials"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        form = AccessForm(request.POST, store=self.store)
        if not form.is_valid():
            said = " ".join(str(error) for errors in form.errors.values() for error in errors)
            messages.warning(request, f"The access was not changed: {said}")
            return self.to_settings()
        address = request.META.get("REMOTE_ADDR")
        access.replace_credentials(self.store, **form.cleaned_data, by=self.person, address=address)
        messages.success(request, "Access changed. Test the connection to see what it may do.")
        return self.to_settings()


class PauseWrites(StoreDoor):
    """Stop, or let go on, everything that would be written to this store."""

    permission = pausing.STORE_RIGHT

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        address = request.META.get("REMOTE_ADDR")
        try:
            if request.POST.get("pause") == "1":
                reason = request.POST.get("reason", "").strip()
                pausing.pause_store(self.store, by=self.person, reason=reason, address=address)
                said = "writes are paused. Plans and reads go on."
            else:
                pausing.resume_store(self.store, by=self.person, address=address)
                said = "writes go on."
        except PauseRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.success(request, f"{self.store}: {said}")
        return self.to_store()
