"""The five roles, as groups: who may see and do what. Least privilege; docs/operators/roles.md says it in words.

The groups are the program's: `apply` brings them back to this table after every migration. For other rights, make
another group.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.management import create_permissions

if TYPE_CHECKING:
    from django.apps.registry import Apps

    from syncconsole.kernel.models import User


def see(app: str, *models: str) -> frozenset[str]:
    """The rights to look at these models."""
    return frozenset(f"{app}.view_{model}" for model in models)


# Append-only rows (ledger, publication and audit entries) and rows that the program writes by itself (runs, levels,
# publications, pushes, sent notices) have no add, change or delete right in any role.
EVERYTHING_OF_THE_WORK: Final = (
    see("connectors", "store", "storelocation", "syncrun", "runitem", "noticerule", "notice")
    | see("connectors", "webhookdelivery", "webhooksubscription", "remotechange", "feedposition", "privacyrequest")
    | see("catalog", "product", "variant", "listing", "listedvariant", "linkconflict", "clonesuspect")
    | see("inventory", "location", "locationmapping", "inventorylevel", "ledgerentry")
    | see(
        "inventory",
        "levelpublication",
        "publicationentry",
        "publishedlevel",
        "push",
        "pushbatch",
        "drift",
        "holdchange",
        "schedule",
    )
    | see("inventory", "offsetacknowledgement")
    | see("inventory", "validation", "validationsample", "openingplan", "openingline")
    | see("orders", "incomingorder", "refund", "document", "documentline", "documentseries")
    | see("orders", "salesorder", "valuemapping", "wave", "outgoingfulfilment", "orderpull")
    | see("django_celery_beat", "periodictask", "intervalschedule", "crontabschedule")
    | see("orders", "registerreview")
    | see("kernel", "installation")
)

VIEWER: Final = EVERYTHING_OF_THE_WORK

OPERATOR: Final = VIEWER | {
    "connectors.start_run",
    "connectors.approve_run",
    "connectors.cancel_run",
    "connectors.handle_delivery",
    "connectors.pause_writes",
    "connectors.test_connection",
    "catalog.import_items",
    "catalog.link_items",
    "catalog.decide_clone",
    "inventory.record_stock",
    "inventory.release_freeze",
    "inventory.decide_drift",
    "inventory.change_schedule",
    "inventory.acknowledge_offset",
    "orders.import_orders",
    "orders.edit_order",
    "orders.map_values",
    "orders.ship_orders",
    "orders.wave_orders",
    "kernel.pause_all_writes",
}

ONBOARDING: Final = (
    see("connectors", "store", "storelocation", "syncrun", "runitem")
    | see("catalog", "product", "variant", "listing", "listedvariant", "linkconflict")
    | see(
        "inventory", "location", "locationmapping", "inventorylevel", "levelpublication", "publishedlevel", "schedule"
    )
    | see("inventory", "validation", "validationsample", "openingplan", "openingline")
    | see("orders", "valuemapping")
    | {
        "connectors.change_store",
        "connectors.test_connection",
        "connectors.map_locations",
        "catalog.import_items",
        "catalog.link_items",
        "inventory.add_location",
        "inventory.change_location",
        "inventory.change_schedule",
        "inventory.sign_opening",
        "inventory.validate_ats",
        "orders.map_values",
    }
)

ACCOUNTANT: Final = (
    see("connectors", "store")
    | see("catalog", "product", "variant")
    | see("orders", "incomingorder", "refund", "document", "documentline", "documentseries")
    | see("orders", "salesorder", "valuemapping")
    | see("orders", "registerreview")
    | {"orders.decide_refund", "orders.close_review", "connectors.see_personal_data"}
)

ADMINISTRATOR: Final = (
    OPERATOR
    | ONBOARDING
    | ACCOUNTANT
    | see("kernel", "user", "auditentry")
    | see("auth", "group")
    | see("axes", "accessattempt", "accesslog", "accessfailurelog")
    | {
        "connectors.see_personal_data",
        "axes.delete_accessattempt",
        "catalog.change_product",
        "catalog.change_variant",
        "connectors.add_store",
        "connectors.change_credentials",
        "connectors.add_noticerule",
        "connectors.change_noticerule",
        "connectors.delete_noticerule",
        "django_celery_beat.change_periodictask",
        "django_celery_beat.change_intervalschedule",
        "django_celery_beat.change_crontabschedule",
        "kernel.add_user",
        "kernel.change_user",
        "kernel.change_installation",
    }
)

ROLES: Final[dict[str, frozenset[str]]] = {
    "Viewer": VIEWER,
    "Operator": OPERATOR,
    "Onboarding": ONBOARDING,
    "Accountant": ACCOUNTANT,
    "Administrator": ADMINISTRATOR,
}


def apply(apps: Apps) -> None:
    """Make the groups and give each exactly its rights, whatever was there before.

    `apps` is a migration's state of the apps or the real registry. Creates the permissions of all models first, since
    on a new database Django makes them only after the last migration. A right whose model a migration's state does
    not have yet is left out; the call after the last migration gives it.
    """
    _create_permissions(apps)
    permission_model: Any = apps.get_model("auth", "Permission")
    group_model: Any = apps.get_model("auth", "Group")
    found = {
        f"{permission.content_type.app_label}.{permission.codename}": permission.pk
        for permission in permission_model.objects.select_related("content_type")
    }
    for name, rights in ROLES.items():
        group, _ = group_model.objects.get_or_create(name=name)
        group.permissions.set([found[right] for right in sorted(rights) if right in found])


def _create_permissions(apps: Apps) -> None:
    for config in apps.get_app_configs():
        # The apps of a migration's state are stand-ins without a models module, and are skipped without one.
        had = getattr(config, "models_module", None)
        config.models_module = had or True  # type: ignore[assignment]
        try:
            create_permissions(config, apps=apps, verbosity=0)
        finally:
            config.models_module = had


def missing_rights(known: Iterable[str]) -> set[str]:
    """Rights that the table names and no model has: a slip of the pen, or a model that was renamed."""
    return set().union(*ROLES.values()) - set(known)


def assign(user: User, role: str) -> None:
    """Give a person this role alone, and let them into the console. Raises KeyError for a role there is not."""
    from django.contrib.auth.models import Group

    group = Group.objects.get(name={name: name for name in ROLES}[role])
    user.groups.set([group])
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
