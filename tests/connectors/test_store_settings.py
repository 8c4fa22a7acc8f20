"""A setting of a store is saved once, and the audit log has both values."""

from __future__ import annotations

import pytest

from connectors import store_settings
from connectors.models import Store
from connectors.models.stores import OpeningOrders
from syncconsole.kernel.models import AuditEntry, User
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db


def test_both_values_are_noted_and_the_same_again_changes_nothing() -> None:
    store: Store = StoreFactory(keep_months=None)
    person: User = UserFactory()
    wanted = {"keep_months": 24, "keep_goods": True, "opening_orders": OpeningOrders.LEFT_OUT}
    form = Store.objects.get(pk=store.pk)
    form.keep_months = 24  # a form fills its object before it is saved

    assert store_settings.change(form, "change settings", wanted, by=person, address="192.0.2.1")
    assert not store_settings.change(store, "change settings", wanted, by=person)

    assert Store.objects.filter(pk=store.pk, **wanted).exists()
    assert (store.keep_months, form.opening_orders) == (24, "left_out")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.object_label, entry.address) == (person, store.name, "192.0.2.1")
    assert entry.before == {"keep_months": None, "keep_goods": False, "opening_orders": "reserve"}
    assert entry.after == {"keep_months": 24, "keep_goods": True, "opening_orders": "left_out"}
