"""The way from the adapter to the sandbox, without a network: the same bytes, the same faults, and what happens meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx

from connectors.ports.orders import ChangesPage
from connectors.shopify.adapter import ShopifyStore
from sandbox.app import ConnectionDropped, Sandbox
from sandbox.wire import Request
from tests.deaths import Death


class Wire(httpx.BaseTransport):
    """Carries requests to the sandbox. `meanwhile` is called before each of them, `watch` with what executes it; `death`
    may end the worker on either side of it."""

    def __init__(
        self, sandbox: Sandbox, meanwhile: Callable[[], None], watch: Callable[[bytes, Callable[[], Any]], Any]
    ):
        self._sandbox, self._meanwhile, self._watch = sandbox, meanwhile, watch
        self.death: Death | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._meanwhile()
        if self.death:
            self.death.boundary()
        body = request.read()
        asked = Request(request.method, request.url.path, {}, dict(request.headers), body)
        try:
            reply = self._watch(body, lambda: self._sandbox.answer(asked))
        except ConnectionDropped as dropped:
            raise httpx.RemoteProtocolError("The connection was closed.", request=request) from dropped
        if self.death:
            self.death.boundary()
        headers = [("Content-Type", reply.content_type), *reply.headers]
        return httpx.Response(reply.status, headers=headers, content=reply.body)


class TrailingStore(ShopifyStore):
    """A shop whose list of changed orders is some seconds late, as a search index is; what is read by id is not.

    `changes`: reference of an order → the moments at which it changed, oldest first.
    """

    changes: Callable[[str], list[dt.datetime]]
    lag = dt.timedelta(0)

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        for page in super().iter_changed_orders(since, until=until):
            limit = page.read_at - self.lag
            seen = []
            for order in page.orders:
                known = [moment for moment in self.changes(order.ref) if moment <= limit]
                if known and (since is None or known[-1] >= since):
                    seen.append(replace(order, updated_at=known[-1]))
            yield replace(page, orders=tuple(seen))
