"""Secrets at rest: one encrypted field, keys from the environment, newest first.

Ready-made packages were passed over (decision 2): they return ciphertext silently when the key is wrong.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class UndecryptableSecret(Exception):
    """None of the configured keys opens this value: a key is missing from FIELD_ENCRYPTION_KEYS."""


def cipher() -> MultiFernet:
    """The cipher of today's keys; encrypts with the first, decrypts with any.

    Raises ImproperlyConfigured when there is no key or one is malformed.
    """
    try:
        keys = [Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS]
    except ValueError as exc:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS holds a malformed key. Make one with cryptography's Fernet.generate_key()."
        ) from exc
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty. Secrets cannot be stored without a key.")
    return MultiFernet(keys)


def fingerprint(secret: str) -> str:
    """What may be shown of a secret: its last four characters, or nothing for a short one."""
    return f"ends …{secret[-4:]}" if len(secret) >= 12 else "set" if secret else "not set"


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text kept as a Fernet token. Empty stays empty. An undecryptable value raises `UndecryptableSecret`."""

    def get_prep_value(self, value: Any) -> Any:
        if value in (None, ""):
            return value
        return cipher().encrypt(str(value).encode()).decode("ascii")

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value in (None, ""):
            return value
        try:
            return cipher().decrypt(value.encode("ascii")).decode()
        except InvalidToken as exc:
            raise UndecryptableSecret(
                f"{self.model._meta.label}.{self.name} cannot be decrypted. "
                "Put the key it was written with back into FIELD_ENCRYPTION_KEYS."
            ) from exc
