"""The sandbox as the demo's stage: what its customers do there, and what it shows when it is asked past our own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.http import build_client
from connectors.models import Store
from syncconsole.kernel.refusals import Refusal

AN_HOUR = 3600
PAGE = 10_000


class StageFailed(Refusal):
    """The sandbox did not do what it was asked; `cause` and `remedy` are its own words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the store shows of one level."""

    item_ref: str
    location_ref: str
    location: str
    tracked: bool
    available: int
    committed: int


class Stage:
    """A running sandbox at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = build_client()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def token(self, domain: str) -> str:
        """The Admin API token of a shop."""
        return str(self._ask("GET", "/state")["shops"][domain]["tokens"][0]["token"])

    def secret(self, domain: str) -> str:
        """What signs the webhooks of a shop: its app's client secret."""
        return str(self._ask("GET", "/apps", query={"shop": domain})["apps"][0]["client_secret"])

    def open_shop(self, name: str, csv: Path, locations: Sequence[str]) -> None:
        """Another shop, filled from a product CSV in Shopify's format."""
        text = csv.read_text(encoding="utf-8-sig", errors="replace")
        self._ask("POST", "/shops", {"name": name, "csv": text, "locations": list(locations)})

    def levels(self, store: Store) -> dict[tuple[str, str], Shown]:
        """(item ref, location ref) → what the store shows there now."""
        found: dict[tuple[str, str], Shown] = {}
        while True:
            query = {"shop": store.shop_domain, "limit": str(PAGE), "offset": str(len(found))}
            told = self._ask("GET", "/levels", query=query)
            for level in told["levels"]:
                shown = Shown(
                    item_ref=level["item"],
                    location_ref=level["location"],
                    location=level["location_name"],
                    tracked=level["tracked"],
                    available=level["quantities"]["available"],
                    committed=level["quantities"]["committed"],
                )
                found[shown.item_ref, shown.location_ref] = shown
            if len(found) >= told["total"] or not told["levels"]:
                return found

    def track_all(self, store: Store) -> int:
        """Switch "Track quantity" on wherever it is off, as the merchant would; returns for how many items."""
        off = {level.item_ref for level in self.levels(store).values() if not level.tracked}
        if off:
            edits = [{"item": item_ref, "tracked": True} for item_ref in sorted(off)]
            self._ask("POST", "/levels/edit", {"shop": store.shop_domain, "edits": edits})
        return len(off)

    def order_an_hour_ago(self, store: Store, item_ref: str, location: str, quantity: int) -> str:
        """A customer bought something, and it has not been shipped yet; returns the order's name."""
        line = {"item": item_ref, "location": location, "quantity": quantity}
        self._ask("POST", "/clock", {"advance": -AN_HOUR})
        try:
            return str(self._ask("POST", "/orders", {"shop": store.shop_domain, "lines": [line]})["name"])
        finally:
            self._ask("POST", "/clock", {"reset": True})

    def sell(self, store: Store, item_ref: str, location: str, quantity: int, *, returned: int) -> str:
        """A customer bought and paid, the goods were shipped, and some came back for their money; returns the order's
        name."""
        line = {"item": item_ref, "location": location, "quantity": quantity}
        order = self._ask("POST", "/orders", {"shop": store.shop_domain, "lines": [line]})
        self._ask("POST", f"/orders/{order['id']}/fulfill", {})
        back = {"line": 1, "quantity": returned, "restock_type": "RETURN", "location": location}
        self._ask("POST", f"/orders/{order['id']}/refund", {"lines": [back]})
        return str(order["name"])

    def writes(self, store: Store) -> int:
        """Calls that changed something in the store, as the sandbox counted them."""
        return int(self._ask("GET", "/calls", query={"shop": store.shop_domain, "kind": "mutation"})["total"])

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            reply = self._http.request(method, f"{self.url}/_control{path}", json=body, params=query)
            told: dict[str, Any] = reply.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise StageFailed(
                f"The sandbox did not answer {method} {path}: {exc}", "Look into the demo's log."
            ) from exc
        if reply.status_code != httpx.codes.OK:
            raise StageFailed(str(told.get("error", reply.text)), str(told.get("remedy", "")))
        return told
