"""What every page of the console shares: the base of our own pages, and the bases of admin lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import resolve
from django.views import View
from unfold.admin import ModelAdmin

from syncconsole.kernel.models import User


@dataclass(frozen=True)
class Crumb:
    """One step of the way to a page; the last one has no address."""

    title: str
    url: str = ""


@dataclass(frozen=True)
class Tab:
    """A tab that is a link. `count` is shown beside the label when it is not None."""

    label: str
    url: str
    current: bool = False
    count: str | None = None


def signed_in(request: HttpRequest) -> User:
    """The person behind a request to a console page; those pages are only served to people who signed in.

    Raises ImproperlyConfigured when a page is mounted outside the console.
    """
    if not isinstance(request.user, User):
        raise ImproperlyConfigured("A console page was reached without a signed-in person. Mount it in the console.")
    return request.user


def opens(person: User, url: str) -> bool:
    """Whether the page at `url`, an address of this console, is open to the person."""
    found = resolve(urlsplit(url).path)
    if admin := getattr(found.func, "model_admin", None):
        act = "add" if (found.url_name or "").endswith("_add") else "view"
        return person.has_perm(f"{admin.opts.app_label}.{get_permission_codename(act, admin.opts)}")
    needed: str = getattr(getattr(found.func, "view_class", None), "permission", "")
    return not needed or person.has_perm(needed)


def roles_with(permission: str) -> list[str]:
    """Names of the roles that carry `app.codename`, in alphabetical order."""
    app, codename = permission.split(".")
    carrying = Group.objects.filter(permissions__content_type__app_label=app, permissions__codename=codename)
    return list(carrying.order_by("name").values_list("name", flat=True))


def people_with(permission: str, *, limit: int = 5) -> list[User]:
    """Up to `limit` active people who hold `app.codename` through a role, directly, or as superuser."""
    app, codename = permission.split(".")
    by_role = models.Q(groups__permissions__content_type__app_label=app, groups__permissions__codename=codename)
    directly = models.Q(user_permissions__content_type__app_label=app, user_permissions__codename=codename)
    people = User.objects.filter(by_role | directly | models.Q(is_superuser=True), is_active=True)
    return list(people.distinct().order_by("last_name", "email")[:limit])


class ConsolePage(View):
    """Base of our own pages: one permission, one title, breadcrumbs, the frame of the admin site.

    A person without `permission` gets a page that names the roles and people who have it.
    """

    permission: ClassVar[str] = ""
    title: ClassVar[str] = ""
    template_name: ClassVar[str] = ""
    full_width: ClassVar[bool] = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.permission and not signed_in(request).has_perm(self.permission):
            return self.refuse(self.permission)
        self.find(**kwargs)
        return super().dispatch(request, *args, **kwargs)

    def find(self, **kwargs: Any) -> None:
        """Find what the address names, for people who may see it; overridden by pages of one row. Raises Http404."""

    @property
    def person(self) -> User:
        """Who looks at the page."""
        return signed_in(self.request)

    def can(self, permission: str) -> bool:
        """Whether the person holds `app.codename`."""
        return self.person.has_perm(permission)

    def crumbs(self) -> Sequence[Crumb]:
        """The way here, from the group to the page; overridden by pages below a list."""
        return [Crumb(self.title)]

    def page(self, *, status: int = 200, template: str = "", **context: Any) -> TemplateResponse:
        """The page inside the console's frame. `zone` in the context names the time zone of its times."""
        crumbs = context.pop("crumbs", None) or self.crumbs()
        frame = {
            **admin.site.each_context(self.request),
            "crumbs": crumbs,
            "title": crumbs[-1].title,
            "is_fullwidth": "1" if self.full_width else "",
        }
        self.request.current_app = admin.site.name
        return TemplateResponse(self.request, template or self.template_name, {**frame, **context}, status=status)

    def refuse(self, permission: str) -> HttpResponse:
        """403: which role opens this page, and who has it."""
        return self.page(
            status=403,
            template="console/refused.html",
            crumbs=[Crumb("Not open to you")],
            roles=roles_with(permission),
            people=people_with(permission),
        )


class ConsoleAdmin(ModelAdmin):  # type: ignore[misc]
    """Base of admin lists: full width, 30 rows, no count of everything."""

    list_fullwidth = True
    list_per_page = 30
    list_max_show_all = 30
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that are facts: looked at, filtered, never added, changed or deleted here."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
