"""When a person last sent a form of the console: what they see next must show what follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

REMEMBERED_SECONDS: Final = 3600
"""Longer than any number is kept that a page shows."""

View = Callable[..., HttpResponseBase]


def noted(view: View) -> View:
    """The view, for people who signed in; once it has taken a form, `last_act` is this moment."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        person_id = request.user.pk  # before the view: who signs out is nobody after it
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            cache.set(_key(person_id), timezone.now(), REMEMBERED_SECONDS)
        return response

    return answer


def last_act(person_id: int) -> dt.datetime | None:
    """When a person last sent a form, if that was within the hour."""
    at: dt.datetime | None = cache.get(_key(person_id))
    return at


def _key(person_id: int | None) -> str:
    return f"last-act:{person_id}"
