"""The people of the demo: one for each part of the work, with the role that suits it and a password made for this time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from syncconsole.kernel import roles
from syncconsole.kernel.models import User

DOMAIN = "atelier-bucovina.example"
"""Addresses of nobody: the ending .example is reserved for this (RFC 2606)."""

CAST = (
    ("Ana", "Ionescu", "Operator"),
    ("Mihai", "Pop", "Operator"),
    ("Elena", "Marin", "Onboarding"),
    ("Irina", "Dobre", "Accountant"),
    ("Radu", "Stan", "Administrator"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in."""

    user: User
    role: str
    password: str

    def as_dict(self) -> dict[str, str]:
        """For JSON output."""
        return {"name": str(self.user), "role": self.role, "email": self.user.email, "password": self.password}


def invite() -> dict[str, Person]:
    """Make everybody, by first name."""
    return {first: _make(first, last, role) for first, last, role in CAST}


def _make(first: str, last: str, role: str) -> Person:
    password = secrets.token_urlsafe(9)
    email = f"{first}.{last}@{DOMAIN}".lower()
    user = User.objects.create_user(email, password, first_name=first, last_name=last, is_staff=True)
    roles.assign(user, role)
    return Person(user, role, password)
