"""How a store's token is obtained, kept and replaced."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from connectors.models import Store
from connectors.models.stores import Grant
from connectors.ports.errors import ConnectorError, ConnectorUnavailable
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

log = structlog.get_logger(__name__)

RENEW_AT: Final = 0.8
"""Share of a token's life after which the next one is asked for."""

LOCK_SECONDS: Final = 60
"""Longer than asking for a token takes. A worker that died asking holds the others up no longer than this."""

WAIT_SECONDS: Final = 40.0
ASK_AGAIN_SECONDS: Final = 60
"""Pause between tries to renew a token that is still good."""

Ask = Callable[[str, str], tuple[str, int]]
"""Client ID and secret → a token and the seconds it lives; raises ConnectorError."""


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    look_again: dt.datetime


class RenewedToken:
    """`TokenSource` of a store whose token lives for a day: kept in the store's row, shared by all processes, renewed
    at 80 % of its life or when it is refused, by one of them at a time.

    The row is read again only when the token held here is due or refused. Renewing calls the store, so it is never
    done inside a transaction.
    """

    def __init__(self, store_id: int, ask: Ask, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._store_id = store_id
        self._ask = ask
        self._pause = pause
        self._held: _Held | None = None
        self._guard = threading.Lock()

    def current(self) -> str:
        """The token to send; renewed first when it is due. Where renewing fails while the old one is good, the old one
        serves on."""
        with self._guard:
            held = self._held
            if held is None or timezone.now() >= held.look_again:
                held = self._held = self._found_or_renewed(refused="")
            return held.token

    def renew(self, refused: str) -> str:
        """Another token than `refused`: the one somebody obtained meanwhile, or a new one."""
        with self._guard:
            if self._held is None or self._held.token == refused:
                self._held = self._found_or_renewed(refused)
            return self._held.token

    def _found_or_renewed(self, refused: str) -> _Held:
        deadline = time.monotonic() + WAIT_SECONDS
        with connection_of_this_moment():
            while True:
                row = self._row()
                usable = _usable(row, refused)
                if usable is not None and timezone.now() < usable.look_again:
                    return usable
                with _alone(self._store_id) as alone:
                    if alone:
                        return self._renewed(refused)
                if usable is not None:
                    return _later(usable)
                if time.monotonic() > deadline:
                    raise ConnectorUnavailable(
                        service="Sync Console",
                        operation="obtain an access token",
                        cause=f"Another worker has been obtaining a token for {WAIT_SECONDS:.0f} s.",
                        remedy="Nothing to do: the work continues by itself.",
                    )
                self._pause(0.2)

    def _renewed(self, refused: str) -> _Held:
        row = self._row()
        usable = _usable(row, refused)
        if usable is not None and timezone.now() < usable.look_again:
            return usable
        asked_at = timezone.now()
        try:
            token, seconds = self._ask(row.client_id, row.client_secret)
        except ConnectorError as exc:
            if usable is None:
                raise
            log.warning("token_not_renewed", store=row.slug, cause=exc.cause)
            return _later(usable)
        expires_at = asked_at + dt.timedelta(seconds=seconds)
        renews_at = asked_at + RENEW_AT * dt.timedelta(seconds=seconds)
        # Not where a person has put another client ID in place meanwhile: this token belongs to the former one.
        Store.objects.filter(pk=row.pk, client_id=row.client_id, secret_replaced_at=row.secret_replaced_at).update(
            access_token=token, token_expires_at=expires_at, token_renews_at=renews_at
        )
        log.info("token_renewed", store=row.slug, expires_at=expires_at.isoformat())
        return _Held(token, renews_at)

    def _row(self) -> Store:
        return Store.objects.only(
            *("slug", "client_id", "client_secret", "secret_replaced_at"),
            *("access_token", "token_expires_at", "token_renews_at"),
        ).get(pk=self._store_id)


def _usable(row: Store, refused: str) -> _Held | None:
    """What the row holds, if it lives and is not the one refused."""
    if not row.access_token or row.access_token == refused or row.token_expires_at is None:
        return None
    if row.token_expires_at <= timezone.now():
        return None
    return _Held(row.access_token, row.token_renews_at or row.token_expires_at)


def _later(held: _Held) -> _Held:
    return _Held(held.token, timezone.now() + dt.timedelta(seconds=ASK_AGAIN_SECONDS))


@contextmanager
def _alone(store_id: int) -> Iterator[bool]:
    """Whether this worker is the one that renews now."""
    key, mine = f"access:renewing:{store_id}", uuid.uuid4().hex
    alone = bool(cache.add(key, mine, LOCK_SECONDS))
    try:
        yield alone
    finally:
        if alone and cache.get(key) == mine:
            cache.delete(key)


@contextmanager
def connection_of_this_moment() -> Iterator[None]:
    """Threads that make calls hold no database connection: one opened for this is closed after it."""
    opened_here = connection.connection is None
    try:
        yield
    finally:
        if opened_here and not connection.in_atomic_block:
            connection.close()


def replace_token(store: Store, token: str, *, by: User | None, address: str | None = None) -> None:
    """Put another static token in place of the old one, and note that it was done. The connection counts as untested."""
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        static = {"access_token": token, "grant": Grant.STATIC, "token_expires_at": None, "token_renews_at": None}
        _change(row, {**static, **UNTESTED})
        audit.record(by, "replace token", row.name, address=address)


def replace_credentials(
    store: Store, *, grant: str, client_id: str, client_secret: str, by: User | None, address: str | None = None
) -> None:
    """Set how the store's token is obtained, and the app's client ID and secret; an empty secret keeps the old one.

    The former secret is kept: Shopify goes on signing webhooks with it for a while. A token of another app, or of
    another grant, is forgotten, and the connection counts as untested. Where the token stays, so does the test: a static
    token's app secret only signs webhooks, and replacing it stops no job.
    """
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        before = {"access": row.grant, "client_id": row.client_id}
        changes: dict[str, Any] = {"grant": grant, "client_id": client_id}
        secret_changes = bool(client_secret) and client_secret != row.client_secret
        if secret_changes:
            changes |= {
                "client_secret": client_secret,
                "previous_client_secret": row.client_secret,
                "secret_replaced_at": timezone.now(),
            }
        if grant != row.grant or (grant == Grant.CLIENT_CREDENTIALS and (secret_changes or client_id != row.client_id)):
            changes |= {"access_token": "", "token_expires_at": None, "token_renews_at": None, **UNTESTED}
        _change(row, changes)
        after = {"access": grant, "client_id": client_id, "client_secret": "replaced" if secret_changes else "kept"}
        audit.record(by, "replace credentials", row.name, before=before, after=after, address=address)


UNTESTED: Final[dict[str, Any]] = {"connection_checked_at": None, "connection_cause": "", "connection_remedy": ""}


def _change(row: Store, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
