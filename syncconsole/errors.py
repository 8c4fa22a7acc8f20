"""Error pages: what is kept, and the way back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the person may not do this."""
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing is at this address."""
    return render(request, "errors/404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours. The page needs neither the database nor the session."""
    return render(request, "errors/500.html", status=500)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is not the one of this session, or that nobody signed in sent: signed out meanwhile, or a
    copied page."""
    return render(request, "errors/form_expired.html", status=403)


def form_only(request: HttpRequest) -> HttpResponse:
    """405: the address takes a form, and was opened without one, e.g. from the history."""
    page = render(request, "errors/form_only.html", status=405)
    page["Allow"] = "POST"
    return page
