"""Linking a store's variants to ours, and bringing its publications in step: the one way every door takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.linking import LinkReport, link
from connectors.models import Store
from inventory import publications
from inventory.publications import RefreshResult
from syncconsole.kernel.models import User


@dataclass(frozen=True, slots=True)
class StoreLinked:
    """What came of linking, and what it changed in publications."""

    links: LinkReport
    publications: RefreshResult

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            **self.links.as_dict(),
            "publications": {
                "created": self.publications.created,
                "closed": self.publications.closed,
                "regrouped": self.publications.regrouped,
                "excluded": self.publications.excluded,
                "included": self.publications.included,
            },
        }


def link_store(store: Store, *, actor: User | None = None) -> StoreLinked:
    """Bind the variants of `store` to ours and refresh its publications.

    Raises ConnectorError when the store cannot be read to its end, LinkRefused when its listing cannot be believed;
    nothing changed then.
    """
    links = link(store, actor=actor)
    return StoreLinked(links, publications.refresh(store))
