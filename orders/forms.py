"""Forms about orders, for pages and commands alike."""

from __future__ import annotations

from django import forms

from orders.tracking import Tracking


class TrackingForm(forms.Form):
    """How the parcel can be followed; all of it may be empty."""

    company = forms.CharField(label="Carrier", max_length=120, required=False)
    number = forms.CharField(label="Tracking number", max_length=120, required=False)
    url = forms.URLField(
        label="Tracking page",
        max_length=500,
        required=False,
        assume_scheme="https",
        error_messages={"invalid": "Write the whole address of the tracking page, like https://carrier.example/77."},
    )
    notify = forms.BooleanField(label="The store writes to the customer", required=False)

    @property
    def tracking(self) -> Tracking:
        """What was typed."""
        return Tracking(**self.cleaned_data)
