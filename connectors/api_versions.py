"""How long the version of the API that a store is asked with is still served."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.utils import timezone

from connectors import registry
from syncconsole.kernel.status import Meaning

NOTICE_DAYS: Final = 90
WARNING_DAYS: Final = 30


class Urgency(Enum):
    """How near the end of an API version is."""

    QUIET = ("Served", Meaning.OK)
    NOTICE = ("Ends within three months", Meaning.WAITS)
    WARNING = ("Ends soon", Meaning.ATTENTION)
    PAST = ("Not served any more", Meaning.STOPPED)

    def __init__(self, label: str, meaning: Meaning) -> None:
        self.label = label
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Support:
    """How long a version of the API is still served."""

    version: str
    until: dt.date
    days: int
    """Days left; none or fewer when it has ended."""

    @property
    def urgency(self) -> Urgency:
        """How near the end is."""
        if self.days <= 0:
            return Urgency.PAST
        if self.days < WARNING_DAYS:
            return Urgency.WARNING
        return Urgency.NOTICE if self.days < NOTICE_DAYS else Urgency.QUIET

    @property
    def detail(self) -> str:
        """The countdown in a sentence."""
        if self.days <= 0:
            return f"{self.version} is not served any more since {self.until:%-d %b %Y}."
        days = "day" if self.days == 1 else "days"
        return f"{self.version}, {self.days} {days} left: served until {self.until:%-d %b %Y}."

    @property
    def remedy(self) -> str:
        """What a person does next; empty while the end is far."""
        return {
            Urgency.QUIET: "",
            Urgency.NOTICE: "Plan the update to a release of Sync Console that names a later version.",
            Urgency.WARNING: "Update Sync Console, then set the stores to a version it names.",
            Urgency.PAST: "Shopify answers with another version now. Update Sync Console, then set the stores to one it "
            "names.",
        }[self.urgency]


def support(api_version: str) -> Support:
    """How long `api_version` (like 2026-10) is still served, counted from today."""
    until = registry.served_until(api_version)
    return Support(api_version, until, (until - timezone.now().date()).days)
