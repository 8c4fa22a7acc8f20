"""Bulk operations: the rows, who may start one, and the threads that run them (reference §5)."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock
from sandbox.files import KEPT_SECONDS, Files, Stored, Target

from .bulk_rules import Unfit, mutation_of, query_of
from .bulk_work import Broken, Stopped, run_mutation, run_query
from .documents import Documents
from .replies import Refused

if TYPE_CHECKING:
    from .catalogue import Shop
    from .world import World

AT_ONCE = 5  # of each type, per app and shop
MAX_FILE = 100 * 1024 * 1024
ACTIVE = ("CREATED", "RUNNING", "CANCELING")


class NotStarted(Exception):
    """The operation did not start: code, field and words of its user error."""

    def __init__(self, code: str | None, field_: list[str] | None, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field_, message


@dataclass(eq=False)
class BulkOperation:
    """One bulk operation of one app."""

    number: int
    gid: str
    type: str  # QUERY or MUTATION
    query: str
    app_number: int
    created_at: str
    started: float  # seconds by the sandbox's clock
    base_url: str
    now: Callable[[], float]
    grouped: bool = False
    client_identifier: str | None = None
    state: str = "CREATED"
    completed_at: str | None = None
    error_code: str | None = None
    objects: int = 0
    roots: int = 0
    file: Stored | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    fail_with: str | None = None  # a person wants it to fail with this code

    @property
    def status(self) -> str:
        """The state; a completed one is expired once its result is."""
        expires = None if self.file is None else self.file.expires_at
        if self.state == "COMPLETED" and expires is not None and self.now() >= expires:
            return "EXPIRED"
        return self.state

    @property
    def file_size(self) -> str | None:
        """Bytes of the result, as a text; None without one."""
        return None if self.file is None or self.file.expires_at is None else str(self.file.size)

    @property
    def url(self) -> str | None:
        """Where the whole result is; None while it runs, when nothing matched, or when it failed."""
        return self._address() if self.state == "COMPLETED" else None

    @property
    def partial_data_url(self) -> str | None:
        """Where the part of the result is that was there when it failed."""
        return self._address() if self.state == "FAILED" else None

    def _address(self) -> str | None:
        return None if self.file is None else f"{self.base_url}/files/{self.file.name}"


@dataclass
class Manners:
    """How bulk operations behave, for whoever tries them."""

    rows_per_second: float | None = None  # None = as fast as it goes
    start_delay: float = 0.0  # real seconds in CREATED
    refuse: list[str] = field(default_factory=list)  # codes that the next starts answer


class BulkDesk:
    """All bulk operations of a sandbox."""

    def __init__(self, documents: Documents, files: Files, clock: Clock) -> None:
        self.documents = documents
        self.files = files
        self.clock = clock
        self.manners = Manners()
        self._lock = threading.Lock()
        self._of_shop: dict[str, list[BulkOperation]] = {}
        self._next = 1

    def all_of(self, shop: Shop, app_number: int | None = None) -> list[BulkOperation]:
        """The operations of a shop, or of one app there, oldest first."""
        with self._lock:
            rows = list(self._of_shop.get(shop.domain, ()))
        return [row for row in rows if app_number in (None, row.app_number)]

    def start_query(self, world: World, text: str, *, grouped: bool) -> BulkOperation:
        """Start a bulk query. Raises `NotStarted`."""
        self._refuse_if_told("INVALID")
        try:
            read = query_of(self.documents.schema, text)
        except Unfit as problem:
            raise NotStarted("INVALID", ["query"], f"Invalid bulk query: {problem}") from None
        operation = self._enter(world, "QUERY", text, grouped=grouped)
        self._run(operation, world, lambda: run_query(self, operation, world, *read))
        return operation

    def start_mutation(self, world: World, text: str, path: str, identifier: str | None) -> BulkOperation:
        """Start a bulk mutation over an uploaded file. Raises `NotStarted`."""
        self._refuse_if_told("INVALID_MUTATION")
        if identifier is not None and not 10 <= len(identifier) <= 255:
            told = "Client identifier has to have 10 to 255 characters."
            raise NotStarted(None, ["clientIdentifier"], told)
        try:
            name = mutation_of(self.documents.schema, text)
            inner = self.documents.operation(text, None)
        except Unfit as problem:
            raise NotStarted("INVALID_MUTATION", ["mutation"], f"Invalid bulk mutation: {problem}") from None
        except Refused as problem:
            raise NotStarted("INVALID_MUTATION", ["mutation"], f"Invalid bulk mutation: {problem}") from None
        target = self._input(path)
        operation = self._enter(world, "MUTATION", text, identifier=identifier)
        uploads = target.uploads

        def work() -> None:
            run_mutation(self, operation, world, name, inner, target, uploads)

        self._run(operation, world, work)
        return operation

    def cancel(self, shop: Shop, operation: BulkOperation) -> bool:
        """Ask an operation to end; it does so soon. False when it has ended already."""
        with self._lock:
            if operation.state not in ("CREATED", "RUNNING"):
                return False
            operation.state = "CANCELING"
        operation.stop.set()
        return True

    def forget(self, domain: str) -> None:
        """Drop the operations of a shop that closes; those that run end soon."""
        with self._lock:
            rows = self._of_shop.pop(domain, [])
        for row in rows:
            row.stop.set()

    def _input(self, path: str) -> Target:
        target = self.files.uploaded(path)
        field_ = ["stagedUploadPath"]
        if target is None:
            told = "The JSONL file could not be found. Upload the file again and check the path."
            raise NotStarted("NO_SUCH_FILE", field_, told)
        if target.size > MAX_FILE:
            told = f"The input file has {target.size} bytes, more than the {MAX_FILE} allowed."
            raise NotStarted("INVALID_STAGED_UPLOAD_FILE", field_, told)
        with target.path.open("rb") as file:
            if not file.read(4096).lstrip().startswith(b"{"):
                told = "The input file is not JSONL: its first line is not a JSON object."
                raise NotStarted("INVALID_STAGED_UPLOAD_FILE", field_, told)
        return target

    def _refuse_if_told(self, invalid: str) -> None:
        with self._lock:
            code = self.manners.refuse.pop(0) if self.manners.refuse else None
        if code == "INTERNAL_FILE_SERVER_ERROR" and invalid == "INVALID":
            code = "LIMIT_REACHED"  # a query has no file
        if code is not None:
            raise NotStarted(code, None, f"The bulk operation did not start: {code}. Try again later.")

    def _enter(
        self, world: World, kind: str, text: str, *, grouped: bool = False, identifier: str | None = None
    ) -> BulkOperation:
        shop, clock = world.shop, world.clock
        with self._lock:
            rows = self._of_shop.setdefault(shop.domain, [])
            mine = [row for row in rows if row.app_number == world.app_number and row.type == kind]
            running = [row.gid for row in mine if row.state in ACTIVE]
            if len(running) >= AT_ONCE:
                told = f"A bulk {kind.lower()} operation for this app and shop is already in progress: {', '.join(running)}."
                raise NotStarted("OPERATION_IN_PROGRESS", None, told)
            number = shop.id_base + 700_000_000 + self._next
            self._next += 1
            gid = f"gid://shopify/BulkOperation/{number}"
            row = BulkOperation(
                number, gid, kind, text, world.app_number, clock.stamp(), clock.seconds(), world.base_url, clock.seconds
            )
            row.grouped, row.client_identifier = grouped, identifier
            rows.append(row)
        shop.by_gid[gid] = row
        return row

    def _run(self, operation: BulkOperation, world: World, work: Callable[[], None]) -> None:
        threading.Thread(target=self._whole, args=(operation, world, work), daemon=True).start()

    def _whole(self, operation: BulkOperation, world: World, work: Callable[[], None]) -> None:
        """The life of one operation, in its own thread."""
        state, code = "COMPLETED", None
        try:
            operation.stop.wait(self.manners.start_delay)
            with self._lock:
                if operation.state == "CREATED":
                    operation.state = "RUNNING"
            work()
        except Stopped as stopped:
            state, code = ("FAILED", stopped.code) if stopped.code else ("CANCELED", None)
        except Broken as broken:
            state, code = "FAILED", broken.code
        except Exception:  # noqa: BLE001 - a fault of the simulator itself: told on stderr, and the operation fails
            traceback.print_exc(file=sys.stderr)
            state, code = "FAILED", "INTERNAL_SERVER_ERROR"
        with self._lock:
            if state == "COMPLETED" and operation.state == "CANCELING":
                state = "CANCELED"
        if operation.file is not None:
            operation.file.expires_at = self.clock.seconds() + KEPT_SECONDS
        operation.completed_at, operation.error_code = self.clock.stamp(), code
        operation.state = state
        with world.shop.lock:
            world.shop.happened("bulk_operations/finish", operation)
        operation.ended.set()


def payload(shop: Any, operation: BulkOperation) -> dict[str, Any]:
    """``bulk_operations/finish`` as a webhook tells it."""
    return {
        "admin_graphql_api_id": operation.gid,
        "completed_at": operation.completed_at,
        "created_at": operation.created_at,
        "error_code": None if operation.error_code is None else operation.error_code.lower(),
        "status": operation.status.lower(),
        "type": operation.type.lower(),
    }
