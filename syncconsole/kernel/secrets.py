"""Secrets at rest: one encrypted field, keys from the environment, newest first.

Ready-made packages were passed over (docs/decisions/0002-own-encrypted-field.md): they return ciphertext silently
when the key is wrong.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute


class UndecryptableSecret(Exception):
    """None of the configured keys opens this value: a key is missing from FIELD_ENCRYPTION_KEYS."""

    def __init__(self, what: str) -> None:
        self.cause = f"{what} cannot be decrypted."
        self.remedy = "Put the key it was written with back into FIELD_ENCRYPTION_KEYS, or enter the secret again."
        super().__init__(f"{self.cause} {self.remedy}")


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


class Sealed:
    """A secret as the database keeps it. Opened only where a row's attribute is read, so that a list, an export or a
    row whose key is lost never fails, and never shows it."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    def __repr__(self) -> str:
        return "[sealed]"


class _Opened(DeferredAttribute):
    """The attribute of a row: opens what the database gave, each time it is read."""

    def __set__(self, instance: Any, value: Any) -> None:
        # Without a setter, what the row's dictionary holds would be found before this descriptor is asked.
        instance.__dict__[self.field.attname] = value

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if not isinstance(value, Sealed):
            return value
        try:
            return cipher().decrypt(value.token.encode("ascii")).decode()
        except InvalidToken as exc:
            name = f"{self.field.model._meta.verbose_name} {instance.pk}: {self.field.verbose_name}"
            raise UndecryptableSecret(name[:1].upper() + name[1:]) from exc


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text kept as a Fernet token; empty stays empty. Reading the attribute of a row decrypts.

    Raises UndecryptableSecret there when no key fits. Forms and exports see an empty box: what is typed replaces the
    secret, an empty box keeps it.
    """

    descriptor_class = _Opened

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | str | None:
        return Sealed(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        # A secret that nobody replaced is written back as it was: saving a row needs no key.
        kept = model_instance.__dict__.get(self.attname)
        return kept if isinstance(kept, Sealed) else super().pre_save(model_instance, add)

    def get_prep_value(self, value: Any) -> Any:
        if value in (None, ""):
            return value
        if isinstance(value, Sealed):
            return value.token
        return cipher().encrypt(str(value).encode()).decode("ascii")

    def value_from_object(self, obj: models.Model) -> str:
        """What forms and serializers get: nothing."""
        return ""

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """An empty box keeps the secret."""
        if data:
            super().save_form_data(instance, data)

    def formfield(self, **kwargs: Any) -> Any:
        """A password box that is never filled in, whatever widget the admin has for texts."""
        widget = kwargs.get("widget")
        chosen = widget if isinstance(widget, type) else type(widget)
        if not issubclass(chosen, forms.PasswordInput):
            kwargs["widget"] = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        kwargs.setdefault("required", False)
        return super().formfield(**kwargs)


def reseal(model: type[models.Model]) -> int:
    """Encrypt every secret of `model` anew with the first key; returns how many. Old keys may be removed afterwards.

    Raises UndecryptableSecret at the first row that no key opens; rows before it stay resealed.
    """
    fields = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
    resealed = 0
    for row in model._default_manager.all().iterator():
        for field in fields:
            sealed = row.__dict__.get(field.attname)
            if isinstance(sealed, Sealed):
                opened = getattr(row, field.attname)
                # Only where nobody replaced it meanwhile.
                same = model._default_manager.filter(**{"pk": row.pk, field.attname: sealed})
                resealed += same.update(**{field.attname: opened})
    return resealed
