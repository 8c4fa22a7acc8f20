"""Forms about stores and notices."""

from __future__ import annotations

from typing import Any

from django import forms

from connectors.models import Store


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


class DeltaForm(forms.ModelForm):  # type: ignore[type-arg]
    """The delta's rhythm."""

    class Meta:
        model = Store
        fields = ("delta_enabled", "delta_minutes")


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
