"""Handles as Shopify stores them (reference 4.5)."""

from __future__ import annotations

import unicodedata
from typing import Final

from connectors.ports.errors import FeatureNotSupported
from connectors.shopify.replies import SERVICE

LONGEST: Final = 255


def stored_handle(text: str) -> str:
    """What Shopify makes of a handle that is typed in: trimmed, in lower case, every run of punctuation and blanks one
    hyphen, letters of all alphabets kept. Raises `FeatureNotSupported` where nothing would be left, since Shopify would
    then make one up, and for more than 255 characters."""
    spaced = "".join(sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in text.lower())
    handle = "-".join(spaced.split())
    if not handle:
        raise _unusable(f"The handle {text!r} has neither a letter nor a digit.", "Enter another handle.")
    if len(handle) > LONGEST:
        cause = f"The handle has {len(handle)} characters, and Shopify takes {LONGEST}."
        raise _unusable(cause, "Enter a shorter handle.")
    return handle


def _unusable(cause: str, remedy: str) -> FeatureNotSupported:
    return FeatureNotSupported(service=SERVICE, operation="use a handle", cause=cause, remedy=remedy)
