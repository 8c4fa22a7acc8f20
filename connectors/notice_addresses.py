"""Where notices may go: a few services of Apprise, never this machine or its network, never a file.

An address is typed by a person who may edit rules, not by one who may read this server's files or reach its network,
so everything that would lend them that is refused before a message is made.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from apprise import Apprise, AppriseAsset
from apprise.exception import AppriseImproperlyConfigured
from django.conf import settings

from syncconsole.kernel.refusals import Refusal

SERVICES: Final = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "json": "a webhook",
    "jsons": "a webhook",
    "mailto": "mail",
    "mailtos": "mail",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "slack": "Slack",
    "tgram": "Telegram",
    "workflow": "Microsoft Teams",
    "workflows": "Microsoft Teams",
}
"""Scheme of an Apprise URL → what people call the service."""

TOKEN_ONLY: Final = frozenset({"discord", "gchat", "slack", "tgram"})
"""What looks like the host of these is a token: the service's own host is built in."""

OPTIONS: Final = frozenset(
    {"auth", "avatar", "bcc", "cc", "channel", "channels", "footer", "format", "from", "id", "image", "method", "mode"}
    | {"name", "pass", "priority", "reply", "route", "smtp", "thread", "to", "token", "user", "ver", "wrap"}
)
"""Options of an address that only shape the message. Others (template, pgp, verify …) read files of this server or
switch certificate checks off."""

_HEADER_OR_FIELD: Final = re.compile(r"[+:-][A-Za-z0-9_-]+")


class AddressRefused(Refusal):
    """Notices are not sent to this address. `cause` and `remedy` never contain its secret parts."""


def check_address(address: str, *, resolve: bool = False) -> Any:
    """The Apprise service behind `address`, ready to send.

    With `resolve`, names are looked up and every address they stand for is checked; without it only the words are, so
    that a form can be saved while a name server is away. A name that cannot be looked up passes: sending to it fails
    by itself.

    Raises AddressRefused.
    """
    for option, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True):
        # A plus sign in front of a header's name is a blank once the query has been parsed.
        if option.lower() not in OPTIONS and not _HEADER_OR_FIELD.fullmatch(option.replace(" ", "+", 1)):
            raise AddressRefused(f"The option {option[:40]} is not used here.", f"Leave it out; used are: {_words()}.")
    service = _service(address)
    scheme = _scheme_of(service)
    if scheme not in SERVICES:
        raise AddressRefused(
            "Notices are not sent to this kind of address.", f"Use one of: {', '.join(sorted(SERVICES))}."
        )
    if scheme not in TOKEN_ONLY:
        for host in {str(service.host or ""), str(getattr(service, "smtp_host", "") or "")} - {""}:
            check_notice_host(host, resolve=resolve)
    return service


def _words() -> str:
    return ", ".join(sorted(OPTIONS))


def _service(address: str) -> Any:
    # No redirects: they would lead around the check of the host.
    asset = AppriseAsset(async_mode=False, secure_logging=True, app_id="Sync Console", app_desc="Sync Console")
    asset.http_redirects = False
    remedy = "Compare it with the forms in docs/operators/notices.md."
    try:
        service = Apprise.instantiate(address.strip(), asset=asset, suppress_exceptions=False)
    except (AppriseImproperlyConfigured, TypeError) as exc:
        raise AddressRefused("The address is incomplete or malformed.", remedy) from exc
    if service is None:
        raise AddressRefused("The address cannot be read as one of a service that is known here.", remedy)
    return service


def _scheme_of(service: Any) -> str:
    """The service's name among ours; empty when it is not one of them."""
    for names in (service.secure_protocol, service.protocol):
        for name in [names] if isinstance(names, str) else names or ():
            if name in SERVICES:
                return str(name)
    return ""


def check_notice_host(host: str, *, resolve: bool) -> None:
    """Refuse loopback, private, link-local and other special addresses unless the installation names the host.

    Raises AddressRefused.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name in {entry.strip("[]").lower() for entry in settings.ALLOWED_API_HOSTS}:
        return
    if name == "localhost" or name.endswith(".localhost") or any(not ip.is_global for ip in _addresses(name, resolve)):
        raise AddressRefused(
            f"{name} is on this machine or in a private network.",
            "Use an address that is reachable from outside, or have the host named in ALLOWED_API_HOSTS.",
        )


def _addresses(name: str, resolve: bool) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The IP addresses that `name` is, or stands for."""
    try:
        return [_plain(ipaddress.ip_address(name))]
    except ValueError:
        pass
    try:
        # Also the spellings that the system's resolver takes for an address: 2130706433, 0x7f.1, 127.1
        return [ipaddress.ip_address(socket.inet_aton(name))]
    except OSError:
        pass
    if not resolve:
        return []
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]


def _plain(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address in IPv6 clothes counts as itself."""
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip
