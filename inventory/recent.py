"""Recent changes: the levels that are owed something are read, compared, and adjusted by the difference (algorithms.md §6)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from connectors.planning import Line
from inventory import publications
from inventory.daily import DailyRun
from inventory.jobs import Job
from inventory.models import LevelPublication
from inventory.models.pushes import WriteKind
from inventory.settled import Reading


class RecentRun(DailyRun):
    """A delta that looks first. It erases exactly what an overwrite would, so it passes the same tests."""

    job = Job.RECENT
    write = WriteKind.COMPARED

    def scope(self) -> QuerySet[LevelPublication]:
        """Levels where something moved here since they were last in step."""
        return super().scope().filter(needs_look=True)

    def looked(self, group: Mapping[int, Reading], lines: list[Line]) -> None:
        """Levels in step need no look any more."""
        publications.clear_marks(group.keys() - {line.subject_id for line in lines})
