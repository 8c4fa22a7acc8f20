"""GraphQL over HTTP with Shopify's rules: pace, send, tell apart what happened, repeat only what may be repeated."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec
import stamina
import structlog

from connectors.pacing import Lane, Pacer, Reservation
from connectors.ports.access import Standing, StaticToken, TokenSource
from connectors.ports.errors import AccountResting, ConnectorUnavailable, CredentialsRejected, RateLimited
from connectors.shopify.decoding import decode
from connectors.shopify.documents import document, encode
from connectors.shopify.replies import (
    SERVICE,
    Cost,
    Envelope,
    GraphQLError,
    Reply,
    Sent,
    graphql_error,
    server_time,
    status_error,
)

log = structlog.get_logger(__name__)

READ_ATTEMPTS: Final = 6
"""Tries of one read, 1 s to 60 s apart (reference 2.3, HTTP 500 and 502)."""

READ_WINDOW: Final = 120.0
"""Seconds after which no further try of a read begins, so that a read ends within the time a task may take."""

PATIENCE: Final = 60.0
"""Seconds a call may wait for points before it says `RateLimited`, and the longest pause asked for that is kept."""

_TOKEN: Final = re.compile(r"[\x21-\x7e]*")
_VERSION: Final = re.compile(r"\d{4}-\d{2}|unstable")
_NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

Withholds = Callable[[GraphQLError], bool]


def _nothing(error: GraphQLError) -> bool:
    """Every error counts."""
    return False


class ShopifyClient:
    """One shop's Admin API. Safe to share between threads.

    `base_url` is the shop's address without path, already checked (`connectors.http.check_host`). Requests reserve
    their points with `pacer` first. A token that is refused is renewed once and the request repeated, reads and writes:
    HTTP 401 executes nothing. THROTTLED replies are waited out here, with the same bytes, for up to `patience`
    seconds. `read_attempts` bounds the tries of a read. Writes are sent once: whoever stored the bytes repeats them.
    """

    def __init__(
        self,
        base_url: str,
        tokens: str | TokenSource,
        api_version: str,
        *,
        pacer: Pacer,
        http: httpx.Client,
        standing: Standing | None = None,
        read_attempts: int = READ_ATTEMPTS,
        patience: float = PATIENCE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not _VERSION.fullmatch(api_version):
            raise _unsendable()
        if isinstance(tokens, str):
            tokens = StaticToken(_checked(tokens))
        self._url = f"{base_url.rstrip('/')}/admin/api/{api_version}/graphql.json"
        self._tokens = tokens
        self._standing = standing
        self._api_version = api_version
        self._pacer = pacer
        self._http = http
        self._read_attempts = read_attempts
        self._patience = patience
        self._pause = pause
        self._learned: dict[str, float] = {}
        self._told_version = api_version

    def execute(
        self,
        document_name: str,
        variables: dict[str, Any],
        *,
        estimated_cost: float | None = None,
        attempts: int | None = None,
        withholds: Withholds = _nothing,
    ) -> Reply:
        """Run a document that only reads, repeated while the service is unreachable, at most `read_attempts` times,
        or `attempts` where that is less.

        `withholds` says of which errors the rest of the answer can do without: with no others the reply is returned and
        carries them. Raises `ConnectorUnavailable`, `RateLimited`, `CredentialsRejected` or `RequestRejected`.
        """
        source = document(document_name)
        body = encode(document_name, variables)
        cost = source.points if estimated_cost is None else estimated_cost
        sent = Sent(purpose=source.purpose, writes=False)
        for attempt in stamina.retry_context(
            on=_seconds_before_repeat,
            attempts=min(self._read_attempts, attempts or self._read_attempts),
            timeout=READ_WINDOW,
            wait_initial=1.0,
            wait_max=60.0,
        ):
            with attempt:
                return self._exchange(body, sent, cost, Lane.of(source.lane), withholds)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def send_bytes(self, body: bytes, operation: str, cost: float) -> Reply:
        """Send a write's stored bytes, unchanged, once. `operation` says in words what it does.

        Raises `ConnectorUnavailable` or `RateLimited` when certainly not executed, `OutcomeUnknown` when it may have
        been, `CredentialsRejected` or `RequestRejected` when it was refused.
        """
        return self._exchange(body, Sent(purpose=operation, writes=True), cost, Lane.BULK)

    def _exchange(self, body: bytes, sent: Sent, cost: float, lane: Lane, withholds: Withholds = _nothing) -> Reply:
        cost = max(cost, self._learned.get(sent.purpose, 0.0))
        deadline = time.monotonic() + self._patience
        throttled_for = 0.0
        token, renewed = _checked(self._tokens.current()), False
        while True:
            reservation = self._pacer.reserve(cost, lane)
            self._wait_for_points(reservation, max(reservation.wait, throttled_for), deadline, sent)
            response = self._post(body, sent, reservation, token)
            if response.status_code == 401 and not renewed:
                # Refused before anything was executed, so the same bytes may go again with another token.
                self._settle(reservation, charged=0.0, cost=None)
                token, renewed = _checked(self._tokens.renew(token)), True
                if token:
                    continue
                raise status_error(response, sent, response.headers.get("X-Request-ID", ""))
            request_id = response.headers.get("X-Request-ID", "")
            envelope = self._envelope(response, sent, reservation, request_id)
            cost_said = envelope.cost()
            charged = 0.0 if envelope.throttled else cost_said.actual_query_cost if cost_said else None
            self._settle(reservation, charged=charged, cost=cost_said)
            if not envelope.throttled:
                return self._reply(response, envelope, cost_said, sent, request_id, withholds)
            throttled_for = _seconds_until(cost_said)
            log.warning("shopify.throttled", url=self._url, operation=sent.purpose, wait=round(throttled_for, 2))

    def _wait_for_points(self, reservation: Reservation, wait: float, deadline: float, sent: Sent) -> None:
        """Wait until the request may be sent, also where something urgent passes it meanwhile."""
        while wait > 0:
            if time.monotonic() + wait > deadline:
                self._settle(reservation, charged=0.0, cost=None)
                raise sent.no_points(wait)
            self._pause(wait)
            wait = self._pacer.still_to_wait(reservation)

    def _post(self, body: bytes, sent: Sent, reservation: Reservation, token: str) -> httpx.Response:
        headers = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
        try:
            return self._http.post(self._url, content=body, headers=headers)
        except _NOTHING_SENT as exc:
            self._settle(reservation, charged=0.0, cost=None)
            raise sent.not_sent(f"No connection to {httpx.URL(self._url).host} ({_name(exc)}).") from exc
        except httpx.HTTPError as exc:
            self._settle(reservation, charged=None, cost=None)
            raise sent.no_answer(f"The connection ended before Shopify's answer arrived ({_name(exc)}).") from exc

    def _envelope(self, response: httpx.Response, sent: Sent, reservation: Reservation, request_id: str) -> Envelope:
        if response.status_code != 200:
            unexecuted = response.status_code < 500
            self._settle(reservation, charged=0.0 if unexecuted else None, cost=None)
            error = status_error(response, sent, request_id)
            if self._standing is not None and isinstance(error, AccountResting):
                self._standing.rests(error)
            raise error
        try:
            return decode(response.content, Envelope)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            self._settle(reservation, charged=None, cost=None)
            raise sent.no_answer("Shopify's answer cannot be read.", request_id=request_id, status=200) from exc

    def _reply(
        self,
        response: httpx.Response,
        envelope: Envelope,
        cost: Cost | None,
        sent: Sent,
        request_id: str,
        withholds: Withholds,
    ) -> Reply:
        requested = cost.requested_query_cost if cost else 0.0
        self._learned[sent.purpose] = max(self._learned.get(sent.purpose, 0.0), requested)
        version = self._note_version(response, sent)
        if not all(withholds(error) for error in envelope.errors):
            raise graphql_error(envelope, sent, request_id)
        if self._standing is not None:
            self._standing.answered()
        return Reply(
            data=envelope.data,
            sent=sent,
            requested=requested,
            charged=(cost.actual_query_cost or 0.0) if cost else 0.0,
            server_time=server_time(response),
            request_id=request_id,
            api_version=version,
            withheld=envelope.errors,
        )

    def _note_version(self, response: httpx.Response, sent: Sent) -> str:
        """The version that answered. Shopify serves a later one for an expired one without saying so elsewhere."""
        version = str(response.headers.get("X-Shopify-API-Version", self._api_version))
        if version != self._told_version:
            log.warning("shopify.version_differs", url=self._url, asked=self._api_version, answered=version)
            self._told_version = version
        if reason := response.headers.get("X-Shopify-API-Deprecated-Reason"):
            log.warning("shopify.deprecated_use", operation=sent.purpose, reason=reason)
        return version

    def _settle(self, reservation: Reservation, *, charged: float | None, cost: Cost | None) -> None:
        """Tell the pacer. A pacer that fails must not cost the answer: its reservation expires by itself."""
        try:
            self._pacer.settle(reservation, charged=charged, status=cost.bucket if cost else None)
        except ConnectorUnavailable as exc:
            log.warning("shopify.pacer_not_told", url=self._url, cause=exc.cause)


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise _unsendable()
    return token


def _unsendable() -> CredentialsRejected:
    return CredentialsRejected(
        service=SERVICE,
        operation="open the connection",
        cause="The access token or the API version holds characters that none has.",
        remedy="Copy the token again without blanks, and write the version like 2026-10.",
    )


def _seconds_before_repeat(error: Exception) -> bool | float:
    """Whether a read is tried again, and after how long where the service says so."""
    if isinstance(error, RateLimited):
        return error.retry_after if error.status == 429 and error.retry_after <= PATIENCE else False
    return isinstance(error, ConnectorUnavailable)


def _seconds_until(cost: Cost | None) -> float:
    """How long until a throttled request fits: what is missing at the restore rate, plus up to half a second so that
    several waiting workers do not come back together."""
    jitter = random.uniform(0.05, 0.5)  # noqa: S311  spreading load needs no secret
    if cost is None:
        return 1.0 + jitter
    status = cost.bucket
    return max(0.0, cost.requested_query_cost - status.available) / max(status.restore_rate, 1.0) + jitter


def _name(error: Exception) -> str:
    """What went wrong in words, without the system's number of it."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
