"""Who may do what: one table, the same in every door."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management.sql import emit_post_migrate_signal

from syncconsole.kernel import roles
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db

V, P, N, C, A = "Viewer", "Operator", "Onboarding", "Accountant", "Administrator"

WHO_MAY = {
    "connectors.view_store": {V, P, N, C, A},
    "connectors.view_syncrun": {V, P, N, A},
    "connectors.view_noticerule": {V, P, A},
    "catalog.view_variant": {V, P, N, C, A},
    "inventory.view_ledgerentry": {V, P, A},
    "inventory.view_levelpublication": {V, P, N, A},
    "connectors.start_run": {P, A},
    "connectors.approve_run": {P, A},
    "connectors.cancel_run": {P, A},
    "connectors.view_webhookdelivery": {V, P, A},
    "connectors.handle_delivery": {P, A},
    "connectors.see_personal_data": {C, A},
    "connectors.pause_writes": {P, A},
    "orders.view_document": {V, P, C, A},
    "orders.decide_refund": {C, A},
    "kernel.pause_all_writes": {P, A},
    "connectors.test_connection": {P, N, A},
    "connectors.map_locations": {N, A},
    "connectors.change_store": {N, A},
    "connectors.add_store": {A},
    "connectors.change_credentials": {A},
    "connectors.change_noticerule": {A},
    "catalog.import_items": {P, N, A},
    "catalog.link_items": {P, N, A},
    "inventory.record_stock": {P, A},
    "inventory.release_freeze": {P, A},
    "inventory.add_location": {N, A},
    "inventory.view_schedule": {V, P, N, A},
    "inventory.change_schedule": {P, N, A},
    "orders.view_incomingorder": {V, P, C, A},
    "orders.import_orders": {P, A},
    "orders.view_salesorder": {V, P, C, A},
    "orders.edit_order": {P, A},
    "orders.view_wave": {V, P, A},
    "orders.view_orderpull": {V, P, A},
    "orders.wave_orders": {P, A},
    "orders.view_valuemapping": {V, P, N, C, A},
    "orders.map_values": {P, N, A},
    "kernel.view_auditentry": {A},
    "kernel.view_user": {A},
    "kernel.change_user": {A},
    "auth.view_group": {A},
    "axes.delete_accessattempt": {A},
}

NOBODY_MAY = [
    "inventory.add_ledgerentry",
    "inventory.change_ledgerentry",
    "inventory.delete_ledgerentry",
    "inventory.change_publicationentry",
    "inventory.change_levelpublication",
    "inventory.change_inventorylevel",
    "inventory.change_push",
    "kernel.add_auditentry",
    "kernel.change_auditentry",
    "kernel.delete_auditentry",
    "kernel.delete_user",
    "connectors.change_syncrun",
    "connectors.delete_syncrun",
    "connectors.delete_store",
    "connectors.change_notice",
    "auth.change_group",
    "auth.change_permission",
    "sessions.view_session",
]


@pytest.fixture
def people() -> dict[str, object]:
    return {role: UserFactory(roles=[role]) for role in roles.ROLES}


@pytest.mark.parametrize("right", WHO_MAY)
def test_exactly_these_roles_have_the_right(right: str, people: dict[str, object]) -> None:
    assert {role for role, person in people.items() if person.has_perm(right)} == WHO_MAY[right]


@pytest.mark.parametrize("right", NOBODY_MAY)
def test_no_role_may_rewrite_history_or_its_own_rights(right: str, people: dict[str, object]) -> None:
    assert not [role for role, person in people.items() if person.has_perm(right)]


def test_every_right_in_the_table_exists() -> None:
    known = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    assert roles.missing_rights(known) == set()


def test_every_permission_that_our_models_declare_is_given_to_the_administrator() -> None:
    ours = [
        model
        for model in apps.get_models()
        if model._meta.app_label in {"connectors", "catalog", "inventory", "orders", "kernel"}
    ]
    declared = {f"{model._meta.app_label}.{codename}" for model in ours for codename, _ in model._meta.permissions}
    assert declared
    assert declared <= roles.ADMINISTRATOR


def test_a_viewer_may_only_look() -> None:
    assert all(right.partition(".")[2].startswith("view_") for right in roles.VIEWER)


def test_applying_the_table_again_takes_back_what_was_added_by_hand() -> None:
    viewer = Group.objects.get(name="Viewer")
    viewer.permissions.add(Permission.objects.get(codename="change_credentials"))
    own = Group.objects.create(name="Night shift")
    own.permissions.add(Permission.objects.get(codename="start_run"))

    roles.apply(apps)

    assert set(viewer.permissions.values_list("codename", flat=True)) == {r.partition(".")[2] for r in roles.VIEWER}
    assert own.permissions.count() == 1, "groups of the house are left alone"


def test_after_every_migration_the_roles_have_the_rights_that_are_new() -> None:
    Permission.objects.get(codename="ship_orders").delete()

    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")

    assert Group.objects.filter(permissions__codename="ship_orders", name="Operator").exists()


def test_a_role_lets_a_person_into_the_console() -> None:
    person = UserFactory(is_staff=False, roles=["Viewer"])

    roles.assign(person, "Operator")

    person = type(person).objects.get(pk=person.pk)
    assert person.is_staff
    assert person.has_perm("connectors.approve_run")
    with pytest.raises(KeyError):
        roles.assign(person, "Emperor")
