"""The sandbox as a program of its own, so that its work is not counted as ours, and what it tells past our code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx

from syncconsole.embedded.processes import end, tethered

CHECKOUT = Path(__file__).resolve().parents[1]
SHOWN = 10
"""Quantity that every level of a shop shows at first."""
BUCKETS = {"standard": (2_000, 100), "advanced": (4_000, 200), "plus": (20_000, 1_000), "enterprise": (40_000, 2_000)}
"""Plan → points that can be saved up, points restored a second."""
PACED = ("standard", "advanced")
"""Plans whose rate limit is what a full sync has to wait for; the others' is beyond one worker."""


class Simulators:
    """A running sandbox process at `url`."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid
        self._http = httpx.Client(base_url=f"{url}/_control", timeout=300, trust_env=False)

    def open_shop(self, name: str, *, levels: int, plan: str) -> Shop:
        """A shop with `levels` tracked items, ten to a product, `SHOWN` of each at its one location."""
        told = self.ask(
            "POST",
            "/shops",
            name=name,
            plan=plan,
            locations=["Depozit Cluj"],
            synthetic={"variants": levels, "per_product": 10, "quantity": SHOWN},
        )
        return Shop(self, told["shop"], told["token"], levels)

    def ask(self, method: str, path: str, **said: Any) -> dict[str, Any]:
        """One control call; its answer."""
        body, query = (said, None) if method == "POST" else (None, said)
        reply = self._http.request(method, path, json=body, params=query)
        reply.raise_for_status()
        told: dict[str, Any] = reply.json()
        return told

    def call(self, domain: str, token: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """One call of a shop's Admin API; the whole answer."""
        reply = self._http.post(
            f"{self.url}/shops/{domain}/admin/api/2026-10/graphql.json",
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": token},
        )
        reply.raise_for_status()
        told: dict[str, Any] = reply.json()
        return told

    def cpu_seconds(self) -> float:
        """Processor time that the sandbox has used so far."""
        return cpu_seconds(self._pid)


class Shop:
    """One shop of the sandbox, with `levels` levels."""

    def __init__(self, simulators: Simulators, domain: str, token: str, levels: int) -> None:
        self.simulators, self.domain, self.token, self.levels = simulators, domain, token, levels
        self.base_url = f"{simulators.url}/shops/{domain}"
        first = self._levels(limit=1)[0]
        last = self._levels(limit=1, offset=levels - 1)[0]
        self.location_ref: str = first["location"]
        self.first_item, self.first_variant = number_of(first["item"]), number_of(first["variant"])
        if number_of(last["item"]) != self.first_item + levels - 1:
            raise AssertionError("The shop's items are not numbered one by one; the loader counts on that.")

    def _levels(self, **wanted: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulators.ask("GET", "/levels", shop=self.domain, **wanted)["levels"]
        return found

    @property
    def first_product(self) -> str:
        """The reference of the product with the first items."""
        told = self.simulators.ask("GET", "/products", shop=self.domain, limit=1)
        return str(told["products"][0]["id"])

    def place_orders(self, count: int) -> list[str]:
        """So many paid orders of one unit each; their references, oldest first."""
        self.simulators.ask("POST", "/orders/batch", shop=self.domain, count=count)
        return self.newest_orders(count)

    def newest_orders(self, count: int) -> list[str]:
        """References of the orders placed last, oldest first."""
        told = self.simulators.ask("GET", "/orders", shop=self.domain, limit=count)
        return [order["gid"] for order in told["orders"]]

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of one call of its Admin API, past our client. Raises AssertionError for what the shop refuses."""
        told = self.simulators.call(self.domain, self.token, document, variables)
        if "errors" in told:
            raise AssertionError(told["errors"])
        found: dict[str, Any] = told["data"]
        return found

    def tell_only_of(self, topic: str) -> None:
        """Remove every webhook subscription but those of one topic."""
        for row in self.simulators.ask("GET", "/subscriptions", shop=self.domain)["subscriptions"]:
            if row["topic"] != topic:
                self.simulators.ask("DELETE", "/subscriptions", shop=self.domain, id=row["id"])

    def total_available(self) -> int:
        """Units available over all levels, as the shop itself adds them up."""
        told = self.simulators.ask("GET", "/state")["shops"][self.domain]
        return sum(location["available"] for location in told["locations"])

    def forget_calls(self) -> None:
        """Start the call log anew."""
        self.simulators.ask("DELETE", "/calls")

    def calls(self) -> list[dict[str, Any]]:
        """Every call of this shop in the log, oldest first."""
        found: list[dict[str, Any]] = self.simulators.ask("GET", "/calls", shop=self.domain, limit=20_000)["calls"]
        return found

    def refill(self) -> None:
        """Fill the bucket, as it is after a quiet minute."""
        self.simulators.ask("POST", "/plan", shop=self.domain)

    def empty(self) -> None:
        """Take every point there is."""
        self.simulators.ask("POST", "/plan", shop=self.domain, available=0)

    def rest(self) -> None:
        """An hour of the shop's time passes: everything that moved is settled."""
        self.simulators.ask("POST", "/clock", advance=3600)

    def close(self) -> None:
        """Forget the shop, so that its memory is free for the next one."""
        self.simulators.ask("DELETE", "/shops", shop=self.domain)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def number_of(ref: str) -> int:
    """The number at the end of a global id."""
    return int(ref.rpartition("/")[2])


def throttled(calls: list[dict[str, Any]]) -> int:
    """How many of the calls were turned away for want of points."""
    return sum("THROTTLED" in call["codes"] for call in calls)


def charged(calls: list[dict[str, Any]]) -> float:
    """Points that the calls were really charged."""
    return sum(call["actual"] or 0 for call in calls)


@contextmanager
def simulators() -> Iterator[Simulators]:
    """A sandbox process on a free port; gone afterwards, whatever happens."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--quiet", "--shop", "nobody"]
    process = subprocess.Popen(tethered(command, death_signal=SIGTERM), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Simulators(json.loads(process.stdout.readline())["url"], process.pid)
    finally:
        end(process, SIGTERM, patience=5)
        if process.stdout is not None:
            process.stdout.close()
