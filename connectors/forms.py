"""Forms about stores and notices."""

from __future__ import annotations

from typing import Any

from django import forms

from connectors.models import Store
from connectors.models.stores import Grant


class TokenForm(forms.Form):
    """A new Admin API token; the old one is never shown."""

    token = forms.CharField(
        label="New Admin API token",
        min_length=8,
        max_length=300,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the token that Shopify shows once, when the app is installed."},
    )


class AccessForm(forms.Form):
    """How the token is obtained, and the app's client ID and secret. The secret is never shown; empty keeps it."""

    grant = forms.ChoiceField(label="Access", choices=Grant.choices)
    client_id = forms.CharField(label="Client ID", max_length=120, required=False, strip=True)
    client_secret = forms.CharField(
        label="New client secret",
        min_length=8,
        max_length=300,
        strip=True,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_secret = store.has_client_secret

    def clean(self) -> dict[str, Any]:
        """Client credentials need both."""
        cleaned = super().clean() or {}
        if cleaned.get("grant") == Grant.CLIENT_CREDENTIALS and "client_secret" in cleaned:
            if not cleaned.get("client_id"):
                self.add_error("client_id", "Enter the client ID of the app; its Settings page in Shopify shows it.")
            if not cleaned["client_secret"] and not self._has_secret:
                self.add_error("client_secret", "Enter the client secret that stands beside the client ID in Shopify.")
        return cleaned


class TagsField(forms.CharField):
    """Tags as people type them: one a line, or separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 2}))
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return list(value)
        parts = str(value or "").replace("\n", ",").split(",")
        return [part.strip() for part in parts if part.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))
