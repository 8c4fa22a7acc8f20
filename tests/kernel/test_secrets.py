"""Secrets: encrypted where they lie, opened only where they are used, shown nowhere."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle

import pytest
import structlog
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.forms import modelform_factory
from django.forms.models import model_to_dict
from pytest_django import Settings

from connectors.models import Store
from syncconsole.kernel import logs, secrets
from syncconsole.kernel.secrets import UndecryptableSecret, fingerprint
from tests.factories.connectors import StoreFactory

TOKEN = "shpat_0123456789abcdef"


@pytest.fixture
def store(db: None) -> Store:
    return Store.objects.get(pk=StoreFactory(access_token=TOKEN).pk)


def stored(store: Store) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM connectors_store WHERE id = %s", [store.pk])
        return str(cursor.fetchone()[0])


def test_the_database_holds_ciphertext_and_the_row_opens_it(store: Store) -> None:
    assert TOKEN not in stored(store)
    assert store.access_token == TOKEN


def test_an_empty_secret_stays_empty(db: None) -> None:
    store = StoreFactory(access_token="")
    assert stored(store) == ""
    assert Store.objects.get(pk=store.pk).access_token == ""


def test_no_list_form_export_or_copy_shows_it(store: Store) -> None:
    form = modelform_factory(Store, fields=["name", "access_token"])(instance=store)
    shown = [
        repr(store),
        repr(vars(store)),
        repr(list(Store.objects.values())),
        repr(Store.objects.values_list("access_token", flat=True)[0]),
        repr(model_to_dict(store)),
        serializers.serialize("json", [store]),
        form.as_p(),
        repr(vars(copy.copy(store))),
        repr(pickle.dumps(store)),
    ]
    assert not [text for text in shown if TOKEN in text]


def test_an_empty_box_keeps_the_secret_and_a_filled_one_replaces_it(store: Store) -> None:
    form_class = modelform_factory(Store, fields=["name", "access_token"])

    kept = form_class({"name": "New name", "access_token": ""}, instance=store)
    assert kept.is_valid()
    assert "access_token" not in kept.changed_data
    kept.save()
    assert Store.objects.get(pk=store.pk).access_token == TOKEN

    form_class({"name": "New name", "access_token": "shpat_another_one"}, instance=store).save()
    assert Store.objects.get(pk=store.pk).access_token == "shpat_another_one"


def test_without_its_key_a_row_can_be_read_and_saved_but_not_its_secret(store: Store, settings: Settings) -> None:
    before = stored(store)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    found = Store.objects.get(pk=store.pk)
    found.name = "Renamed"
    found.save()

    assert stored(store) == before
    with pytest.raises(UndecryptableSecret, match="FIELD_ENCRYPTION_KEYS"):
        _ = found.access_token


def test_keys_are_rotated_newest_first(store: Store, settings: Settings) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert Store.objects.get(pk=store.pk).access_token == TOKEN

    out = io.StringIO()
    call_command("rotate_secrets", "--json", stdout=out)
    assert json.loads(out.getvalue())["resealed"]["connectors.Store"] == 1

    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert Store.objects.get(pk=store.pk).access_token == TOKEN


def test_rotating_stops_at_a_secret_that_no_key_opens(store: Store, settings: Settings) -> None:
    before = stored(store)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SystemExit) as stopped:
        call_command("rotate_secrets", stdout=io.StringIO(), stderr=io.StringIO())
    assert stopped.value.code == 1
    assert stored(store) == before


@pytest.mark.parametrize("keys", [[], ["not a key"]])
def test_a_missing_or_malformed_key_is_said(keys: list[str], settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        secrets.cipher()


@pytest.mark.parametrize(("secret", "shown"), [("", "not set"), ("short", "set"), (TOKEN, "ends …cdef")])
def test_a_fingerprint_shows_little(secret: str, shown: str) -> None:
    assert fingerprint(secret) == shown


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_no_log_line_carries_a_secret(fmt: str) -> None:
    configured = logs.django_logging(fmt, "INFO")["formatters"]["main"]
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=configured["processors"], foreign_pre_chain=configured["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger("tests.secrets")
    logger.addHandler(handler)
    try:
        structlog.get_logger("tests.secrets").warning("asked", access_token=TOKEN, url="redis://:hunter2@127.0.0.1/0")
        logger.warning("header X-Shopify-Access-Token: %s", TOKEN)
        token = TOKEN
        try:
            raise ValueError(f"refused {token}")
        except ValueError:
            logger.exception("broken")
    finally:
        logger.removeHandler(handler)
    written = out.getvalue()
    assert "asked" in written
    assert "ValueError" in written
    assert TOKEN not in written
    assert "hunter2" not in written
    if fmt == "json":
        assert json.loads(written.splitlines()[0])["access_token"] == logs.MASK
