"""The console's admin site: home is our dashboard, and our own pages live beside the model lists."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite

from syncconsole.kernel.acts import View, noted


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
            URLPattern(page.pattern, self.admin_view(page.callback), page.default_args, page.name)
            for app in apps
            for page in app.urlpatterns
        ]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """The login check around every page of the console; inside it, what people do is noted."""
        checked: View = super().admin_view(noted(view), cacheable)
        return checked

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Home."""
        from syncconsole.dashboard import HomePage

        return HomePage.as_view()(request)
