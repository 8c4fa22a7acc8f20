"""What a reply of the Admin API carries, and which decision each error of it is (reference 2.3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx
import msgspec

from connectors.http import redact
from connectors.pacing import ThrottleStatus
from connectors.ports.errors import (
    AccountResting,
    ConnectorError,
    ConnectorUnavailable,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
)
from connectors.shopify.decoding import decode

SERVICE: Final = "Shopify"
Shape = TypeVar("Shape")

DEFAULT_RETRY_AFTER: Final = 4.0
"""Seconds to wait after a 429 that names no time."""

_EXECUTED_NOTHING: Final = frozenset(
    {
        "argumentLiteralsIncompatible",
        "argumentNotAccepted",
        "missingRequiredArguments",
        "missingRequiredInputObjectAttribute",
        "undefinedField",
        "BAD_REQUEST",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "INVALID_FIELD_ARGUMENTS",
        "INVALID_VARIABLE",
        "MAX_COST_EXCEEDED",
        "MAX_INPUT_SIZE_EXCEEDED",
        "RESOURCE_NOT_FOUND",
    }
)
"""Codes with which Shopify refuses before doing anything. Any other code on a write leaves its outcome open."""

_ACCOUNT: Final[dict[int, tuple[str, str]]] = {
    401: (
        "Shopify refused the access token (HTTP 401).",
        "Enter a current Admin API access token in the store's settings, then test the connection.",
    ),
    403: (
        "Shopify does not let this app do that (HTTP 403).",
        "Grant the app the scopes that the store's settings list, then test the connection.",
    ),
    404: (
        "There is no shop at this address, or it does not serve this API version (HTTP 404).",
        "Check the shop domain and the API version in the store's settings, then test the connection.",
    ),
}
_RESTS: Final[dict[int, tuple[float, str, str]]] = {
    402: (
        3600.0,
        "The shop is frozen because a Shopify bill is unpaid (HTTP 402).",
        "Settle the bill in the Shopify admin. It is asked again every hour, and the work continues by itself.",
    ),
    423: (
        1800.0,
        "Shopify has locked the shop (HTTP 423).",
        "Open the shop's admin to see why, or ask Shopify's support. It is asked again every 30 minutes.",
    ),
    430: (
        300.0,
        "Shopify turned the request away as suspicious traffic (HTTP 430).",
        "Nothing to do at first: it is asked again every 5 minutes. If it stays, ask Shopify's support.",
    ),
    530: (
        300.0,
        "Shopify's edge does not find the shop (HTTP 530).",
        "Nothing to do: it is asked again every 5 minutes.",
    ),
    540: (
        300.0,
        "Shopify has switched the shop's address off for the moment (HTTP 540).",
        "Nothing to do: it is asked again every 5 minutes.",
    ),
}
"""Statuses that last: seconds until it is worth asking again, cause, remedy (reference 2.3)."""

_RETRYABLE_REFUSALS: Final = frozenset({408, 409})


class GraphQLError(msgspec.Struct):
    """One entry of a reply's `errors`."""

    message: str = ""
    path: list[str | int] | None = None
    extensions: dict[str, Any] = {}

    @property
    def code(self) -> str:
        """The machine-readable code, empty where Shopify gives none."""
        return str(self.extensions.get("code") or "")


class GraphQLRefused(RequestRejected):
    """Refused before anything was executed; `errors` as Shopify gave them."""

    def __init__(self, errors: list[GraphQLError], **facts: Any) -> None:
        super().__init__(**facts)
        self.errors = errors


class _Throttle(msgspec.Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(msgspec.Struct, rename="camel"):
    """`extensions.cost`: admission is decided on requested points, the bucket is charged the actual ones."""

    requested_query_cost: float
    throttle_status: _Throttle
    actual_query_cost: float | None = None

    @property
    def bucket(self) -> ThrottleStatus:
        """The bucket in the pacer's words."""
        status = self.throttle_status
        return ThrottleStatus(
            maximum=status.maximum_available, available=status.currently_available, restore_rate=status.restore_rate
        )


class _Charged(msgspec.Struct):
    cost: Cost


class Envelope(msgspec.Struct):
    """The outer object of a 200 reply; `data` stays undecoded."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[GraphQLError] = []
    extensions: msgspec.Raw = msgspec.Raw(b"null")

    def cost(self) -> Cost | None:
        """What the operation cost; None where the reply does not say it in the documented way. A result is worth more
        than its price, so that never makes a reply unreadable."""
        try:
            return decode(self.extensions, _Charged).cost
        except msgspec.ValidationError:
            return None

    @property
    def throttled(self) -> bool:
        """Turned away for want of points, before execution."""
        return any(error.code == "THROTTLED" for error in self.errors)

    @property
    def touched(self) -> bool:
        """Some root field has a value, so something was executed."""
        if bytes(self.data) == b"null":
            return False
        roots = msgspec.json.decode(self.data)
        return not isinstance(roots, dict) or any(value is not None for value in roots.values())


@dataclass(frozen=True, slots=True)
class Sent:
    """The question a reply belongs to; `writes` decides what no readable answer means."""

    purpose: str
    writes: bool

    def no_answer(self, cause: str, *, request_id: str = "", status: int | None = None) -> ConnectorError:
        """No readable answer came: an unknown outcome for a write, nothing lost for a read."""
        facts: dict[str, Any] = {"service": SERVICE, "operation": self.purpose, "cause": cause}
        facts |= {"request_id": request_id, "status": status}
        if self.writes:
            return OutcomeUnknown(
                remedy="Nothing to do: the same request is sent again under the same key, which cannot apply it twice.",
                **facts,
            )
        return ConnectorUnavailable(remedy="Nothing to do: it is read again at the next run.", **facts)

    def not_sent(self, cause: str) -> ConnectorUnavailable:
        """The connection never opened, so nothing happened."""
        return ConnectorUnavailable(
            service=SERVICE,
            operation=self.purpose,
            cause=cause,
            remedy="Check the shop domain and this machine's network; the work continues by itself afterwards.",
        )

    def no_points(self, seconds: float, *, request_id: str = "") -> RateLimited:
        """The rate limit leaves no room within the time this call may take."""
        return RateLimited(
            service=SERVICE,
            operation=self.purpose,
            cause="Shopify's rate limit for this store is used up.",
            remedy="Nothing to do: the work continues as the limit recovers.",
            retry_after=seconds,
            request_id=request_id,
            status=200,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A 200 reply, without errors but those of fields that the caller can do without (`withheld`).

    `server_time` is the Date header: aware, whole seconds, rounded down, None where a proxy removed it.
    `api_version` is the version that really answered. Points as Shopify reports them, 0 where it says nothing.
    """

    data: msgspec.Raw
    sent: Sent
    requested: float
    charged: float
    server_time: dt.datetime | None
    request_id: str
    api_version: str
    withheld: list[GraphQLError] = field(default_factory=list)

    def read(self, shape: type[Shape]) -> Shape:
        """`data` as `shape`. Another shape than Shopify documents counts as no readable answer."""
        try:
            return decode(self.data, shape)
        except (msgspec.DecodeError, msgspec.ValidationError) as exc:
            raise self.sent.no_answer(
                f"Shopify's answer has another shape than expected ({exc}).", request_id=self.request_id
            ) from exc

    def answered_at(self) -> dt.datetime:
        """The server's time of this answer. Raises `ConnectorUnavailable` without a Date header: our own clock is
        never used instead, since times of reads are compared with times of Shopify's changes."""
        if self.server_time is None:
            raise ConnectorUnavailable(
                service=SERVICE,
                operation=self.sent.purpose,
                cause="The answer carries no Date header, so the time of the read is not known.",
                remedy="Let the proxy between this machine and Shopify pass the Date header on.",
                request_id=self.request_id,
            )
        return self.server_time


def server_time(response: httpx.Response) -> dt.datetime | None:
    """The Date header, aware; None where it is missing or unreadable."""
    try:
        read = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def status_error(response: httpx.Response, sent: Sent, request_id: str) -> ConnectorError:
    """The decision behind an HTTP status other than 200."""
    status = response.status_code
    facts: dict[str, Any] = {"service": SERVICE, "operation": sent.purpose, "request_id": request_id, "status": status}
    if status in _ACCOUNT:
        cause, remedy = _ACCOUNT[status]
        if status == 403:
            cause = f"{cause} It says: {_excerpt(response)}"
        return CredentialsRejected(cause=cause, remedy=remedy, **facts)
    if status in _RESTS and (status < 500 or not sent.writes):
        # A write that met 530 or 540 may have got through the edge; its outcome is settled like any other unknown one.
        seconds, cause, remedy = _RESTS[status]
        return AccountResting(cause=cause, remedy=remedy, retry_after=seconds, **facts)
    if 300 <= status < 400:
        return CredentialsRejected(
            cause=f"The address answers with a redirect to another one (HTTP {status}).",
            remedy="Enter the shop's own domain ending in .myshopify.com, then test the connection.",
            **facts,
        )
    if status == 429:
        return RateLimited(
            cause="Shopify asks for a pause (HTTP 429).",
            remedy="Nothing to do: the work continues after the pause.",
            retry_after=_retry_after(response),
            **facts,
        )
    if (status >= 500 and status != 501) or status in _RETRYABLE_REFUSALS or 200 <= status < 300:
        return sent.no_answer(f"Shopify answered with HTTP {status}.", request_id=request_id, status=status)
    return RequestRejected(
        cause=f"Shopify could not use the request (HTTP {status}): {_excerpt(response)}",
        remedy=_report(request_id),
        **facts,
    )


def graphql_error(envelope: Envelope, sent: Sent, request_id: str) -> ConnectorError:
    """The decision behind the `errors` of a 200 reply that is not THROTTLED."""
    errors = envelope.errors
    codes = {error.code for error in errors}
    said = redact("; ".join(error.message for error in errors)[:400])
    facts: dict[str, Any] = {"service": SERVICE, "operation": sent.purpose, "request_id": request_id, "status": 200}
    if sent.writes and envelope.touched:
        return sent.no_answer(f"Shopify reported a fault after it had begun: {said}", request_id=request_id, status=200)
    if codes == {"ACCESS_DENIED"}:
        return CredentialsRejected(
            cause=f"The app lacks a scope: {said}",
            remedy="Grant the missing scope to the app in Shopify, then test the connection.",
            **facts,
        )
    if "INTERNAL_SERVER_ERROR" not in codes and all(_refused_unexecuted(error) for error in errors):
        return GraphQLRefused(errors, cause=f"Shopify refused the request: {said}", remedy=_report(request_id), **facts)
    return sent.no_answer(f"Shopify reported a fault: {said}", request_id=request_id, status=200)


def _refused_unexecuted(error: GraphQLError) -> bool:
    # By the GraphQL specification an error of execution carries a path; parsing and validation have none.
    return error.code in _EXECUTED_NOTHING or (not error.code and error.path is None)


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return DEFAULT_RETRY_AFTER


def _excerpt(response: httpx.Response) -> str:
    return redact(" ".join(response.text[:300].split())) or "no text"


def _report(request_id: str) -> str:
    reference = f" with the request id {request_id}" if request_id else ""
    return f"This is a fault in Sync Console or a change at Shopify. Report it{reference}."
