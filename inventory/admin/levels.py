"""Our locations; levels and entries have pages of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from inventory.models import InventoryLevel, LedgerEntry, Location
from syncconsole.kernel.admin import ConsoleAdmin, ReadOnlyAdmin


@admin.register(Location)
class LocationAdmin(ConsoleAdmin):
    """Places that hold stock."""

    list_display = ("name", "code", "stock_master")
    search_fields = ("name", "code")
    prepopulated_fields = {"code": ("name",)}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A code is used in files; it stays."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A location with levels stays; what was never used may go."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.levels.exists())


@admin.register(InventoryLevel)
class InventoryLevelAdmin(ReadOnlyAdmin):
    """Redirects to the pages of levels."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:levels")

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        return redirect("admin:why_level", object_id)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Redirects to the ledger."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:ledger")

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        return redirect("admin:ledger")
