"""The Admin API's endpoint: token, version, document, cost, throttle, execution, answer (reference §1–2)."""

from __future__ import annotations

import hashlib
import json
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.calls import Call, CallLog
from sandbox.clock import Clock
from sandbox.faults import STATUS_KINDS, Faults, Rule
from sandbox.files import Files
from sandbox.wire import ConnectionDropped, Reply, Request, json_reply

from .access import STABLE_VERSION, Token, version_in_use
from .apps import app_of
from .bucket import PLANS, Bucket
from .bulk import BulkDesk
from .catalogue import Shop
from .cost import MAX_SINGLE_OPERATION
from .documents import Operation
from .execution import Run
from .grant import TOKEN_SECONDS, GrantRefused, grant
from .idempotency import Memory
from .plan import Plan
from .replies import Refused, error, too_expensive
from .resolvers import documents
from .stale import as_of
from .world import World

GRANT_OPERATION = "access_token"  # how the call log and the faults name the grant
NO_TOKEN = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
_STATUS_BODIES: dict[int, Any] = {
    400: {"errors": {"query": "Required parameter missing or invalid"}},
    401: NO_TOKEN,
    402: {"errors": "This shop's plan does not have access to this feature, or the shop is frozen. Unavailable Shop"},
    403: {"errors": "[API] This action requires merchant approval for the required scope."},
    404: {"errors": "Not Found"},
    406: {"errors": "Not Acceptable"},
    409: {"errors": "Conflict: the resource is being changed by another request"},
    414: {"errors": "URI Too Long"},
    415: {"errors": "Unsupported Media Type"},
    422: {"errors": "Unprocessable Entity"},
    423: {"errors": "Locked: this shop is unavailable"},
    429: {
        "errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
    },
    430: {"errors": "Security Rejection"},
    500: {"errors": "Internal Server Error"},
    501: {"errors": "Not Implemented"},
    502: {"errors": "Bad Gateway"},
    504: {"errors": "Gateway Timeout"},
    530: {"errors": "Origin DNS Error"},
    540: {"errors": "Temporarily Disabled"},
}


@dataclass
class _Asked:
    """The parts of a request body."""

    text: str
    variables: dict[str, Any]
    operation_name: str | None


class AdminApi:
    """All shops' Admin APIs: they share schema, clock, faults and call log."""

    def __init__(
        self, clock: Clock, faults: Faults, calls: CallLog, sleep: Callable[[float], None], files: Files
    ) -> None:
        self.clock = clock
        self.shops: dict[str, Shop] = {}
        self.tokens: dict[str, Token] = {}
        self._documents = documents()
        self.bulk = BulkDesk(self._documents, files, clock)
        self._faults = faults
        self._calls = calls
        self._sleep = sleep
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._memories: dict[tuple[str, int], Memory] = {}

    def bucket(self, shop: Shop, app_number: int) -> Bucket:
        """The bucket of one app at one shop, full when first asked for."""
        key = (shop.domain, app_number)
        return self._buckets.get(key) or self._buckets.setdefault(key, Bucket(PLANS[shop.plan]))

    def memory(self, shop: Shop, app_number: int) -> Memory:
        """The idempotency keys of one app at one shop."""
        key = (shop.domain, app_number)
        return self._memories.get(key) or self._memories.setdefault(key, Memory(self.clock.seconds))

    def forget(self, domain: str) -> None:
        """Drop a shop with its tokens, buckets and keys."""
        self.shops.pop(domain, None)
        self.bulk.forget(domain)
        self.tokens = {text: token for text, token in self.tokens.items() if token.shop_domain != domain}
        for kept in (self._buckets, self._memories):
            for key in [key for key in kept if key[0] == domain]:
                del kept[key]

    def answer(self, request: Request, domain: str, version: str) -> Reply:
        """Answer one request. Raises `ConnectionDropped` when a fault wants the connection closed instead."""
        started = time.perf_counter()
        call = Call(self._calls.next_seq(), self.clock.stamp(), domain, None, "", 0)
        call.body_sha256 = hashlib.sha256(request.body).hexdigest()
        call.body_bytes = len(request.body)
        try:
            reply = self._answer(request, domain, version, call)
            call.status = reply.status
            return reply
        except ConnectionDropped:
            call.status = 0
            raise
        except Exception:  # noqa: BLE001 - a fault of the simulator itself: told on stderr, answered as a server error
            traceback.print_exc(file=sys.stderr)
            call.status = 500
            return self._reply(500, {"errors": "Internal Server Error"}, version)
        finally:
            call.milliseconds = round((time.perf_counter() - started) * 1000, 3)
            self._calls.add(call)

    def _answer(self, request: Request, domain: str, asked_version: str, call: Call) -> Reply:
        version = version_in_use(asked_version)
        shop = self.shops.get(domain)
        if shop is None or version is None:
            return self._reply(404, {"errors": "Not Found"}, STABLE_VERSION)
        token = self._token(request, domain)
        if token is None:
            return self._reply(401, NO_TOKEN, version)
        return self._answer_app(request, shop, token, version, call)

    def _answer_app(self, request: Request, shop: Shop, token: Token, version: str, call: Call) -> Reply:
        """Answer an app that may ask."""
        if request.method != "POST":
            return self._reply(404, {"errors": "Not Found"}, version)
        asked = _read_body(request.body)
        if asked is None:
            return self._reply(400, {"errors": {"query": "Required parameter missing or invalid"}}, version)
        call.operation = asked.operation_name
        operation = self._read(asked)
        call.operation = asked.operation_name if isinstance(operation, Refused) else operation.name
        rule = self._faults.strike(shop.domain, call.operation)
        if rule is not None and rule.kind == "token_expiry":
            call.fault = rule.kind
            token.expires_at = self.clock.seconds()
            return self._reply(401, NO_TOKEN, version)
        struck = self._strike(rule, call, version)
        if struck is not None:
            return struck
        if isinstance(operation, Refused):
            return self._refuse(operation, call, version)
        try:
            content = self._run(operation, asked, shop, token, rule, call, request.base_url)
        except Refused as refused:
            return self._refuse(refused, call, version)
        if "data" not in content:  # throttled: nothing was executed, no effect whose answer could be lost
            return self._reply(200, content, version)
        reply = self._finish(rule, content, version)
        if operation.deprecated:
            reply.headers.append(("X-Shopify-API-Deprecated-Reason", operation.deprecated))
        return reply

    def _token(self, request: Request, domain: str) -> Token | None:
        """The token of a request, if it opens this shop now."""
        token = self.tokens.get(request.headers.get("x-shopify-access-token", ""))
        opens = token is not None and token.shop_domain == domain and token.works(self.clock.seconds())
        return token if opens else None

    def _read(self, asked: _Asked) -> Operation | Refused:
        """The operation of a request, or why there is none: faults strike before a refusal is told."""
        try:
            return self._documents.operation(asked.text, asked.operation_name)
        except Refused as refused:
            return refused

    def _run(
        self,
        operation: Operation,
        asked: _Asked,
        shop: Shop,
        token: Token,
        rule: Rule | None,
        call: Call,
        base_url: str,
    ) -> dict[str, Any]:
        variables = operation.variables(asked.variables)
        plan = operation.plan(variables)
        world = World(
            shop,
            PLANS[shop.plan],
            self.clock,
            self.memory(shop, token.app_number),
            token.scopes,
            token.app_number,
            self.bulk,
        )
        world.base_url, world.withheld = base_url, app_of(shop, token.app_number).withheld
        if rule is not None and rule.kind == "slow":
            if plan.is_mutation:  # inside: the key is claimed, the effect is not made
                world.pause = lambda: self._sleep(rule.delay_ms / 1000)
            else:
                self._sleep(rule.delay_ms / 1000)
        run = Run(world, token.effective_scopes(), variables)
        plan.fill(run)
        requested = plan.requested(run)
        call.kind = "mutation" if plan.is_mutation else "query"
        call.requested = requested
        call.keys = tuple(run.keys.values())
        if requested > MAX_SINGLE_OPERATION:
            raise too_expensive(requested, MAX_SINGLE_OPERATION)
        bucket = self.bucket(shop, token.app_number)
        if rule is not None and rule.kind == "throttle":
            return _throttled(requested, bucket, call)
        if not bucket.take(requested):
            return _throttled(requested, bucket, call)
        actual = requested
        try:
            data = self._execute(plan, run, shop, rule)
            actual = plan.actual(data, run)
        finally:
            bucket.give_back(requested - actual)
        call.actual, call.rows, call.replayed = actual, world.rows, world.replayed
        call.codes = _codes(data, run) if plan.is_mutation or run.errors else ()
        content: dict[str, Any] = {"data": data}
        if run.errors:
            content["errors"] = run.errors
        content["extensions"] = {"cost": _cost(requested, actual, bucket)}
        if world.searches:
            content["extensions"]["search"] = world.searches
        return content

    def _execute(self, plan: Plan, run: Run, shop: Shop, rule: Rule | None) -> dict[str, Any] | None:
        if plan.is_mutation:  # a mutation locks for itself: while a fault holds it back, others go on
            return plan.execute(run)
        with shop.lock:
            if rule is not None and rule.kind == "stale_read":
                with as_of(rule.kept.get(shop.domain, [])):
                    return plan.execute(run)
            return plan.execute(run)

    def grant(self, request: Request, domain: str) -> Reply:
        """Answer ``POST /admin/oauth/access_token``. Raises `ConnectionDropped` when a fault wants that."""
        call = Call(self._calls.next_seq(), self.clock.stamp(), domain, GRANT_OPERATION, "grant", 0)
        try:
            reply = self._grant(request, domain, call)
            call.status = reply.status
            return reply
        finally:
            self._calls.add(call)

    def _grant(self, request: Request, domain: str, call: Call) -> Reply:
        shop = self.shops.get(domain)
        if shop is None or request.method != "POST":
            return self._reply(404, {"errors": "Not Found"}, STABLE_VERSION)
        rule = self._faults.strike(domain, GRANT_OPERATION)
        struck = self._strike(rule, call, STABLE_VERSION)
        if struck is not None:
            return struck
        try:
            token = grant(shop, request, self.clock.seconds())
        except GrantRefused as refused:
            call.codes = (str(refused.content["error"]),)
            return self._reply(refused.status, refused.content, STABLE_VERSION)
        self.tokens[token.text] = token
        content = {"access_token": token.text, "scope": ",".join(token.scopes), "expires_in": TOKEN_SECONDS}
        return self._finish(rule, content, STABLE_VERSION)

    # ── faults ──

    def _strike(self, rule: Rule | None, call: Call, version: str) -> Reply | None:
        """What a fault does before execution: nothing (None), an answer in its place, or no answer at all."""
        if rule is None:
            return None
        call.fault = rule.kind
        if rule.delay_ms and rule.kind != "slow":
            self._sleep(rule.delay_ms / 1000)
        if rule.kind == "drop_before":
            raise ConnectionDropped("fault: the connection is closed before execution")
        if rule.kind in STATUS_KINDS and rule.when == "before":
            return self._status(rule, version)
        if rule.kind == "internal_error" and rule.when == "before":
            return self._reply(200, _internal_error(), version)
        return None

    def _finish(self, rule: Rule | None, content: dict[str, Any], version: str) -> Reply:
        """What a fault does after the effect is committed."""
        if rule is not None:
            if rule.kind == "lost_reply":
                raise ConnectionDropped("fault: the effect is committed, the answer is lost")
            if rule.kind in STATUS_KINDS:
                return self._status(rule, version)
            if rule.kind == "internal_error":
                return self._reply(200, _internal_error(), version)
        return self._reply(200, content, version)

    def _status(self, rule: Rule, version: str) -> Reply:
        status = STATUS_KINDS[rule.kind]
        reply = self._reply(status, _STATUS_BODIES.get(status, {"errors": "Service unavailable"}), version)
        if status == 429:
            reply.headers.append(("Retry-After", rule.retry_after))
        return reply

    # ── answers ──

    def _refuse(self, refused: Refused, call: Call, version: str) -> Reply:
        call.codes = tuple(str(e["extensions"]["code"]) for e in refused.errors if "extensions" in e)
        return self._reply(200, {"errors": refused.errors}, version)

    def _reply(self, status: int, content: Any, version: str) -> Reply:
        headers = [
            ("X-Shopify-API-Version", version),
            ("X-Request-Id", str(uuid.uuid4())),
            ("Date", self.clock.http_date()),
        ]
        return json_reply(status, content, headers)


def _read_body(body: bytes) -> _Asked | None:
    try:
        read = json.loads(body)
    except ValueError:
        return None
    if not isinstance(read, dict) or not isinstance(read.get("query"), str):
        return None
    variables = read.get("variables") or {}
    if not isinstance(variables, dict):
        return None
    return _Asked(read["query"], variables, read.get("operationName") or None)


def _cost(requested: int, actual: int | None, bucket: Bucket) -> dict[str, Any]:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": bucket.status()}


def _throttled(requested: int, bucket: Bucket, call: Call) -> dict[str, Any]:
    call.codes = ("THROTTLED",)
    documentation = "https://shopify.dev/api/usage/rate-limits"
    return {
        "errors": [error("Throttled", "THROTTLED", documentation=documentation)],
        "extensions": {"cost": _cost(requested, None, bucket)},
    }


def _internal_error() -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    message = (
        "Internal error. Looks like something went wrong on our end.\n"
        f"Request ID: {request_id} (include this in support requests)."
    )
    return {"errors": [error(message, "INTERNAL_SERVER_ERROR", requestId=request_id)]}


def _codes(data: dict[str, Any] | None, run: Run) -> tuple[str, ...]:
    """The distinct error codes of an answer, for the call log."""
    found = [str(e["extensions"]["code"]) for e in run.errors]
    for payload in (data or {}).values():
        if isinstance(payload, dict):
            found.extend(str(e.get("code") or "USER_ERROR") for e in payload.get("userErrors") or ())
    return tuple(dict.fromkeys(found))
