"""A child that sends webhook deliveries over kept connections, as a shop does: as fast as they are taken, or at a steady
beat."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from benchmarks import children
from sandbox.webhooks.delivery import signature
from sandbox.webhooks.sender import Sender

BODY_BYTES = 6_000
"""An order of a few lines, as a shop tells of it."""


def main() -> None:
    """Asked: `uri`, `secret`, `domain`, `threads`, `every` (seconds from one delivery to the next; 0: at once when the last
    one was taken) and `seconds`; it ends sooner when told to stop. Told: `took` (seconds from when a delivery was due to
    its answer), `statuses` and `seconds`."""
    asked = children.asked_of_me()
    sender, stop = Sender(), threading.Event()
    took: list[float] = []
    statuses: dict[int, int] = {}
    body = json.dumps({"id": 1, "updated_at": "2026-11-21T09:00:00Z", "note": "x" * BODY_BYTES}).encode()
    signed = signature(asked["secret"], body)
    children.say_ready_and_wait()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()
    began = time.perf_counter()
    beat = asked["every"] * asked["threads"]

    def tell_from(due: float) -> None:
        while due < began + asked["seconds"] and not stop.wait(max(0.0, due - time.perf_counter())):
            headers = [
                ("Content-Type", "application/json"),
                ("X-Shopify-Topic", "orders/updated"),
                ("X-Shopify-Hmac-Sha256", signed),
                ("X-Shopify-Shop-Domain", asked["domain"]),
                ("X-Shopify-API-Version", "2026-10"),
                ("X-Shopify-Webhook-Id", str(uuid.uuid4())),
                ("X-Shopify-Event-Id", str(uuid.uuid4())),
                ("X-Shopify-Triggered-At", datetime.now(UTC).isoformat()),
            ]
            status = sender.post(asked["uri"], headers, body)
            took.append(time.perf_counter() - due)
            statuses[status] = statuses.get(status, 0) + 1
            due = due + beat if beat else time.perf_counter()

    with ThreadPoolExecutor(asked["threads"]) as threads:
        list(threads.map(tell_from, [began + number * asked["every"] for number in range(asked["threads"])]))
    children.answer({"took": took, "statuses": statuses, "seconds": time.perf_counter() - began})


def _listen(stop: threading.Event) -> None:
    sys.stdin.readline()
    stop.set()


if __name__ == "__main__":
    main()
