"""Advanced schedules: the periodic tasks themselves, in the console's look. Stores set their delta on their own page."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.admin import ClockedScheduleAdmin as StockClockedAdmin
from django_celery_beat.admin import CrontabScheduleAdmin as StockCrontabAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as StockTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class RegisteredTasks(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    """The task names that workers know, in the console's look."""


class TaskForm(PeriodicTaskForm):  # type: ignore[misc]
    """Beat's form with the console's widgets."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = RegisteredTasks()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(StockTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """Periodic tasks."""

    form = TaskForm
    list_fullwidth = True
    date_hierarchy = None
    list_display = ("name", "enabled", "interval", "crontab", "last_run_at")


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):  # type: ignore[misc]
    """Intervals."""


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(StockCrontabAdmin, ModelAdmin):  # type: ignore[misc]
    """Times of day."""


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ModelAdmin):  # type: ignore[misc]
    """Sunrise and sunset."""


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(StockClockedAdmin, ModelAdmin):  # type: ignore[misc]
    """Single moments."""
