"""Bulk operations: Shopify does the work on its side and hands over a file (reference 5)."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NoReturn

import httpx
import msgspec

from connectors.ports.errors import (
    ConnectorError,
    ConnectorUnavailable,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    ResultLost,
)
from connectors.shopify.bulk_files import Download
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document, document_of, encode
from connectors.shopify.mapping import PageInfo
from connectors.shopify.mutations import UserError
from connectors.shopify.replies import SERVICE

FIRST_POLL: Final = 2.0
LAST_POLL: Final = 30.0
"""Seconds between two looks at an operation, growing by half each time (reference 5, progress)."""

QUERY_LIMIT: Final = 3600.0
"""Seconds a query is waited for. It goes on in Shopify afterwards, and the next run takes it over."""

MUTATION_LIMIT: Final = 24 * 3600.0
"""Seconds after which Shopify itself ends a bulk mutation."""

SLOT_LIMIT: Final = 900.0
"""Seconds a start waits for one of the five slots that all jobs of the app share."""

ADOPTABLE: Final = dt.timedelta(hours=1)
"""How long after its start an operation of the same query is taken over instead of starting another."""

_NO_SLOT: Final = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
_AGAIN: Final = frozenset({"INTERNAL_FILE_SERVER_ERROR"})
_UNDER_WAY: Final = frozenset({"CREATED", "RUNNING", "CANCELING"})
_NAME: Final = re.compile(r"\b(query|mutation)\s+(\w+)")
_WORK: Final = "run a bulk operation"
_ASKED_AGAIN: Final = "It is asked for again next time."


class Operation(msgspec.Struct, rename="camel"):
    """One bulk operation as Shopify tells of it. Counts are strings there (UnsignedInt64)."""

    id: str
    status: str
    created_at: dt.datetime
    type: str = ""
    query: str = ""
    error_code: str | None = None
    object_count: str = "0"
    file_size: str | None = None
    url: str | None = None
    partial_data_url: str | None = None

    @property
    def under_way(self) -> bool:
        """Not ended yet."""
        return self.status in _UNDER_WAY


class _Found(msgspec.Struct, rename="camel"):
    bulk_operation: Operation | None = None


class _Page(msgspec.Struct, rename="camel"):
    page_info: PageInfo
    nodes: list[Operation]


class _Listed(msgspec.Struct, rename="camel"):
    bulk_operations: _Page


class _Started(msgspec.Struct, rename="camel"):
    user_errors: list[UserError]
    bulk_operation: Operation | None = None


class BulkOperations:
    """The bulk operations of one shop.

    `http` fetches the files, from https hosts and from `allowed_hosts`. `pause` and `clock` (seconds, only ever
    compared with itself) are the time in which it waits.
    """

    def __init__(
        self,
        client: ShopifyClient,
        http: httpx.Client,
        *,
        allowed_hosts: Collection[str] = (),
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self.http = http
        self.allowed_hosts = allowed_hosts
        self.pause = pause
        self.clock = clock

    # --- queries

    def lines(self, name: str, *, label: str = "", limit: float = QUERY_LIMIT) -> Iterator[bytes]:
        """The result of a query, line by line as Shopify wrote it; nothing when nothing matched.

        `limit` bounds the wait in seconds. Raises as `begun` and `result` do, and `ConnectorUnavailable` when it is
        not ready in time.
        """
        yield from self.result(self.wait(self.begun(name, label=label), limit=limit))

    def begun(self, name: str, *, label: str = "", slot_limit: float = SLOT_LIMIT) -> Operation:
        """The operation of the query in `queries/<name>.graphql`: taken over, or started.

        One of the same query that began within the last hour is taken over: while it is under way whoever began it,
        so that there are never two of ours; when it has ended only under the `label` of the caller's job, since its
        rows are as old as it is. So a job that died finds its own operation again.

        Raises `RateLimited` when no slot became free in `slot_limit` seconds, `RequestRejected` when the query is
        refused.
        """
        return self.begun_text(document(name).text, label=label, slot_limit=slot_limit)

    def begun_text(self, text: str, *, label: str = "", slot_limit: float = SLOT_LIMIT) -> Operation:
        """As `begun`, for a query whose text was made: a bulk query takes no variables."""
        text = named(text, label)
        return self._adopted(text, ended=bool(label)) or self._start_query(text, slot_limit)

    def result(self, operation: Operation) -> Iterator[bytes]:
        """The lines of an operation that has ended, from the beginning.

        Raises `ResultLost` (cancelled, failed, or forgotten by now), `ConnectorUnavailable` when the file cannot be
        read to its end, `CredentialsRejected` without the scope.
        """
        if operation.status != "COMPLETED":
            raise _ended_badly(operation)
        if operation.url is None:
            if int(operation.object_count):
                raise _lost("The result of the bulk operation has expired.")
            return
        yield from self.download(operation, operation.url, partial=False).lines()

    def _adopted(self, text: str, *, ended: bool) -> Operation | None:
        for operation in self.recent("query", ADOPTABLE):
            if operation.status in {"CREATED", "RUNNING"} and _same(_unnamed(operation.query), _unnamed(text)):
                return operation
            if ended and operation.status == "COMPLETED" and _same(operation.query, text):
                return operation
        return None

    def _start_query(self, text: str, slot_limit: float) -> Operation:
        question = {"query": text}
        try:
            return self.start("bulk_run_query", question, slot_limit=slot_limit)
        except OutcomeUnknown:
            # Whether it began shows in the list. If not, starting another costs ten points and changes nothing.
            found = self._adopted(text, ended=True)
            return found or self.start("bulk_run_query", question, slot_limit=slot_limit)

    # --- operations

    def start(self, name: str, variables: dict[str, Any], *, slot_limit: float = SLOT_LIMIT) -> Operation:
        """Start an operation, waiting up to `slot_limit` seconds for a free slot.

        Raises `RateLimited` when none became free, `RequestRejected` when it is refused, `OutcomeUnknown` when the
        answer was lost.
        """
        body = encode(name, variables)
        source = document_of(body)
        deadline, between = self.clock() + slot_limit, FIRST_POLL
        while True:
            reply = self._client.send_bytes(body, source.purpose, source.points)
            started = next(iter(reply.read(dict[str, _Started]).values()))
            if started.bulk_operation is not None and not started.user_errors:
                return started.bulk_operation
            codes = {error.code for error in started.user_errors}
            if not codes & (_NO_SLOT | _AGAIN):
                _refuse(source.purpose, started.user_errors, reply.request_id)
            if self.clock() + between > deadline:
                raise RateLimited(
                    service=SERVICE,
                    operation=source.purpose,
                    cause=f"All bulk slots of this store stay taken: {_said(started.user_errors)}",
                    remedy="Nothing to do: it is tried again at the next run. Bulk operations of other jobs of this "
                    "app have to end first.",
                    retry_after=LAST_POLL,
                    request_id=reply.request_id,
                )
            self.pause(between)
            between = min(LAST_POLL, between * 1.5)

    def wait(self, operation: Operation, *, limit: float) -> Operation:
        """The operation when it has ended, however it did. Raises `ConnectorUnavailable` after `limit` seconds."""
        operation = self.watched(operation.id, limit=limit)
        if operation.under_way:
            raise _unavailable(
                f"Shopify has worked on {operation.id} for {limit:.0f} s and has not ended it; "
                f"{operation.object_count} objects are done.",
                "Nothing to do: it goes on in Shopify, and the next run takes it over.",
            )
        return operation

    def watched(self, operation_id: str, *, limit: float) -> Operation:
        """The operation as soon as it has ended, or as it stands after `limit` seconds."""
        deadline, between = self.clock() + limit, FIRST_POLL
        while True:
            operation = self.get(operation_id)
            if not operation.under_way or self.clock() + between > deadline:
                return operation
            self.pause(between)
            between = min(LAST_POLL, between * 1.5)

    def get(self, operation_id: str) -> Operation:
        """How one operation is doing (1 point). Raises `ResultLost` when Shopify has forgotten it."""
        found = self._client.execute("bulk_operation", {"id": operation_id}).read(_Found).bulk_operation
        if found is None:
            raise _lost(f"Shopify does not know {operation_id} any more.")
        return found

    def recent(self, kind: str, since: dt.timedelta) -> Iterator[Operation]:
        """This app's operations of a `kind` (query, mutation) that began within `since` by Shopify's clock, newest
        first. What the search gives beyond that is left out here (reference trap 22)."""
        after: str | None = None
        while True:
            reply = self._client.execute("bulk_operations", {"query": f"operation_type:{kind}", "after": after})
            page = reply.read(_Listed).bulk_operations
            oldest = reply.answered_at() - since
            for operation in page.nodes:
                if operation.created_at < oldest:
                    return
                if operation.type == kind.upper():
                    yield operation
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    def cancel(self, operation_id: str) -> None:
        """Ask for the end of an operation. What is done stays done. Raises `RequestRejected` when it is refused, for
        example because it has ended."""
        body = encode("bulk_cancel", {"id": operation_id})
        source = document_of(body)
        reply = self._client.send_bytes(body, source.purpose, source.points)
        errors = next(iter(reply.read(dict[str, _Started]).values())).user_errors
        if errors:
            _refuse(source.purpose, errors, reply.request_id)

    def download(self, operation: Operation, url: str, *, partial: bool) -> Download:
        """The file of an ended operation: its result, or what a broken one left (`partial`)."""

        def renewed() -> str:
            asked = self.get(operation.id)
            fresh = asked.partial_data_url if partial else asked.url
            if not fresh:
                raise _lost("The result of the bulk operation has expired.")
            return fresh

        return Download(
            self.http,
            url,
            renew=renewed,
            size=int(operation.file_size) if operation.file_size and not partial else None,
            allowed_hosts=self.allowed_hosts,
            pause=self.pause,
        )


def named(text: str, label: str) -> str:
    """`text` with `label` in its operation name, which is what an operation can be found by afterwards."""
    return _NAME.sub(lambda found: f"{found[1]} {found[2]}_{label}", text, count=1) if label else text


def _unnamed(text: str) -> str:
    return _NAME.sub(r"\1", text, count=1)


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()


def _ended_badly(operation: Operation) -> ConnectorError:
    """Why an operation gave no complete result. A partial one is never taken for the whole."""
    if operation.error_code == "ACCESS_DENIED":
        return CredentialsRejected(
            service=SERVICE,
            operation=_WORK,
            cause="The app lacks a scope that the bulk operation needs.",
            remedy="Grant the app the scopes that the store's settings list, then test the connection.",
        )
    if operation.status == "CANCELED":
        return _lost("The bulk operation was cancelled in Shopify.", "Start the run again when it suits.")
    if operation.status == "EXPIRED":
        return _lost("The result of the bulk operation has expired.")
    why = {"TIMEOUT": "it took too long", "INTERNAL_SERVER_ERROR": "Shopify had a fault of its own"}
    reason = why.get(operation.error_code or "", operation.error_code or "it gave no reason")
    return _lost(
        f"Shopify did not finish {operation.id}: {reason}.",
        "Nothing to do: it is started again at the next run. If it stays, ask Shopify's support with this id.",
    )


def _refuse(purpose: str, errors: list[UserError], request_id: str) -> NoReturn:
    raise RequestRejected(
        service=SERVICE,
        operation=purpose,
        cause=f"Shopify refused: {_said(errors) or 'it gave no reason.'}",
        remedy="Look at the bulk operation in Shopify. If it has not ended, report this.",
        request_id=request_id,
    )


def _said(errors: list[UserError]) -> str:
    return "; ".join(dict.fromkeys(error.message for error in errors))[:400]


def _lost(cause: str, remedy: str = _ASKED_AGAIN) -> ResultLost:
    return ResultLost(service=SERVICE, operation=_WORK, cause=cause, remedy=remedy)


def _unavailable(cause: str, remedy: str) -> ConnectorUnavailable:
    return ConnectorUnavailable(service=SERVICE, operation=_WORK, cause=cause, remedy=remedy)
