"""The sandbox as one object: its state, and the WSGI application that answers for it."""

from __future__ import annotations

import contextlib
import gc
import re
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from . import control, page
from .calls import CallLog
from .clock import Clock, days_before
from .faults import Faults
from .files import Files
from .shopify.access import Token, default_token
from .shopify.admin import AdminApi
from .shopify.apps import app_of
from .shopify.bucket import PLANS
from .shopify.catalogue import Shop
from .shopify.orders_shelf import OrderBook
from .shopify.seed import DEFAULT_LOCATIONS, Seeded, seed_from_csv, seed_synthetic
from .webhooks import Webhooks
from .wire import MAX_BODY, ConnectionDropped, Reply, Request, json_reply

_ADMIN = re.compile(r"^/shops/([a-z0-9][a-z0-9.-]*)/admin/api/([\w-]+)/graphql\.json$")
_GRANT = re.compile(r"^/shops/([a-z0-9][a-z0-9.-]*)/admin/oauth/access_token$")
_DOMAIN = re.compile(r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$")


class Sandbox:
    """All simulated shops with their clock, faults and call log.

    `wsgi` is the application. In-process use: ``httpx.WSGITransport(app=sandbox.wsgi)``; over HTTP: `sandbox.server.running`.
    """

    def __init__(
        self,
        plan: str = "standard",
        sleep: Callable[[float], None] = time.sleep,
        after_seeding: Callable[[], None] = lambda: None,
        webhook_hosts: Iterable[str] = (),
    ) -> None:
        if plan not in PLANS:
            raise ValueError(f"There is no plan {plan!r}. Use one of: {', '.join(PLANS)}.")
        self.plan = plan
        self.clock = Clock()
        self.faults = Faults()
        self.calls = CallLog()
        self.webhooks = Webhooks(self.clock, self.faults)
        self._webhook_hosts = frozenset(host.lower() for host in webhook_hosts)
        self.files = Files(self.clock)
        self.admin = AdminApi(self.clock, self.faults, self.calls, sleep, self.files)
        self.orders = OrderBook()
        self._shops_made = 0
        self._after_seeding = after_seeding

    @property
    def shops(self) -> dict[str, Shop]:
        """Shops by domain."""
        return self.admin.shops

    def add_shop(
        self,
        name: str,
        csv_text: str | None = None,
        *,
        plan: str | None = None,
        locations: Iterable[str] = DEFAULT_LOCATIONS,
        token: str | None = None,
    ) -> tuple[Shop, Seeded]:
        """Open a shop, filled from a product CSV if one is given.

        `name` is ``bucovina-ro`` or ``bucovina-ro.myshopify.com``. Quantities of the file go to the first location. Everything is
        dated one day back. Raises ValueError when the name can't be a shop's or is taken, or the plan is unknown.
        """
        domain = domain_of(name)
        if domain in self.shops:
            raise ValueError(f"The shop {domain} exists already.")
        if (plan or self.plan) not in PLANS:
            raise ValueError(f"There is no plan {plan!r}. Use one of: {', '.join(PLANS)}.")
        self._shops_made += 1
        shop = Shop(domain, domain.partition(".")[0], self._shops_made, plan or self.plan)
        stamp = self.seed_stamp()
        for place in locations:
            shop.add_location(place, stamp)
        told = Seeded()
        if csv_text is not None:
            with collection_paused():
                told = seed_from_csv(shop, csv_text, stamp)
            self._after_seeding()
        text = token or default_token(domain)
        self.admin.tokens[text] = Token(text, domain)
        self.shops[domain] = shop
        app_of(shop)
        shop.webhook_hosts = self._webhook_hosts
        self.webhooks.attach(shop)
        return shop, told

    def fill(self, shop: Shop, variants: int, per_product: int = 10, quantity: int = 10) -> None:
        """Put synthetic products into a shop, for measurements: SKUs ``SYN-0000001`` … with `quantity` at the first location."""
        with collection_paused():
            seed_synthetic(shop, variants, per_product, quantity, self.seed_stamp())
        self._after_seeding()

    def seed_stamp(self) -> str:
        """The date of seeded rows: one day before the sandbox's now."""
        return days_before(self.clock.now(), 1)

    def token_of(self, name: str) -> str:
        """A working token of a shop. Raises KeyError when it has none."""
        domain = domain_of(name)
        now = self.clock.seconds()
        for token in self.admin.tokens.values():
            if token.shop_domain == domain and token.works(now):
                return token.text
        raise KeyError(f"No working token for {domain}.")

    def reset(self, keep_shops: bool = False) -> None:
        """Forget orders, bulk operations, faults, calls; set the clock right; shops with their tokens go, too, unless kept."""
        for domain in list(self.shops):
            if keep_shops:
                self.admin.bulk.forget(domain)
            else:
                self.admin.forget(domain)
        self.orders.clear()
        self.faults.clear()
        self.webhooks.clear()
        self.calls.clear()
        self.clock.reset()

    def answer(self, request: Request) -> Reply:
        """Answer one request. Raises `ConnectionDropped` when the connection is to be closed without an answer."""
        with self.webhooks.action():  # what one request does is one action: its deliveries share an Event-Id
            return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        admin = _ADMIN.match(request.path)
        if admin is not None:
            return self.admin.answer(request, admin[1], admin[2])
        asks_token = _GRANT.match(request.path)
        if asks_token is not None:
            return self.admin.grant(request, asks_token[1])
        if request.path.startswith("/_control/"):
            return control.answer(self, request)
        if request.path.startswith("/files/"):
            return self.files.send(request)
        if request.path == "/" or request.path.startswith("/page/"):
            return page.answer(self, request)
        return json_reply(404, {"errors": "Not Found"}, [("Date", self.clock.http_date())])

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI application. A fault that closes the connection raises `ConnectionDropped` through it."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        upload = environ.get("PATH_INFO", "/").startswith("/uploads/")
        if size > MAX_BODY and not upload:
            start_response(_line(413), [("Content-Length", "0")])
            return [b""]
        headers = {
            key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")
        }
        headers.setdefault("content-type", environ.get("CONTENT_TYPE") or "")
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", "/"),
            query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
            headers=headers,
            body=environ["wsgi.input"].read(size) if size and not upload else b"",
        )
        if upload:  # WSGI keeps this header apart from the others
            request.headers["content-type"] = environ.get("CONTENT_TYPE", "")
            reply = self.files.receive(request, environ["wsgi.input"], size)
        else:
            reply = self.answer(request)
        length = len(reply.body) if reply.length is None else reply.length
        out = [("Content-Type", reply.content_type), ("Content-Length", str(length)), *reply.headers]
        start_response(reply.status_line, out)
        if request.method == "HEAD":
            return [b""]
        return [reply.body] if reply.stream is None else reply.stream


def domain_of(name: str) -> str:
    """``bucovina-ro`` → ``bucovina-ro.myshopify.com``. Raises ValueError when the result is no shop domain."""
    domain = name.strip().lower()
    domain = domain if "." in domain else f"{domain}.myshopify.com"
    if not _DOMAIN.match(domain):
        raise ValueError(f"{name!r} is not a shop name: use letters, digits and hyphens, e.g. bucovina-ro.")
    return domain


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """No garbage collection meanwhile: half a million new rows would be searched for garbage again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


__all__ = ["ConnectionDropped", "Sandbox", "domain_of"]
