"""A child that lists a shop's variants one way, by pages or in bulk, and tells what it saw and what memory it took."""

from __future__ import annotations

import hashlib
import time

import redis

from benchmarks import children
from benchmarks.watch import Memory
from connectors.pacing import RedisPacer
from connectors.shopify import listing
from connectors.shopify.adapter import ShopifyStore

EVERYTHING = 10**9


def main() -> None:
    """Asked: `base_url`, `token`, `redis_url`, `key`, `bulk`. Told: `rows`, `digest` of all rows in their order, `seconds`,
    `peak` (MB above idle)."""
    asked = children.asked_of_me()
    if not asked["bulk"]:
        listing.BULK_ABOVE = EVERYTHING  # type: ignore[misc]  # the way that is chosen for small shops
    pacer = RedisPacer(redis.Redis.from_url(asked["redis_url"]), asked["key"])
    store = ShopifyStore(
        base_url=asked["base_url"],
        token=asked["token"],
        api_version="2026-10",
        pacer=pacer,
        allowed_hosts=["127.0.0.1"],
    )
    store.overview()
    children.say_ready_and_wait()
    memory, began = Memory(), time.perf_counter()
    rows, digest = 0, hashlib.sha256()
    for variant in store.iter_variants(_ticket(store) if asked["bulk"] else ""):
        rows += 1
        digest.update(repr(variant).encode())
    told = {"rows": rows, "digest": digest.hexdigest(), "seconds": time.perf_counter() - began, "peak": memory.peak()}
    store.close()
    children.answer(told)


def _ticket(store: ShopifyStore) -> str:
    """The ticket of a listing in bulk, once it is ready."""
    prepared = store.prepare_listing("bench")
    while not prepared.ready:
        prepared = store.prepare_listing("bench", prepared.ticket)
    return prepared.ticket


if __name__ == "__main__":
    main()
