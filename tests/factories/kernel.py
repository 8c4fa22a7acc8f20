"""People with the rights of their role."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.models import Group

from syncconsole.kernel.models import User

ROLES = ("Viewer", "Operator", "Onboarding", "Accountant", "Administrator")


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A person who may sign in with the password `secret`; `roles=["Operator"]` gives the rights of that group."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@atelier-bucovina.example")
    first_name = "Ana"
    last_name = factory.Sequence(lambda n: f"Ionescu {n}")
    is_staff = True

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        password = kwargs.pop("password", "secret")
        return model_class.objects.create_user(*args, password=password, **kwargs)

    @factory.post_generation
    def roles(self: User, create: bool, names: list[str] | None, **_: Any) -> None:
        """Put the person into the groups of these roles."""
        if not create or not names:
            return
        unknown = set(names) - set(ROLES)
        if unknown:
            raise ValueError(f"No such role: {', '.join(sorted(unknown))}.")
        self.groups.set([Group.objects.get_or_create(name=name)[0] for name in names])
