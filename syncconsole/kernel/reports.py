"""What a form's work came to, kept for an hour, so that a POST can redirect and a reload repeats nothing."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.cache import cache

from syncconsole.kernel.models import User

KEPT_SECONDS = 3600


def keep(person: User, report: Any) -> str:
    """Keep `report` (anything that can be pickled) for `person`; returns the word that finds it again."""
    word = uuid.uuid4().hex
    cache.set(_key(person, word), report, KEPT_SECONDS)
    return word


def kept(person: User, word: str) -> Any | None:
    """The report that `person` was given `word` for, or None when it is gone or somebody else's."""
    return cache.get(_key(person, word)) if word.isalnum() else None


def _key(person: User, word: str) -> str:
    return f"report:{person.pk}:{word}"
