"""Who is trying to sign in, as the lock-out counts them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def account_tried(request: HttpRequest | None, credentials: Mapping[str, Any] | None = None) -> str:
    """The e-mail that was typed, written as accounts are known by it.

    "Ana@Example.com" and "ana@example.com" open the same account, so they share one count of wrong passwords.
    """
    typed = (credentials or {}).get("username") or (request.POST.get("username", "") if request is not None else "")
    return unicodedata.normalize("NFKC", str(typed)).strip().lower()
