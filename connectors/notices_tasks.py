"""Doors for Celery: messages that wait are sent, and sent again."""

from __future__ import annotations

from celery import shared_task

from connectors import notices
from syncconsole.kernel.tasks import AfterCommitTask


@shared_task(base=AfterCommitTask)
def send_notice(notice_id: int) -> None:
    """Send one message; does nothing when it was sent or its time has not come."""
    notices.deliver(notice_id)


@shared_task(base=AfterCommitTask)
def send_due_notices() -> None:
    """Every minute: messages whose quiet hours are over, that failed before, or that a dead worker left behind."""
    for notice_id in notices.due():
        send_notice.send(notice_id)
