"""Addresses: the console, and what machines ask."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from connectors.views.receiver import receive
from syncconsole.health_views import livez, readyz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("console/", admin.site.urls),
    path("webhooks/<str:webhook_key>/", receive, name="webhooks_receiver"),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
]

handler403 = "syncconsole.errors.refused"
handler404 = "syncconsole.errors.not_found"
handler500 = "syncconsole.errors.broken"
