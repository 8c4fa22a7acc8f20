"""Leaving something that failed for good: a reason is asked for, whatever it is."""

from __future__ import annotations

from typing import Protocol

from django.contrib import messages
from django.http import HttpRequest


class Ignore(Protocol):
    """Leaves one thing for good; False when it has not failed any more."""

    def __call__(self, *, reason: str) -> bool: ...


def ignore_with_reason(request: HttpRequest, ignore: Ignore) -> None:
    """Do it with the reason of the form, and say what came of it. Without a reason nothing is done."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.warning(request, "Nothing was changed: write in a few words why nobody needs it.")
    elif ignore(reason=reason):
        messages.success(request, "Ignored. The reason stands here and in the audit log.")
    else:
        messages.info(request, "It has not failed any more, so there is nothing to ignore.")
