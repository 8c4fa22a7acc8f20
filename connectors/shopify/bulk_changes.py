"""Bulk mutations: a file of rows goes up, Shopify carries each out, a file of answers comes back (reference 5).

Rows are carried out in any order, maybe at once: no two may depend on each other or touch the same object. A completed
operation may hold rows that failed, so every answer is looked at (reference trap 40).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any, Final

import msgspec

from connectors.ports.errors import FeatureNotSupported, OutcomeUnknown, RequestRejected
from connectors.shopify.bulk import MUTATION_LIMIT, BulkOperations, Operation, named
from connectors.shopify.bulk_files import upload
from connectors.shopify.bulk_rows import decode
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document, document_of, encode
from connectors.shopify.mutations import SimpleWrite, UserError
from connectors.shopify.replies import SERVICE, Envelope, Sent, graphql_error

MAX_UPLOAD: Final = 100 * 1000 * 1000
"""Bytes of one file. Shopify takes 100 MB and does not say which; the smaller reading is safe under both."""

SLOTS: Final = 5
"""Bulk mutations that may run at a time, for all jobs of the app in one store."""

REMEMBERED: Final = dt.timedelta(days=7)
"""How long an operation can be found again: its answers are kept as long (reference 5)."""

_LABEL: Final = re.compile(r"[A-Za-z0-9]{1,60}")
_UPLOAD: Final = "upload a bulk file"


class LineState(StrEnum):
    """What became of one row."""

    DONE = "done"
    REFUSED = "refused"
    """Certainly not carried out."""
    UNKNOWN = "unknown"
    """No answer for this row: look its effect up, or send it again under its own key."""


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What became of row `index` (0-based, over all files). `payload` is the answer's `data`, undecoded."""

    index: int
    state: LineState
    payload: bytes = b""
    cause: str = ""
    remedy: str = ""


class _Line(Envelope):
    number: int = msgspec.field(name="__lineNumber", default=-1)


class _Parameter(msgspec.Struct):
    name: str
    value: str


class _Target(msgspec.Struct):
    url: str
    parameters: list[_Parameter]


class _Staged(msgspec.Struct, rename="camel"):
    user_errors: list[UserError]
    staged_targets: list[_Target] | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of rows, `first` being the index of its first row."""

    file: IO[bytes]
    number: int
    first: int
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class _Running:
    operation: Operation
    first: int
    rows: int


class BulkChanges:
    """Bulk mutations of one shop."""

    def __init__(self, client: ShopifyClient, bulk: BulkOperations, *, max_upload: int = MAX_UPLOAD) -> None:
        self._client = client
        self._bulk = bulk
        self._max_upload = max_upload

    def run(
        self, name: str, rows: Iterable[dict[str, Any]], *, label: str, limit: float = MUTATION_LIMIT
    ) -> Iterator[LineOutcome]:
        """Carry out the mutation in `queries/<name>.graphql` once for each of `rows` (its variables), and give each
        row's outcome, in no order. Nothing begins before the first outcome is asked for.

        `label` (letters and digits) names the job. Called again with the same label and the same rows, up to seven
        days later, it finds what it started before and does not run it twice, whether the caller crashed or an answer
        was lost. Other rows under a used label raise `RequestRejected`.

        Rows are written to files of at most `max_upload` bytes, one after another; five operations run at a time.
        `limit` bounds the wait for each, in seconds.
        Raises `FeatureNotSupported` for a label or a row that cannot be sent, `OutcomeUnknown` when it is not known
        whether an operation began, `ConnectorUnavailable` when it did not or has not ended in time.
        """
        if not _LABEL.fullmatch(label):
            raise _unfit(f"{label!r} cannot name a bulk operation.", "Name it by 1 to 60 letters and digits.")
        running: deque[_Running] = deque()
        for part in self._parts(rows):
            with closing(part.file):
                if len(running) == SLOTS:
                    yield from self._outcomes(running.popleft(), limit)
                running.append(self._begun(name, part, label))
        while running:
            yield from self._outcomes(running.popleft(), limit)

    def _parts(self, rows: Iterable[dict[str, Any]]) -> Iterator[_Part]:
        """The rows as files; a row is never divided. A file is made when the one before has been taken."""
        file, digest = _new_file()
        number, first, count, size = 0, 0, 0, 0
        for row in rows:
            line = msgspec.json.encode(row) + b"\n"
            if len(line) > self._max_upload:
                raise _unfit(
                    f"Row {first + count} is larger than {self._max_upload} bytes.", "Divide it into several rows."
                )
            if size + len(line) > self._max_upload:
                yield _Part(file, number, first, count, digest.hexdigest())
                file, digest = _new_file()
                number, first, count, size = number + 1, first + count, 0, 0
            file.write(line)
            digest.update(line)
            count, size = count + 1, size + len(line)
        if count:
            yield _Part(file, number, first, count, digest.hexdigest())
        else:
            file.close()

    # --- one file

    def _begun(self, name: str, part: _Part, label: str) -> _Running:
        """The operation of this file: found again, or started."""
        own = f"{label}_{part.number}"
        text = named(document(name).text, f"{own}_{part.digest[:16]}")
        operation = self._earlier(text, f"{document(name).operation_name}_{own}_") or self._started(text, part, own)
        return _Running(operation, part.first, part.rows)

    def _earlier(self, text: str, beginning: str) -> Operation | None:
        for operation in self._bulk.recent("mutation", REMEMBERED):
            if beginning not in operation.query:
                continue
            if operation.query.split() != text.split():
                raise RequestRejected(
                    service=SERVICE,
                    operation="start a bulk change",
                    cause=f"{operation.id} began under the same name with other rows.",
                    remedy="Let it end and read the store again, then plan a new run.",
                )
            return operation
        return None

    def _started(self, text: str, part: _Part, own: str) -> Operation:
        path = self._uploaded(part, f"{own}.jsonl")
        variables = {"mutation": text, "stagedUploadPath": path, "clientIdentifier": f"sync-console-{own}"}
        try:
            return self._bulk.start("bulk_run_mutation", variables)
        except OutcomeUnknown:
            # It may have begun. If the list does not show it, that proves nothing yet, so it is not started again.
            found = self._earlier(text, text.partition("(")[0].split()[1])
            if found is None:
                raise
            return found

    def _uploaded(self, part: _Part, filename: str) -> str:
        """Path of the file in Shopify's storage."""
        body = encode("staged_upload", {"filename": filename})
        source = document_of(body)
        reply = self._client.send_bytes(body, source.purpose, source.points)
        staged = next(iter(reply.read(dict[str, _Staged]).values()))
        if staged.user_errors or not staged.staged_targets:
            raise RequestRejected(
                service=SERVICE,
                operation=_UPLOAD,
                cause=f"Shopify offers no place for the file: {_said(staged.user_errors) or 'it gave no reason'}",
                remedy="Start the run again. If it stays, report it.",
                request_id=reply.request_id,
            )
        target = staged.staged_targets[0]
        parameters = [(parameter.name, parameter.value) for parameter in target.parameters]
        path = dict(parameters).get("key")
        if path is None:
            raise reply.sent.no_answer("Shopify's answer names no path for the file.", request_id=reply.request_id)
        upload(self._bulk.http, target.url, parameters, part.file, filename, allowed_hosts=self._bulk.allowed_hosts)
        return path

    # --- answers

    def _outcomes(self, running: _Running, limit: float) -> Iterator[LineOutcome]:
        """One outcome for each row, of an operation that broke off, too."""
        operation = self._bulk.wait(running.operation, limit=limit)
        completed = operation.status == "COMPLETED"
        url = operation.url if completed else operation.partial_data_url
        answered = bytearray(running.rows)
        if url is not None:
            for line in self._bulk.download(operation, url, partial=not completed).lines():
                answer = decode(line, _Line)
                if 0 <= answer.number < running.rows and not answered[answer.number]:
                    answered[answer.number] = 1
                    yield _outcome(running.first + answer.number, answer)
        for number in range(running.rows):
            if not answered[number]:
                yield _unanswered(running.first + number, operation)


def _outcome(index: int, answer: _Line) -> LineOutcome:
    if answer.errors:
        error = graphql_error(answer, Sent(purpose="change in bulk", writes=True), "")
        state = LineState.UNKNOWN if isinstance(error, OutcomeUnknown) else LineState.REFUSED
        return LineOutcome(index, state, bytes(answer.data), error.cause, error.remedy)
    payloads = decode(bytes(answer.data), dict[str, SimpleWrite | None]) if bytes(answer.data) != b"null" else {}
    written = [payload for payload in payloads.values() if payload is not None]
    if not written:
        return LineOutcome(
            index,
            LineState.UNKNOWN,
            bytes(answer.data),
            "Shopify's answer has no result for this row.",
            "Read the store again to see whether it was carried out.",
        )
    if errors := [error for payload in written for error in payload.user_errors]:
        remedy = "Correct what the message names, then plan again."
        return LineOutcome(index, LineState.REFUSED, bytes(answer.data), f"Shopify refused: {_said(errors)}", remedy)
    return LineOutcome(index, LineState.DONE, bytes(answer.data))


def _unanswered(index: int, operation: Operation) -> LineOutcome:
    return LineOutcome(
        index,
        LineState.UNKNOWN,
        cause=f"{operation.id} ended as {operation.status.lower()} without an answer for this row.",
        remedy="Read the store again to see whether it was carried out.",
    )


def _new_file() -> tuple[IO[bytes], Any]:
    return tempfile.TemporaryFile("w+b"), hashlib.sha256()


def _unfit(cause: str, remedy: str) -> FeatureNotSupported:
    return FeatureNotSupported(service=SERVICE, operation="start a bulk change", cause=cause, remedy=remedy)


def _said(errors: list[UserError]) -> str:
    return "; ".join(dict.fromkeys(error.message for error in errors))[:400]
