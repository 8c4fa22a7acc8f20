"""The audit log's only writer."""

from __future__ import annotations

from typing import Any

from syncconsole.kernel.models import AuditEntry, User


def record(
    actor: User | None,
    action: str,
    object_label: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    address: str | None = None,
) -> AuditEntry:
    """Keep that `actor` did `action` on `object_label`. Values must hold no secret; `actor` None is the system."""
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        object_label=object_label[:200],
        before=before or {},
        after=after or {},
        address=address,
    )
