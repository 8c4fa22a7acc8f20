"""A real sandbox process, asked over HTTP: what a journey sets up there, and what it finds there afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx

from syncconsole.embedded.processes import end, tethered

CHECKOUT = Path(__file__).resolve().parents[2]


class SandboxProcess:
    """The simulators as a program of their own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/_control", timeout=30, trust_env=False)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._answer(self.http.get(path, params={name: str(value) for name, value in query.items()}))

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._answer(self.http.post(path, json=body))

    def delete(self, path: str, **query: Any) -> dict[str, Any]:
        return self._answer(self.http.delete(path, params=query))

    def reset(self) -> None:
        """No fault, no call and no order of an earlier journey; the clock is right."""
        self.post("/reset")

    @staticmethod
    def _answer(reply: httpx.Response) -> dict[str, Any]:
        assert reply.status_code == 200, reply.text
        told: dict[str, Any] = reply.json()
        return told


@contextmanager
def sandbox_process() -> Iterator[SandboxProcess]:
    """Started on a free port; gone afterwards, whatever happens."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--quiet"]
    process = subprocess.Popen(tethered(command, death_signal=SIGTERM), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        sandbox = SandboxProcess(told["url"])
        yield sandbox
        sandbox.http.close()
    finally:
        end(process, SIGTERM, patience=5)
        if process.stdout is not None:
            process.stdout.close()


class Shop:
    """One shop of the sandbox: what its customers and staff do, and what it shows."""

    def __init__(self, sandbox: SandboxProcess, domain: str, token: str) -> None:
        self.sandbox, self.domain, self.token = sandbox, domain, token
        self.base_url = f"{sandbox.url}/shops/{domain}"

    def levels(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(item ref, location ref) → the level with all its quantities, asked past our own code."""
        told = self.sandbox.get("/levels", shop=self.domain, limit=100_000)
        assert told["total"] == len(told["levels"])
        return {(level["item"], level["location"]): level for level in told["levels"]}

    def available(self) -> dict[str, int]:
        """SKU → available at the first location."""
        return {
            level["sku"]: level["quantities"]["available"]
            for level in self.levels().values()
            if level["location_name"] == "Depozit Cluj"
        }

    def edit(self, *edits: dict[str, Any]) -> None:
        """Somebody edits stock in the shop's admin."""
        self.sandbox.post("/levels/edit", shop=self.domain, edits=list(edits))

    def order(self, sku: str, quantity: int) -> int:
        """A customer buys; the order's number."""
        line = {"sku": sku, "quantity": quantity}
        return int(self.sandbox.post("/orders", shop=self.domain, lines=[line])["id"])

    def commit_unseen(self, sku: str, *, available: int, committed: int) -> None:
        """From now on so many units are committed there, in an order older than the token may read."""
        self.edit({"sku": sku, "quantities": {"available": available, "committed": committed}})

    def fault(self, kind: str, operation: str = "", **more: Any) -> None:
        """From now on calls of this shop go wrong so."""
        rule = {"kind": kind, "shop": self.domain, **more}
        self.sandbox.post("/faults", **rule, **({"operation": operation} if operation else {}))

    def poison(self, *skus: str) -> None:
        """A write that names one of these is refused, with the row's number."""
        self.sandbox.post("/poison", shop=self.domain, skus=list(skus), code="NON_MUTABLE_INVENTORY_ITEM")

    def revoke(self, *, revoked: bool = True) -> None:
        """The merchant uninstalls the app, or installs it again."""
        self.sandbox.post("/tokens", shop=self.domain, revoke=revoked)

    def rest(self, seconds: int = 3600) -> None:
        """The shop's time passes."""
        self.sandbox.post("/clock", advance=seconds)

    def calls(self, operation: str, **more: Any) -> list[dict[str, Any]]:
        """Calls of this operation, oldest first."""
        told = self.sandbox.get("/calls", shop=self.domain, operation=operation, limit=20_000, **more)
        found: list[dict[str, Any]] = told["calls"]
        return found

    def mutations(self) -> list[dict[str, Any]]:
        """Every write that reached the shop, carried out or not."""
        found: list[dict[str, Any]] = self.sandbox.get("/calls", shop=self.domain, kind="mutation", limit=20_000)[
            "calls"
        ]
        return found
