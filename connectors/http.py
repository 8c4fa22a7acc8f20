"""How every connector speaks HTTP: one client factory, one rule of where a token may go, one redaction."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from connectors.ports.errors import CredentialsRejected

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 30.0
"""Seconds. Shopify gives up on its own upstream after about 10 s (response codes 503 and 504), so 30 s is patient."""

USER_AGENT: Final = "SyncConsole/1 (inventory and order connector)"

_SHOP_HOST: Final = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_PLAIN_NETLOC: Final = re.compile(r"[A-Za-z0-9.:\[\]-]+")

_REDACTED: Final = "[redacted]"
_SECRETS: Final = (
    # Every token and secret Shopify hands out starts with shp and two letters; App secrets with shpss.
    (re.compile(r"\bshp[a-z]{2}_[A-Za-z0-9]+"), _REDACTED),
    (
        re.compile(
            r"(?i)((?:x-shopify-access-token|authorization|client_secret|access_token|refresh_token|password)"
            r"[\"']?\s*[:=,]\s*(?:b?[\"'])?(?:basic |bearer )?)[^\"'\s,&)}]+"
        ),
        rf"\g<1>{_REDACTED}",
    ),
)

# Loggers of the HTTP libraries: filters are not inherited, so each one that writes gets its own.
_WIRE_LOGGERS: Final = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.proxy",
    "httpcore.socks",
)


class HostNotAllowed(CredentialsRejected):
    """The address is not one a token may be sent to. Nothing was sent; a person corrects the store's settings."""


def check_host(url: str, allowed_hosts: Collection[str] = ()) -> None:
    """Promise that a token sent to `url` reaches Shopify, or a host this installation has named.

    Allowed are `https://<shop>.myshopify.com` on the standard port, and `http` or `https` addresses whose host,
    or host:port, is in `allowed_hosts` exactly as written there. Everything that makes two readers of one address
    disagree (credentials before an @, a backslash, encoded or non-ASCII letters, blanks) is refused first.

    Raises `HostNotAllowed` with the reason and what to enter instead.
    """
    parts = urlsplit(url)
    if ambiguity := _ambiguity(url, parts):
        raise _refusal(ambiguity)
    try:
        host, port, read_by_client = parts.hostname or "", parts.port, httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as exc:
        raise _refusal("The address cannot be read.") from exc
    # The library that opens the connection has to see the same host as the check.
    if read_by_client.host != host or read_by_client.scheme != parts.scheme:
        raise _refusal("The address can be read in two ways.")
    if parts.scheme in {"http", "https"} and _named_by_installation(parts.netloc.lower(), host, allowed_hosts):
        return
    if parts.scheme != "https":
        raise _refusal(f"The address starts with {parts.scheme or 'nothing'}:// instead of https://.")
    if not _SHOP_HOST.fullmatch(host):
        raise _refusal(f"{host} is not a shop under myshopify.com.")
    if port not in (None, 443):
        raise _refusal(f"The address names port {port}.")


def _ambiguity(url: str, parts: SplitResult) -> str:
    """Why two programs could read this address differently; empty when they cannot."""
    if any(ord(letter) <= 32 or ord(letter) >= 127 or letter == "\\" for letter in url):
        return "The address contains a blank, a backslash or a letter outside ASCII."
    if "@" in parts.netloc:
        return "The address carries a user name or a password."
    if "?" in url or "#" in url:
        return "The address has a part after ? or #."
    if not _PLAIN_NETLOC.fullmatch(parts.netloc):
        return "The address has no plain host name."
    return ""


def _named_by_installation(netloc: str, host: str, allowed_hosts: Collection[str]) -> bool:
    named = {entry.strip().lower() for entry in allowed_hosts}
    return netloc in named or host in named


def _refusal(cause: str) -> HostNotAllowed:
    return HostNotAllowed(
        service="Shopify",
        operation="check the address",
        cause=cause,
        remedy="Enter the shop's own domain, for example https://my-shop.myshopify.com. Another host has to be "
        "allowed in the settings of this installation first.",
    )


def redact(text: str) -> str:
    """`text` with tokens, secrets and credential headers replaced; safe to log."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class RedactSecrets(logging.Filter):
    """Rewrites a record so that no handler sees a token. Keeps every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace message and arguments by the redacted text."""
        record.msg, record.args = redact(record.getMessage()), None
        return True


_REDACTION: Final = RedactSecrets()


def build_client(*, connections: int = 20, read_timeout: float = READ_TIMEOUT) -> httpx.Client:
    """A client for one service: bounded waits, keep-alive, no redirects, nothing secret in its logs.

    `connections` bounds the requests in flight of this process; one more waits `read_timeout` seconds for its turn.
    A redirect is returned as it is, never followed: it would carry the token to a host nobody checked.
    Loopback addresses are reached directly even where the environment names a proxy.
    """
    for name in _WIRE_LOGGERS:
        logger = logging.getLogger(name)
        if _REDACTION not in logger.filters:
            logger.addFilter(_REDACTION)
    return httpx.Client(
        timeout=httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        follow_redirects=False,
        http1=True,
        http2=False,
        mounts={"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None},
    )
