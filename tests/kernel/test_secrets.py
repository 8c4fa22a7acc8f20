"""Secrets at rest: sealed in the database, opened where a row's attribute is read."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from connectors.models import Store
from syncconsole.kernel.secrets import UndecryptableSecret
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db


def stored_token(store: Store) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM connectors_store WHERE id = %s", [store.pk])
        return str(cursor.fetchone()[0])


def test_a_token_is_read_back_as_it_was_written() -> None:
    store = StoreFactory(access_token="shpat_0123456789")

    assert Store.objects.get(pk=store.pk).access_token == "shpat_0123456789"
    assert "shpat" not in stored_token(store)


def test_a_row_whose_key_is_lost_can_be_listed_and_saved_and_its_secret_asks_for_the_key(settings: Settings) -> None:
    store = StoreFactory(access_token="shpat_0123456789")
    before = stored_token(store)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    row = Store.objects.get(pk=store.pk)
    row.name = "Another name"
    row.save()

    assert stored_token(store) == before
    with pytest.raises(UndecryptableSecret, match="FIELD_ENCRYPTION_KEYS"):
        _ = row.access_token
