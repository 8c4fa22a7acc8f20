"""Folded tags of variants, by which tag filters find them, kept in step with the tags of their products."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from catalog.models import Variant, fold_tags


def tag_keys(variant: Variant) -> list[str]:
    """Folded tags of `variant` and its product."""
    return fold_tags([*variant.tags, *variant.product.tags])


def tell(variant_ids: Collection[int]) -> None:
    """The tag keys of these variants have changed: whoever keeps levels follows, in the same transaction."""
    if variant_ids:
        import_string(settings.SCOPE_FOLLOWER)(variant_ids)


@transaction.atomic
def refresh_tag_keys(product_ids: Iterable[int]) -> int:
    """Bring the keys of all variants of these products in step; number of variants that changed.

    Call after tags of products or variants were changed by other means than the import.
    """
    variants = Variant.objects.filter(product__in=list(product_ids)).select_related("product")
    outdated = []
    for variant in variants.only("tags", "tag_keys", "product__tags"):
        keys = tag_keys(variant)
        if keys != variant.tag_keys:
            variant.tag_keys = keys
            outdated.append(variant)
    Variant.objects.bulk_update(outdated, ["tag_keys"], batch_size=1000)
    tell([variant.pk for variant in outdated])
    return len(outdated)
