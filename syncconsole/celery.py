"""The Celery application. Why each setting is what it is: docs/architecture.md, "Workers"."""

from __future__ import annotations

import os
import time
from typing import Any, Final

from celery import Celery
from celery.signals import heartbeat_sent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncconsole.settings")

app = Celery("syncconsole")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

WORKER_ALIVE: Final = "worker-alive"
"""Cache key that every worker renews while it is connected, and that fades a minute after the last one is gone."""

_renew_after = 0.0


@heartbeat_sent.connect
def tell_worker_is_alive(**_: Any) -> None:
    """The worker's main process says so every ten seconds, busy or not."""
    global _renew_after  # one number per process, written by its main thread alone
    if time.monotonic() < _renew_after:
        return
    _renew_after = time.monotonic() + 10
    from django.core.cache import cache

    cache.set(WORKER_ALIVE, time.time(), timeout=60)
