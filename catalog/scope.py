"""The tag filter of a store: how many variants it takes in, told before it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.models import Variant, VariantQuerySet
from connectors.models import Store


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Tags as typed; compared without case, over the tags of a variant and of its product. Empty: no condition."""

    any_of: Sequence[str] = ()
    all_of: Sequence[str] = ()
    none_of: Sequence[str] = ()

    @classmethod
    def of(cls, store: Store) -> TagFilter:
        """The store's saved filter."""
        return cls(store.tags_any, store.tags_all, store.tags_none)

    def variants(self) -> VariantQuerySet:
        """The variants it takes in."""
        return Variant.objects.in_scope(
            Store(tags_any=list(self.any_of), tags_all=list(self.all_of), tags_none=list(self.none_of))
        )


@dataclass(frozen=True, slots=True)
class ScopeCount:
    """What a filter takes in, and what would change for the store that has another one now."""

    variants: int
    products: int
    would_enter: int
    would_leave: int


def count(store: Store, proposed: TagFilter) -> ScopeCount:
    """Count what `proposed` takes in; entering and leaving are counted against the filter stored for `store`."""
    saved = TagFilter.of(Store.objects.get(pk=store.pk)) if store.pk else TagFilter()
    taken_in, taken_in_now = proposed.variants(), saved.variants()
    return ScopeCount(
        variants=taken_in.count(),
        products=taken_in.order_by().values("product_id").distinct().count(),
        would_enter=taken_in.exclude(pk__in=taken_in_now.order_by().values("pk")).count(),
        would_leave=taken_in_now.exclude(pk__in=taken_in.order_by().values("pk")).count(),
    )
