"""Every setting of a store that people change: what it means, how it stands, and the one function that changes it, whatever page
it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import transaction
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.text import capfirst

from connectors import rereads, store_settings
from connectors.models import Store
from connectors.models.stores import ExcludedRefunds
from connectors.store_settings import CHANGE_RIGHT
from inventory import settings_tab
from inventory.settings_tab import LIMITS, LIMITS_TEXT, StoreForm
from orders import integration, mappings, outgoing, retention
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

Save = Callable[[Store, dict[str, Any], User], object]
"""Changes settings (name → value, checked) of a store for a person."""

WORDS: Final = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
"""How a switch is typed."""


class SettingRefused(Refusal):
    """No setting was changed."""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that one function changes, and the right that it asks for."""

    names: tuple[str, ...]
    save: Save
    right: str = CHANGE_RIGHT


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it stands. `value` is written as it is typed; `fixed` says why it cannot be changed here."""

    name: str
    value: str
    meaning: str
    choices: tuple[str, ...]
    fixed: str


def _noted(action: str) -> Save:
    return lambda store, wanted, by: store_settings.change(store, action, wanted, by=by)


def _reread(store: Store, wanted: dict[str, Any], by: User) -> None:
    (rereads.switch_on if wanted["reread"] else rereads.switch_off)(store, by=by)


GROUPS: Final = (
    Group(settings_tab.TAB, lambda store, wanted, by: settings_tab.change(store, wanted, by=by)),
    Group(("import_minutes",), _noted("change order schedule")),
    Group(("reread",), _reread),
    Group(("opening_orders", "keep_goods"), _noted("change what orders mean for stock")),
    Group(
        ("excluded_refunds",),
        lambda store, wanted, by: integration.set_excluded_refunds(
            store, ExcludedRefunds(wanted["excluded_refunds"]), by=by
        ),
    ),
    Group(
        ("send_fulfilments",), lambda store, wanted, by: outgoing.switch(store, on=wanted["send_fulfilments"], by=by)
    ),
    Group(("keep_months",), lambda store, wanted, by: retention.set_months(store, wanted["keep_months"], by=by)),
    Group(("tax_fields",), _noted("change where tax ids are"), mappings.MAP_RIGHT),
)
PREVIEWED: Final = {"integration_date": "The command integration_date says first what another day changes."}
"""Settings with a command of their own → why."""


class AllSettingsForm(StoreForm):
    """Every setting, checked as on its page."""

    reread = forms.BooleanField(
        label="daily re-read of all orders",
        required=False,
        help_text="On: every night for seven days all orders that the store shows are listed; then it ends by itself.",
    )

    class Meta:
        model = Store
        fields = (*PREVIEWED, *(name for group in GROUPS for name in group.names if name != "reread"))


def settings_of(store: Store, *, may_readdress: bool) -> list[Setting]:
    """Every setting of the store; see `settings_tab.fixed`."""
    form, fixed = AllSettingsForm(instance=store), _fixed(store, may_readdress=may_readdress)
    return [
        Setting(name, typed(value), _meaning(name, form.fields[name]), _choices(form.fields[name]), fixed.get(name, ""))
        for name, value in _standing(store).items()
    ]


def typed(value: Any) -> str:
    """A value as a person types it: on and off for switches, tags and names separated by commas, nothing for none."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def checked(store: Store, asked: Mapping[str, str], *, may_readdress: bool) -> dict[str, Any]:
    """What was typed for these settings as their values. Raises SettingRefused at the first that cannot stand."""
    row = Store.objects.get(pk=store.pk)  # the form fills it
    data, fixed = _standing(row), _fixed(row, may_readdress=may_readdress)
    for name, text in asked.items():
        if name not in data:
            raise SettingRefused(f"{name} is no setting of a store.", "Leave --set out to list them.")
        if why := fixed.get(name):
            raise SettingRefused(f"{name} cannot be changed here.", why)
        switch = isinstance(AllSettingsForm.base_fields[name], forms.BooleanField)
        data[name] = WORDS.get(text.strip().lower()) if switch else text
        if data[name] is None:
            raise SettingRefused(f"{name} is switched on or off, not “{text}”.", f"Write {name}=on or {name}=off.")
    form = AllSettingsForm(data, instance=row)
    if form.is_valid():
        return {name: form.cleaned_data[name] for name in asked}
    name, problems = next(iter(form.errors.items()))
    if name == NON_FIELD_ERRORS:
        raise SettingRefused("These settings cannot stand together.", " ".join(map(str, problems)))
    choices = _choices(form.fields[name])
    remedy = f"Write one of: {', '.join(choices)}." if choices else " ".join(map(str, problems))
    raise SettingRefused(f"{name} cannot be “{typed(data[name])}”.", remedy)


def rights(names: Iterable[str]) -> set[str]:
    """The rights that changing these settings asks for."""
    return {group.right for group in GROUPS if not set(group.names).isdisjoint(names)}


@transaction.atomic
def change(store: Store, wanted: Mapping[str, Any], *, by: User) -> None:
    """Change these settings (name → value, checked), all of them or none, each with its entry in the audit log. Raises what
    the settings' own functions raise, e.g. `orders.outgoing.SendingRefused`."""
    for group in GROUPS:
        if some := {name: wanted[name] for name in group.names if name in wanted}:
            group.save(store, some, by)


def _standing(store: Store) -> dict[str, Any]:
    """Name → value, in the order of the pages."""
    found = model_to_dict(store, AllSettingsForm.base_fields)
    found["reread"] = store.reread_until is not None and store.reread_until > timezone.now()
    return {name: found[name] for name in AllSettingsForm.base_fields}


def _fixed(store: Store, *, may_readdress: bool) -> dict[str, str]:
    return settings_tab.fixed(store, may_readdress=may_readdress) | PREVIEWED


def _choices(field: forms.Field) -> tuple[str, ...]:
    choices: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
    return tuple(value for value, _ in choices if value)


def _meaning(name: str, field: forms.Field) -> str:
    more = LIMITS_TEXT if name in LIMITS and not field.help_text else field.help_text
    return f"{capfirst(str(field.label)).rstrip('.')}. {more}".strip()
