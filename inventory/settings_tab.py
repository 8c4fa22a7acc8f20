"""The settings tab of a store: its groups, which of them can be changed no more, and their one way into the database."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django import forms
from django.db import transaction

from connectors import store_settings
from connectors.forms import TagsField
from connectors.models import Store
from inventory import at_once, participation
from syncconsole.kernel.models import User

CONNECTION: Final = ("name", "slug", "shop_domain", "api_version", "api_base_url", "plan", "time_zone")
FILTER: Final = ("tags_any", "tags_all", "tags_none")
SCOPE: Final = ("sync_direction", "inventory_owner", *FILTER)
QUANTITIES: Final = (
    "buffer",
    "never_below_zero",
    "unavailable_left_out",
    "at_once",
    "settle_seconds",
    "drift_hours",
    "hold_hours",
)
LIMITS: Final = ("limit_units", "limit_value", "limit_to_zero", "limit_share", "second_person", "approval_hours")
TAB: Final[tuple[str, ...]] = (*CONNECTION, *SCOPE, *QUANTITIES, *LIMITS)
LIMITS_TEXT: Final = "A plan that passes a limit waits for approval. Empty: no limit."
ADDRESS_RIGHT: Final = "connectors.change_credentials"
"""To where the token is sent: for those alone who may replace it."""


class StoreForm(forms.ModelForm):  # type: ignore[type-arg]
    """The settings of the tab, checked."""

    tags_any = TagsField(label="Any of these tags", help_text="Separated by commas; empty: no condition.")
    tags_all = TagsField(label="All of these tags", help_text="Separated by commas; empty: no condition.")
    tags_none = TagsField(label="None of these tags", help_text="Separated by commas; empty: no condition.")

    class Meta:
        model = Store
        fields = TAB

    def _get_validation_exclusions(self) -> set[str]:
        """The shop's domain is looked at where it cannot be changed, too: it has one inventory owner."""
        return super()._get_validation_exclusions() - {"shop_domain"}  # type: ignore[misc,no-any-return]


def fixed(store: Store, *, may_readdress: bool) -> dict[str, str]:
    """Settings that this person cannot change in this store → why. `may_readdress`: they have `ADDRESS_RIGHT`."""
    found = {"slug": "It stands in addresses and commands."}
    if store.live_at:
        went_live = "The store is live, and its history was made with this."
        found |= {"shop_domain": went_live, "sync_direction": went_live}
    if not may_readdress:
        where = "The token is sent there, so it is for those alone who may replace the token."
        found = {"shop_domain": where, "api_base_url": where} | found
    return found


def change(store: Store, wanted: dict[str, Any], *, by: User, address: str | None = None) -> bool:
    """Save these settings of the tab, checked already, as `connectors.store_settings.change` does. Another tag filter lets
    other levels take part at once. Returns whether anything changed."""
    with transaction.atomic():
        changed = store_settings.change(store, "change settings", wanted, by=by, address=address)
        if changed and not wanted.keys().isdisjoint(FILTER):
            participation.refresh(store)
        transaction.on_commit(partial(at_once.forget, store))
    return changed
