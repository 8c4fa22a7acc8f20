"""Notices: people are told outside the console what needs them.

A message is a row first, written with what it tells about, so that it is not lost with a worker, the broker or the
mail server; it is sent afterwards, outside any transaction, and again by the sweep until it got through.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from apprise import LogCapture, NotifyFormat
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connectors.http import redact
from connectors.models import Notice, NoticeEvent, NoticeRule, Store
from connectors.models.notices import NoticeStatus
from connectors.notice_addresses import AddressRefused, check_address
from syncconsole.kernel.secrets import UndecryptableSecret

log = structlog.get_logger(__name__)

WAITS: Final = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
"""Before the second, third … try. After the last one a message stays unsent, with its cause."""
STUCK: Final = dt.timedelta(minutes=6)
"""Longer than a task may last: a message that is being sent for so long has lost its worker."""
TEST: Final = "test"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of sending a message. `cause` and `remedy` are empty when it was taken."""

    cause: str = ""
    remedy: str = ""
    lasting: bool = False
    """Trying again changes nothing; a person has to."""

    @property
    def ok(self) -> bool:
        """The service took the message."""
        return not self.cause


def notify(event: NoticeEvent, store: Store | None, subject: str, body: str = "", link: str = "") -> list[Notice]:
    """Keep a message for every rule that asks for `event` of `store` (None: the installation), and have it sent.

    `subject` is the headline sentence, `body` cause and remedy, `link` a path of the console or an address. May be
    called inside a transaction: nothing goes out unless it commits. The same news within a rule's time is counted,
    not sent again; in quiet hours a message waits for their end. Returns the messages kept.
    """
    from connectors.notices_tasks import send_notice

    kept = []
    with transaction.atomic():
        # The lock keeps two workers with the same news from both finding that nobody has told it yet.
        for rule in rules_for(event, store).select_for_update(no_key=True):
            notice = _keep(rule, event, store, subject, body, link)
            if notice is not None:
                kept.append(notice)
                if notice.not_before <= timezone.now():
                    send_notice.send(notice.pk)
    return kept


def rules_for(event: NoticeEvent, store: Store | None) -> QuerySet[NoticeRule]:
    """Active rules that ask for `event` and are for this store or for all."""
    concerned = Q(store=None) if store is None else Q(store=None) | Q(store=store)
    return NoticeRule.objects.filter(concerned, active=True, events__contains=[event]).order_by("pk")


def _keep(
    rule: NoticeRule, event: NoticeEvent, store: Store | None, subject: str, body: str, link: str
) -> Notice | None:
    """A message for this rule, or None when it was told already."""
    now = timezone.now()
    digest = same_news(event, store, subject)
    recent = Q(created_at__gt=now - dt.timedelta(minutes=rule.repeat_minutes)) | Q(status=NoticeStatus.WAITING)
    told = rule.notices.filter(recent, digest=digest).exclude(status=NoticeStatus.FAILED).first()
    if told is not None and rule.repeat_minutes:
        Notice.objects.filter(pk=told.pk).update(repeats=F("repeats") + 1)
        return None
    return rule.notices.create(
        store=store,
        event=event,
        subject=subject[:300],
        body=body,
        link=link[:500],
        digest=digest,
        not_before=quiet_until(rule, store, now) or now,
    )


def same_news(event: str, store: Store | None, subject: str) -> str:
    """Two messages with the same value tell the same. A failure that goes on is one piece of news whatever the number
    of the run that met it; every plan that waits for approval is its own."""
    words = subject if event == NoticeEvent.AWAITING_APPROVAL else re.sub(r"\d+", "#", subject)
    return hashlib.sha256(f"{event}|{store.pk if store else ''}|{words}".encode()).hexdigest()


def quiet_until(rule: NoticeRule, store: Store | None, now: dt.datetime) -> dt.datetime | None:
    """When the rule's quiet hours end, if `now` is within them; in the store's time zone, else the installation's."""
    if rule.quiet_from is None or rule.quiet_to is None:
        return None
    zone = store.zone if store else ZoneInfo(settings.TIME_ZONE)
    local = now.astimezone(zone)
    overnight = rule.quiet_from > rule.quiet_to
    after_start, before_end = local.time() >= rule.quiet_from, local.time() < rule.quiet_to
    if not (after_start or before_end if overnight else after_start and before_end):
        return None
    day = local.date() + dt.timedelta(days=1 if overnight and after_start else 0)
    return dt.datetime.combine(day, rule.quiet_to, tzinfo=zone)


def due() -> list[int]:
    """Ids of messages whose time has come: quiet hours over, another try, or lost with a worker."""
    now = timezone.now()
    Notice.objects.filter(status=NoticeStatus.SENDING, claimed_at__lt=now - STUCK).update(status=NoticeStatus.WAITING)
    waiting = Notice.objects.filter(status=NoticeStatus.WAITING, not_before__lte=now).order_by("not_before")
    return list(waiting.values_list("pk", flat=True)[:500])


def deliver(notice_id: int) -> None:
    """Send one message if its time has come and nobody else does. Call it outside transactions."""
    now = timezone.now()
    ready = Notice.objects.filter(pk=notice_id, status=NoticeStatus.WAITING, not_before__lte=now)
    if not ready.update(status=NoticeStatus.SENDING, claimed_at=now, tries=F("tries") + 1):
        return
    notice = Notice.objects.select_related("rule").get(pk=notice_id)
    if not notice.rule.active:
        _settle(notice, Reply("The rule was switched off before this was sent.", lasting=True))
        return
    _settle(notice, send(notice.rule, notice.subject, _text(notice)))


def send_test(rule: NoticeRule) -> Reply:
    """Send a test message now, whatever the hour, and keep it in the log."""
    subject = "Test message of Sync Console"
    notice = rule.notices.create(
        store=rule.store,
        event=TEST,
        subject=subject,
        body=f"The rule {rule.name} reaches this address.",
        digest=hashlib.sha256(f"{TEST}|{timezone.now()}".encode()).hexdigest(),
        status=NoticeStatus.SENDING,
        claimed_at=timezone.now(),
        not_before=timezone.now(),
        tries=1,
    )
    reply = send(rule, subject, _text(notice))
    _settle(notice, Reply(reply.cause, reply.remedy, lasting=True))
    return reply


def send(rule: NoticeRule, subject: str, text: str) -> Reply:
    """Hand a message to the rule's service and tell what it said. The address never appears in the reply."""
    try:
        address = rule.address
        service = check_address(address, resolve=True)
    except AddressRefused as exc:
        return Reply(exc.cause, exc.remedy, lasting=True)
    except UndecryptableSecret as exc:
        return Reply(exc.cause, exc.remedy, lasting=True)
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        taken = service.notify(title=subject, body=text, body_format=NotifyFormat.TEXT)
        complaint = _without_secrets(said.getvalue(), address)
    if taken:
        return Reply()
    return Reply(
        complaint or f"{service.service_name} did not take the message.",
        "Check the rule's address and that the service is reachable, then press Send test.",
    )


def _text(notice: Notice) -> str:
    link = f"{settings.PUBLIC_URL.rstrip('/')}{notice.link}" if notice.link.startswith("/") else notice.link
    return "\n\n".join(part for part in (notice.body, link) if part) or notice.subject


def _without_secrets(text: str, address: str) -> str:
    """A service's complaint on one line, with every part of the address taken out."""
    line = " ".join(redact(text).split())
    for part in sorted(set(re.split(r"[/:@?&=#]+", address)), key=len, reverse=True):
        if len(part) > 5:
            line = line.replace(part, "…")
    return line[:400]


def _settle(notice: Notice, reply: Reply) -> None:
    """Keep what came of it; a message that did not get through is tried again, later each time."""
    now = timezone.now()
    notice.cause, notice.remedy = reply.cause[:400], reply.remedy[:400]
    if reply.ok:
        notice.status, notice.sent_at = NoticeStatus.SENT, now
        log.info("notice_sent", notice=notice.pk, rule=notice.rule_id, notice_event=notice.event)
    elif reply.lasting or notice.tries > len(WAITS):
        notice.status = NoticeStatus.FAILED
        log.warning("notice_not_sent", notice=notice.pk, rule=notice.rule_id, cause=reply.cause)
    else:
        notice.status = NoticeStatus.WAITING
        notice.not_before = now + WAITS[notice.tries - 1]
        log.warning("notice_waits", notice=notice.pk, rule=notice.rule_id, cause=reply.cause, tries=notice.tries)
    notice.save(update_fields=["status", "sent_at", "not_before", "cause", "remedy"])
