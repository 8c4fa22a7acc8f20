"""A large shop listed by pages and in bulk: the same rows, and memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from benchmarks import children
from benchmarks.bench import Bench
from benchmarks.results import Result, at_most, told
from benchmarks.simulators import Shop

MOST_MEMORY = 50.0


def both_ways(bench: Bench) -> Iterator[Result]:
    """Every variant of a shop by pages and by a bulk query, each in a process of its own; one digest of all rows. With
    --large, ten times as many in bulk."""
    sizes = bench.sizes
    shop = bench.shop(sizes.listed, "enterprise")
    seen = [listed(shop, bulk=bulk) for bulk in (False, True)]
    for way, answer in zip(("pages", "bulk"), seen, strict=True):
        yield from _told(f"listing_{sizes.listed}_{way}", answer, rows=sizes.listed)
    differ = float(seen[0]["digest"] != seen[1]["digest"])
    yield at_most(f"listing_{sizes.listed}_pages_differ_from_bulk", differ, "digests", 0)
    shop.close()
    if sizes.listed_larger:
        larger = bench.shop(sizes.listed_larger, "enterprise")
        name = f"listing_{sizes.listed_larger}_bulk"
        yield from _told(name, listed(larger, bulk=True), rows=sizes.listed_larger)
        larger.close()


def listed(shop: Shop, *, bulk: bool) -> dict[str, Any]:
    """What a lister tells of this shop."""
    key = f"bench:{shop.domain}"
    access = {"base_url": shop.base_url, "token": shop.token, "redis_url": settings.REDIS_URL, "key": key}
    return children.together([("lister", {**access, "bulk": bulk})])[0]


def _told(name: str, answer: dict[str, Any], *, rows: int) -> Iterator[Result]:
    yield at_most(f"{name}_rows_missing", abs(rows - answer["rows"]), "rows", 0)
    yield told(f"{name}_seconds", answer["seconds"], "s")
    yield at_most(f"{name}_peak_memory_above_idle", answer["peak"], "MB", MOST_MEMORY)
