"""What machines ask: is this process alive, and is it worth sending requests to it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from syncconsole import health


@require_safe
@never_cache
@login_not_required
def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers; asks nothing else, so that a database that is away restarts nobody."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """200, or 503 with the reasons: database, broker, migrations, schedule."""
    found = health.readiness()
    ready = all(check.ok for check in found)
    reasons = [f"{check.detail} {check.remedy}" for check in found if not check.ok]
    report = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: check.ok for check in found},
        "reasons": reasons,
    }
    return JsonResponse(report, status=200 if ready else 503)
