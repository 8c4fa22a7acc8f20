"""What the receiver of webhooks is measured against: a Django view that does one insert, on the same server, behind the
same middleware. As settings (`DJANGO_SETTINGS_MODULE=benchmarks.bare_settings`) it is served beside the console."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from syncconsole.urls import urlpatterns as of_the_console

TABLE = "CREATE TABLE bare_delivery (id bigserial PRIMARY KEY, received_at timestamptz NOT NULL, body bytea NOT NULL)"


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """Insert the body and when it came."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bare_delivery (received_at, body) VALUES (%s, %s)", [timezone.now(), request.body])
    return HttpResponse(status=200)


urlpatterns = [path("bare/", insert), *of_the_console]
