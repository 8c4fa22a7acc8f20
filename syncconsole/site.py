"""The console's admin site: home is our dashboard, and our own pages live beside the model lists."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite

from syncconsole import errors
from syncconsole.kernel.acts import View, noted

METHOD_NOT_ALLOWED = 405


def _leave_nul_out(request: HttpRequest) -> None:
    """Copied text may bring it along; nobody means it, and no text of the database can hold it."""
    if any("\0" in value for _, values in request.POST.lists() for value in values):
        sent = request.POST.copy()
        for name, values in request.POST.lists():
            sent.setlist(name, [value.replace("\0", "") for value in values])
        request.POST = sent  # type: ignore[assignment]  # the request has the setter, its types do not


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """Each app brings `urlpatterns` of class-based pages; here they get the console's login check and namespace."""

    index_title = "Home"
    enable_nav_sidebar = True

    def extra_urls(self) -> list[URLPattern]:
        """Our own pages, each behind the console's login."""
        import catalog.urls
        import connectors.urls
        import inventory.urls
        import orders.urls
        from syncconsole import pages

        apps = (pages, connectors.urls, catalog.urls, inventory.urls, orders.urls)
        return [
            URLPattern(page.pattern, self._explained(self.admin_view(page.callback)), page.default_args, page.name)
            for app in apps
            for page in app.urlpatterns
        ]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """The login check around every page of the console; inside it, what people do is noted."""
        checked: View = super().admin_view(noted(view), cacheable)
        return checked

    def _explained(self, page: View) -> View:
        """The page, but for what would end in an empty one: a form sent by somebody who was signed out meanwhile, and an
        address that only takes a form."""

        @wraps(page)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not self.has_permission(request):
                return errors.form_expired(request)
            if "%00" in request.META.get("QUERY_STRING", ""):  # no text that the database can look for
                return errors.not_found(request)
            _leave_nul_out(request)
            answered = page(request, *args, **kwargs)
            return errors.form_only(request) if answered.status_code == METHOD_NOT_ALLOWED else answered

        return answer

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Home."""
        from syncconsole.dashboard import HomePage

        return HomePage.as_view()(request)
