"""Base of every Celery task: published after commit, bounded, logged."""

from __future__ import annotations

from typing import Any

import structlog
from celery.contrib.django.task import DjangoTask

log = structlog.get_logger(__name__)


class AfterCommitTask(DjangoTask[Any, Any]):
    """`task.send(...)` publishes once the surrounding transaction has committed.

    A broker that is down loses nothing: the row that wants the work is already stored and a sweep finds it, so
    the failure is logged and the caller goes on.
    """

    abstract = True

    def send(self, *args: Any, **kwargs: Any) -> None:
        """Publish after commit; a broker that cannot be reached is logged, not raised."""
        from django.db import transaction
        from kombu.exceptions import OperationalError

        def publish() -> None:
            try:
                self.delay(*args, **kwargs)
            except OperationalError as exc:
                log.warning("broker_unreachable", task=self.name, error=str(exc))

        transaction.on_commit(publish)
