"""Who is told about what, and what was sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from connectors import notices
from connectors.models import Notice, NoticeEvent, NoticeRule
from connectors.models.notices import NoticeStatus
from syncconsole.kernel.admin import ConsoleAdmin, Crumb, ReadOnlyAdmin


class NoticeRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """The address is replaced by typing a new one; the old one is never shown."""

    events = forms.MultipleChoiceField(choices=NoticeEvent.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = NoticeRule
        fields = ("name", "store", "events", "address", "quiet_from", "quiet_to", "repeat_minutes", "active")


@admin.register(NoticeRule)
class NoticeRuleAdmin(ConsoleAdmin):
    """Rules, each as a sentence, with a test that says what came back."""

    form = NoticeRuleForm
    list_display = ("name", "for_store", "about", "quiet", "active")
    list_select_related = ("store",)
    list_filter = ("active",)
    search_fields = ("name",)
    actions_detail = ("send_test",)

    @admin.display(description="Store")
    def for_store(self, rule: NoticeRule) -> str:
        """The store, or all of them."""
        return rule.store.name if rule.store else "All stores"

    @admin.display(description="Told about")
    def about(self, rule: NoticeRule) -> str:
        """The events in words."""
        return ", ".join(NoticeEvent(event).label for event in rule.events)

    @admin.display(description="Quiet")
    def quiet(self, rule: NoticeRule) -> str:
        """The quiet hours."""
        if rule.quiet_from is None or rule.quiet_to is None:
            return "never"
        return f"{rule.quiet_from:%H:%M} to {rule.quiet_to:%H:%M}"

    @action(description="Send test", url_path="send-test", permissions=["send_test"])
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first, since following a link must not send anything; then send one message and say what came back."""
        rule = get_object_or_404(NoticeRule, pk=object_id)
        back = reverse("admin:connectors_noticerule_change", args=[rule.pk])
        if request.method != "POST":
            crumbs = [Crumb("Notices", reverse("admin:connectors_noticerule_changelist")), Crumb(rule.name, back)]
            confirm = {
                "title": f"Send a test message for {rule}",
                "effect": "One message goes to the rule's address now, whatever the hour. It is kept in the sent log.",
                "verb": "Send test",
                "url": request.path,
            }
            context = {"crumbs": [*crumbs, Crumb("Send test")], "title": "Send test", "confirm": confirm}
            frame = {**admin.site.each_context(request), **context}
            return TemplateResponse(request, "connectors/send_test.html", frame)
        reply = notices.send_test(rule)
        if reply.ok:
            messages.success(request, f"The test for {rule} was taken.")
        else:
            messages.warning(request, f"The test for {rule} was not sent. {reply.cause} {reply.remedy}")
        return redirect(back)

    def has_send_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change rules may test them."""
        return bool(self.has_change_permission(request))


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """The sent log."""

    list_display = ("subject", "rule", "state", "created_at", "sent_at", "tries", "cause")
    list_select_related = ("rule",)
    list_filter = ("status", "rule")
    fields = (
        "subject",
        "body",
        "link",
        "rule",
        "store",
        "event",
        "status",
        "created_at",
        "sent_at",
        "tries",
        "cause",
        "remedy",
    )

    @admin.display(description="State")
    def state(self, notice: Notice) -> str:
        """The state's word."""
        return NoticeStatus(notice.status).label
