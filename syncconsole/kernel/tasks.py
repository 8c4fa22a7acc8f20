"""Base of every Celery task: published after commit, bounded, logged. And the kernel's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import shared_task
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
        self._after_commit(lambda: self.delay(*args, **kwargs))

    def send_in(self, seconds: float, *args: Any) -> None:
        """As `send`; the task begins so many seconds later."""
        self._after_commit(lambda: self.apply_async(args, countdown=seconds))

    def _after_commit(self, publish: Callable[[], object]) -> None:
        from django.db import transaction
        from kombu.exceptions import OperationalError

        def publish_or_log() -> None:
            try:
                publish()
            except OperationalError as exc:
                log.warning("broker_unreachable", task=self.name, error=str(exc))

        transaction.on_commit(publish_or_log)


@shared_task(base=AfterCommitTask, expires=60)
def recount(name: str, given: list[Any]) -> None:
    """Count again what a page shows. Asked for only within a minute: later the page has counted for itself, or asks anew."""
    from syncconsole.kernel import counting

    counting.renew(name, given)
