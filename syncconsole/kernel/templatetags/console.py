"""How the console prints numbers, times and states; every page and component uses these."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.http import QueryDict
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from syncconsole.kernel.currencies import written
from syncconsole.kernel.status import Meaning

register = template.Library()

UNKNOWN = "–"
MINUS = "−"
ICONS = {
    Meaning.OK: "check_circle",
    Meaning.RUNNING: "progress_activity",
    Meaning.NEEDS_YOU: "front_hand",
    Meaning.ATTENTION: "warning",
    Meaning.STOPPED: "dangerous",
    Meaning.WAITS: "pause_circle",
    Meaning.OFF: "do_not_disturb_on",
}

Number = int | float | Decimal | None


@register.filter
def n(value: Number | str) -> str:
    """A quantity as people read it: 1,234 or −5 or 2.5; unknown is a dash, never blank."""
    if value is None or value == "":
        return UNKNOWN
    number = Decimal(str(value))
    text = f"{number:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


@register.filter
def signed(value: Number | str) -> str:
    """A change: always with its sign; nothing changed is 0."""
    if value is None or value == "":
        return UNKNOWN
    text = n(value)
    return text if text.startswith(MINUS) or text == "0" else f"+{text}"


@register.filter
def money(value: Number | str, currency: str = "") -> str:
    """An amount with as many decimals as its currency has, two where it is not named, and the currency after it."""
    if value is None or value == "":
        return UNKNOWN
    amount = Decimal(str(value))
    return written(amount, currency) if currency else f"{amount:,.2f}".replace("-", MINUS)


@register.filter
def percent(value: float | Decimal | None, digits: int = 0) -> str:
    """A share given as 0–100."""
    return UNKNOWN if value is None else f"{value:.{digits}f} %".replace("-", MINUS)


@register.filter
def key(value: Any) -> str:
    """An id exactly as it is: no thousands separator."""
    return str(value)


@register.filter
def plural(count: int, word: str) -> str:
    """`3|plural:"level"` is "3 levels"; `"change,changes"` gives both forms."""
    one, _, many = word.partition(",")
    return f"{n(count)} {one if count == 1 else many or one + 's'}"


@register.filter
def source(value: str) -> str:
    """A document or an origin of the ledger in words: "order #1002 of bucovina-ro"; what is words already stays."""
    kind, _, rest = value.partition(":")
    if kind == "order" and ":" in rest:
        store, _, number = rest.partition(":")
        return f"order {number} of {store}"
    if kind == "store" and rest:
        return f"store {rest}"
    return "the console" if value == "console" else value


@register.filter
def duration(seconds: float | dt.timedelta | None) -> str:
    """Two units at most: "1 min 40 s"."""
    if seconds is None:
        return UNKNOWN
    total = int(seconds.total_seconds() if isinstance(seconds, dt.timedelta) else seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for name, size in units:
        amount, total = divmod(total, size)
        if amount or (parts and len(parts) < 2 and total):
            parts.append(f"{amount} {name}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"


def relative(at: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> str:
    """Under 24 h relative, then "19 Nov 10:00", other years with the year."""
    seconds = (now - at).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds < 86_400:
        if seconds < 45:
            return "in a moment" if ahead else "just now"
        minutes = round(seconds / 60)
        text = f"{minutes} min" if minutes < 60 else f"{round(seconds / 3600)} h"
        return f"in {text}" if ahead else f"{text} ago"
    local, today = at.astimezone(zone), now.astimezone(zone)
    return f"{local:%-d %b %H:%M}" if local.year == today.year else f"{local:%-d %b %Y %H:%M}"


def _zone(context: Context) -> ZoneInfo:
    zone = context.get("zone")
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo(str(timezone.get_default_timezone()))


@register.simple_tag(takes_context=True)
def when(context: Context, at: dt.datetime | None, style: str = "relative") -> SafeString:
    """A time: relative text, with the absolute one and its zone on hover and focus. Styles: relative, clock, full."""
    if at is None:
        return format_html('<span class="c-unknown">{}</span>', "never" if style == "relative" else UNKNOWN)
    zone = _zone(context)
    local = at.astimezone(zone)
    full = f"{local:%-d %b %Y, %H:%M:%S %Z}"
    text = {
        "relative": lambda: relative(at, timezone.now(), zone),
        "clock": lambda: f"{local:%H:%M}",
        "full": lambda: f"{local:%-d %b %Y %H:%M}",
        "seconds": lambda: f"{local:%-d %b %H:%M:%S}",
    }[style]()
    return format_html(
        '<time class="c-when" datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), full, text
    )


@register.simple_tag(takes_context=True)
def zone_name(context: Context) -> str:
    """The zone of the page's times, e.g. "Bucharest time"; said once per page."""
    return f"{_zone(context).key.rpartition('/')[2].replace('_', ' ')} time"


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol that is decoration: the word stands beside it."""
    return format_html('<span class="material-symbols-outlined c-icon" aria-hidden="true">{}</span>', name)


@register.inclusion_tag("components/status_badge.html")
def badge(status: Any, label: str = "", since: dt.datetime | None = None) -> dict[str, Any]:
    """A state as shape and word. `status` is a member of a state enum (with `label` and `meaning`) or a Meaning."""
    meaning = status if isinstance(status, Meaning) else status.meaning
    return {"meaning": meaning.value, "icon": ICONS[meaning], "label": label or status.label, "since": since}


@register.inclusion_tag("components/quantity.html")
def quantity(value: Number, href: str = "", unit: str = "") -> dict[str, Any]:
    """One number, right aligned in tables; `href` leads to its sum."""
    return {"value": value, "href": href, "unit": unit}


@register.inclusion_tag("components/quantity_diff.html")
def quantity_diff(before: int | None, after: int | None, stale: bool = False) -> dict[str, Any]:
    """Before → after on one line, read aloud as "18 to 0, minus 18"."""
    change = None if before is None or after is None else after - before
    share = None if change is None or not before else change / abs(before) * 100
    return {"before": before, "after": after, "change": change, "share": share, "stale": stale}


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """This page's address with parameters changed; an empty value removes one. Cursors do not survive a change."""
    kept: QueryDict = context["request"].GET.copy()
    for name in ("after", "before", "v"):
        kept.pop(name, None)
    for name, value in changes.items():
        if value in (None, ""):
            kept.pop(name, None)
        else:
            kept[name] = str(value)
    pairs = [(name, value) for name, values in kept.lists() for value in values]
    return "?" + urlencode(pairs)


@register.filter
def get(mapping: dict[Any, Any], name: Any) -> Any:
    """`mapping[name]`, or nothing."""
    return mapping.get(name) if mapping else None
