"""Encrypt every stored secret anew with the first of FIELD_ENCRYPTION_KEYS; older keys may then be taken out."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from syncconsole.kernel import audit
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User
from syncconsole.kernel.secrets import EncryptedTextField, UndecryptableSecret, reseal


class Command(JsonCommand):
    help = __doc__
    permission = "connectors.change_credentials"
    failures = (UndecryptableSecret,)

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        done = {
            model._meta.label: reseal(model)
            for model in apps.get_models()
            if any(isinstance(field, EncryptedTextField) for field in model._meta.concrete_fields)
        }
        audit.record(actor, "rotate secrets", "Installation", after=done)
        lines = [f"{label}: {count} encrypted with the first key." for label, count in done.items()]
        return Report({"resealed": done}, lines)
