"""Addresses of pages about items, below the console's root."""

from __future__ import annotations

from django.urls import URLPattern, path

from catalog.views.items import ImportItemsPage
from catalog.views.links import LinkConflictsPage
from catalog.views.tags import CountInScope

urlpatterns: list[URLPattern] = [
    path("items/import/", ImportItemsPage.as_view(), name="import_items"),
    path("links/", LinkConflictsPage.as_view(), name="links"),
    path("items/count/", CountInScope.as_view(), name="count_in_scope"),
]
