"""People, roles and the audit log in the console."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from syncconsole.kernel import audit
from syncconsole.kernel.admin import ReadOnlyAdmin, signed_in
from syncconsole.kernel.models import AuditEntry, User

admin.site.unregister(Group)


class PersonCreationForm(UserCreationForm):  # type: ignore[misc]
    """A person is known by their e-mail address."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")


@admin.register(User)
class UserAdmin(StockUserAdmin, ModelAdmin):  # type: ignore[type-arg, misc]
    """People. What they may do comes from their role."""

    form = UserChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_fullwidth = True
    ordering = ("last_name", "email")
    list_display = ("email", "first_name", "last_name", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password", "first_name", "last_name")}),
        ("Role", {"fields": ("is_active", "is_staff", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "first_name", "last_name", "password1", "password2")}),)
    filter_horizontal = ("groups",)
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person who may do everything is changed only by one who may as well."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or signed_in(request).is_superuser)

    @admin.display(description="Role")
    def role(self, person: User) -> str:
        """The names of the person's roles."""
        names = [group.name for group in person.groups.all()]
        return ", ".join(["Everything", *names] if person.is_superuser else names) or "none"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep what became of a person's rights."""
        before = sorted(group.name for group in form.instance.groups.all()) if change else []
        super().save_related(request, form, formsets, change)
        after = sorted(group.name for group in form.instance.groups.all())
        active = form.instance.is_active
        audit.record(
            signed_in(request),
            "change person" if change else "add person",
            form.instance.email,
            before={"roles": before},
            after={"roles": after, "active": active},
            address=request.META.get("REMOTE_ADDR"),
        )


@admin.register(Group)
class GroupAdmin(StockGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Roles."""

    list_fullwidth = True


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what; the database refuses changes."""

    list_display = ("at", "who", "action", "object_label", "what_changed", "address")
    list_select_related = ("actor",)
    list_filter = (("at", RangeDateTimeFilter), "action")
    search_fields = ("object_label", "action", "actor__email")
    fields = ("at", "who", "action", "object_label", "was", "became", "address")
    readonly_fields = fields

    @admin.display(description="Person")
    def who(self, entry: AuditEntry) -> str:
        """The person, or the system."""
        return str(entry.actor) if entry.actor else "the system"

    @admin.display(description="Before → after")
    def what_changed(self, entry: AuditEntry) -> str:
        """Fields that differ, shortened."""
        names = [name for name in {**entry.before, **entry.after} if entry.before.get(name) != entry.after.get(name)]
        texts = [f"{name}: {entry.before.get(name, '–')} → {entry.after.get(name, '–')}" for name in names]
        return "; ".join(texts)[:160]

    @admin.display(description="Before")
    def was(self, entry: AuditEntry) -> str:
        """All fields before."""
        return json.dumps(entry.before, ensure_ascii=False, indent=1)

    @admin.display(description="After")
    def became(self, entry: AuditEntry) -> str:
        """All fields after."""
        return json.dumps(entry.after, ensure_ascii=False, indent=1)
