"""A page that takes a CSV file, works through it, and tells what came of each row."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, BinaryIO
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog.csv_rows import FileRefused
from syncconsole.kernel import reports
from syncconsole.kernel.admin import ConsolePage

SHOWN_PROBLEMS = 200


class UploadPage(ConsolePage):
    """Upload, then a report that a reload shows again. Subclasses name the command that does the same, and take the file."""

    command = ""
    done = ""
    """What is not done with a file that is refused: imported, recorded."""
    template_file = ""
    columns: Sequence[Any] = ()

    def template_text(self) -> str:
        """The template to download: header and an example row."""
        raise NotImplementedError(f"{type(self).__name__} has no template.")

    def take(self, stream: BinaryIO, origin: str) -> Any:
        """Work through the file; returns a report with `problems`. Raises FileRefused."""
        raise NotImplementedError(f"{type(self).__name__} takes no file.")

    def get(self, request: HttpRequest) -> HttpResponse:
        if "template" in request.GET:
            response = HttpResponse(self.template_text(), content_type="text/csv; charset=utf-8")
            response["Content-Disposition"] = f'attachment; filename="{self.template_file}"'
            return response
        return self.show(report=reports.kept(self.person, request.GET.get("report", "")))

    def show(self, *, status: int = 200, report: Any = None, problem: str = "", remedy: str = "") -> HttpResponse:
        """The form, and what came of the last file."""
        problems = report.problems[:SHOWN_PROBLEMS] if report else []
        return self.page(
            status=status, report=report, problems=problems, problem=problem, remedy=remedy, columns=self.columns
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        upload = request.FILES.get("file")
        if upload is None or not upload.size:
            return self.show(status=422, problem="No file was chosen, or it is empty.", remedy="Choose a CSV file.")
        if upload.size > settings.MAX_UPLOAD_BYTES:
            limit = f"{settings.MAX_UPLOAD_BYTES // 1024 // 1024} MB"
            problem = f"The file is larger than {limit}. Nothing was {self.done}."
            return self.show(status=422, problem=problem, remedy=f"Split it, or use the command {self.command}.")
        try:
            report = self.take(io.BytesIO(upload.read()), upload.name or "upload")
        except FileRefused as refused:
            return self.show(status=422, problem=refused.cause, remedy=refused.remedy)
        word = reports.keep(self.person, report)
        return redirect(f"{reverse(f'admin:{self.command}')}?{urlencode({'report': word})}")
