"""``python -m sandbox``: serve the simulators until told to stop."""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from .app import Sandbox
from .server import HttpServer
from .shopify.apps import app_of
from .shopify.bucket import PLANS
from .shopify.catalogue import Shop
from .shopify.seed import DEFAULT_LOCATIONS, Seeded

DEFAULT_SHOP = "bucovina-ro"


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Simulators of the outside services, over HTTP."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8800, help="port, 0 = any free one (default: 8800)")
    parser.add_argument("--plan", choices=sorted(PLANS), default="standard", help="plan of the shops")
    parser.add_argument(
        "--shop", nargs="+", action="extend", metavar="NAME", help="shops, e.g. bucovina-ro bucovina-eu"
    )
    parser.add_argument("--csv", type=Path, help="product CSV in Shopify's format; every shop starts with it")
    parser.add_argument("--locations", default=",".join(DEFAULT_LOCATIONS), help="names, separated by commas")
    parser.add_argument(
        "--webhook-host",
        nargs="+",
        action="extend",
        default=[],
        metavar="HOST",
        help="hosts to deliver to beside this machine",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing about rows that were skipped")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Seed the shops, print one JSON line with address and tokens, serve until SIGTERM or SIGINT."""
    options = _arguments(argv)
    sandbox = Sandbox(
        plan=options.plan, after_seeding=gc.freeze, webhook_hosts=options.webhook_host
    )  # what is seeded stays: never search it for garbage
    places = [name.strip() for name in options.locations.split(",") if name.strip()] or list(DEFAULT_LOCATIONS)
    try:
        text = None if options.csv is None else options.csv.read_text(encoding="utf-8-sig", errors="replace")
        for name in options.shop or [DEFAULT_SHOP]:
            shop, told = sandbox.add_shop(name, text, locations=places)
            if not options.quiet:
                _tell(shop.domain, told)
        server = HttpServer(sandbox.wsgi, options.host, options.port)
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"The sandbox can't start: {problem}\n")
        return 1

    def stop(signum: int, frame: FrameType | None) -> None:
        server.close()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    shops = {domain: _keys(sandbox, shop) for domain, shop in sandbox.shops.items()}
    sys.stdout.write(json.dumps({"url": server.url, "shops": shops}) + "\n")
    sys.stdout.flush()
    server.serve()
    return 0


def _keys(sandbox: Sandbox, shop: Shop) -> dict[str, str]:
    app = app_of(shop)
    return {"token": sandbox.token_of(shop.domain), "client_id": app.client_id, "client_secret": app.secret}


def _tell(domain: str, told: Seeded) -> None:
    sys.stderr.write(f"{domain}: {told.products} products, {told.variants} variants\n")
    for reason in told.skipped:
        sys.stderr.write(f"{domain}: skipped {reason}\n")


if __name__ == "__main__":
    sys.exit(main())
