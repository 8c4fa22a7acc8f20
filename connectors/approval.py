"""Decisions of people about a run: approve or reject its plan, cancel it, let it expire."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from connectors.models import SyncRun
from connectors.models.runs import Outcome, RunStatus
from connectors.runs import RunRefused, finish, start_applying
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal


class DecisionRefused(Refusal):
    """This person cannot take this decision now; says why and who, or what, can."""


def why_not_approve(run: SyncRun, by: User) -> DecisionRefused | None:
    """The reason `by` may not approve this plan now, or None."""
    if run.status != RunStatus.AWAITING_APPROVAL:
        return DecisionRefused(f"Run #{run.pk} is {run.state.label.lower()}.", "Nothing waits for a decision here.")
    if run.expires_at and run.expires_at <= timezone.now():
        return DecisionRefused("The plan has expired.", "Plan again; quantities have moved since.")
    if not by.has_perm("connectors.approve_run"):
        return DecisionRefused("Your role may not approve plans.", "An operator or an administrator can.")
    own = run.requested_by_id == by.pk
    if own and run.limits_passed and run.snapshot.get("second_person", True):
        return DecisionRefused(
            "Approving needs someone else: you started this plan and it passes a limit.",
            "Another operator or an administrator can approve it.",
        )
    return None


def approve(run: SyncRun, by: User) -> None:
    """Let the plan be applied and tell the workers. Raises DecisionRefused."""
    from connectors.tasks import advance_run

    with transaction.atomic():
        locked = SyncRun.objects.select_for_update().get(pk=run.pk)
        refused = why_not_approve(locked, by)
        if refused:
            raise refused
        try:
            start_applying(locked, approved_by=by, approved_at=timezone.now())
        except RunRefused as exc:
            raise DecisionRefused(exc.cause, exc.remedy) from exc
        audit.record(by, "approve plan", str(locked), after={"totals": locked.totals, "limits": locked.limits_passed})
        advance_run.send(run.pk)
    run.refresh_from_db()


def approve_without_limits(run: SyncRun, by: User | None) -> None:
    """Go on with a plan that passes no limit, as `--yes` asked for beforehand. Raises DecisionRefused when it passes one."""
    from connectors.tasks import advance_run

    with transaction.atomic():
        locked = SyncRun.objects.select_for_update().get(pk=run.pk)
        if locked.status != RunStatus.AWAITING_APPROVAL:
            raise DecisionRefused(
                f"Run #{run.pk} is {locked.state.label.lower()}.", "Nothing waits for a decision here."
            )
        if locked.limits_passed:
            raise DecisionRefused(
                f"Run #{run.pk} passes a limit: {' '.join(locked.limits_passed)}",
                f"A person approves it: manage.py approve_run {run.pk} --as EMAIL.",
            )
        try:
            start_applying(locked, approved_by=by, approved_at=timezone.now())
        except RunRefused as exc:
            raise DecisionRefused(exc.cause, exc.remedy) from exc
        audit.record(by, "apply plan within limits", str(locked), after={"totals": locked.totals})
        advance_run.send(run.pk)
    run.refresh_from_db()


def reject(run: SyncRun, by: User, reason: str) -> None:
    """Close a waiting plan; nothing was written. Raises DecisionRefused."""
    if not by.has_perm("connectors.approve_run"):
        raise DecisionRefused("Your role may not reject plans.", "An operator or an administrator can.")
    with transaction.atomic():
        locked = SyncRun.objects.select_for_update().get(pk=run.pk)
        if locked.status != RunStatus.AWAITING_APPROVAL:
            raise DecisionRefused(
                f"Run #{run.pk} is {locked.state.label.lower()}.", "Nothing waits for a decision here."
            )
        locked.items.filter(outcome=Outcome.PLANNED).update(outcome=Outcome.CANCELLED)
        finish(
            locked, RunStatus.CANCELLED, cause=f"Rejected by {by}: {reason or 'no reason given'}. Nothing was written."
        )
        audit.record(by, "reject plan", str(locked), after={"reason": reason})
    run.refresh_from_db()


def cancel(run: SyncRun, by: User) -> None:
    """Stop a run after the batch it is sending; what was written stays. Raises DecisionRefused."""
    if not by.has_perm("connectors.cancel_run"):
        raise DecisionRefused("Your role may not cancel runs.", "An operator or an administrator can.")
    if run.status == RunStatus.AWAITING_APPROVAL:
        reject(run, by, "cancelled")
        return
    asked = SyncRun.objects.working().filter(pk=run.pk).update(cancel_requested_by=by)
    if not asked:
        run.refresh_from_db()
        raise DecisionRefused(f"Run #{run.pk} is {run.state.label.lower()}.", "There is nothing left to cancel.")
    audit.record(by, "cancel run", str(run))
    run.refresh_from_db()


def expire_plans() -> int:
    """Close plans that nobody approved in time. Returns how many."""
    expired = 0
    for run in SyncRun.objects.filter(status=RunStatus.AWAITING_APPROVAL, expires_at__lte=timezone.now()):
        with transaction.atomic():
            locked = SyncRun.objects.select_for_update().get(pk=run.pk)
            if locked.status == RunStatus.AWAITING_APPROVAL:
                locked.items.filter(outcome=Outcome.PLANNED).update(outcome=Outcome.CANCELLED)
                finish(locked, RunStatus.EXPIRED, cause="Nobody approved it in time: nothing was written.")
                expired += 1
    return expired
