"""Addresses of pages about quantities, below the console's root."""

from __future__ import annotations

from django.urls import URLPattern, path

from inventory.views.change_log import ChangeLogPage
from inventory.views.drifts import AcknowledgeOffsetPage, DecideDriftPage, ResumeLevel
from inventory.views.gates import GatesLive, GatesPage
from inventory.views.held import HeldPage
from inventory.views.ledger import LedgerPage
from inventory.views.levels import LevelsPage
from inventory.views.link import LinkNow
from inventory.views.mapping import MappingsPage
from inventory.views.monitoring import MonitoringPage
from inventory.views.openings import DropOpening, OpeningExport, OpeningPage, OpeningsPage, SignOpening
from inventory.views.quarantine import DecideClone, QuarantinePage
from inventory.views.record_stock import RecordStockPage
from inventory.views.schedules import SchedulesPage, StoreSchedulePage
from inventory.views.set_aside import ReleaseSetAside, SetAsidePage
from inventory.views.start import StartFull, StartJob
from inventory.views.undo import UndoRunPage
from inventory.views.untracked import UntrackedPage
from inventory.views.validation import CountSample, DrawSheet, SheetExport, SignSheet, ValidationPage
from inventory.views.why import WhyLevelPage, WhyPage

urlpatterns: list[URLPattern] = [
    path("stores/<slug:slug>/gates/", GatesPage.as_view(), name="store_gates"),
    path("schedules/", SchedulesPage.as_view(), name="schedules"),
    path("stores/<slug:slug>/schedule/", StoreSchedulePage.as_view(), name="store_schedule"),
    path("stores/<slug:slug>/gates/live/", GatesLive.as_view(), name="store_gates_live"),
    path("stores/<slug:slug>/untracked/", UntrackedPage.as_view(), name="untracked"),
    path("stores/<slug:slug>/validation/", ValidationPage.as_view(), name="validation"),
    path("stores/<slug:slug>/validation/draw/", DrawSheet.as_view(), name="validation_draw"),
    path("stores/<slug:slug>/validation/count/", CountSample.as_view(), name="validation_count"),
    path("stores/<slug:slug>/validation/sign/", SignSheet.as_view(), name="validation_sign"),
    path("stores/<slug:slug>/validation/csv/", SheetExport.as_view(), name="validation_csv"),
    path("stores/<slug:slug>/mappings/", MappingsPage.as_view(), name="store_mappings"),
    path("stores/<slug:slug>/start/<str:mode>/", StartJob.as_view(), name="start_job"),
    path("stores/<slug:slug>/full/", StartFull.as_view(), name="start_full"),
    path("stores/<slug:slug>/link/", LinkNow.as_view(), name="link_now"),
    path("openings/", OpeningsPage.as_view(), name="openings"),
    path("openings/<int:pk>/", OpeningPage.as_view(), name="opening"),
    path("openings/<int:pk>/sign/", SignOpening.as_view(), name="opening_sign"),
    path("openings/<int:pk>/drop/", DropOpening.as_view(), name="opening_drop"),
    path("openings/<int:pk>/csv/", OpeningExport.as_view(), name="opening_csv"),
    path("levels/", LevelsPage.as_view(), name="levels"),
    path("levels/<int:pk>/why/", WhyPage.as_view(), name="why"),
    path("levels/ours/<int:pk>/why/", WhyLevelPage.as_view(), name="why_level"),
    path("ledger/", LedgerPage.as_view(), name="ledger"),
    path("ledger/record/", RecordStockPage.as_view(), name="record_stock"),
    path("change-log/", ChangeLogPage.as_view(), name="change_log"),
    path("monitoring/", MonitoringPage.as_view(), name="monitoring"),
    path("quarantine/", QuarantinePage.as_view(), name="quarantine"),
    path("quarantine/<int:pk>/decide/", DecideClone.as_view(), name="decide_clone"),
    path("held/", HeldPage.as_view(), name="held"),
    path("held/aside/", SetAsidePage.as_view(), name="set_aside"),
    path("held/aside/release/", ReleaseSetAside.as_view(), name="release_set_aside"),
    path("held/decide/", DecideDriftPage.as_view(), name="decide_drift"),
    path("levels/<int:pk>/resume/", ResumeLevel.as_view(), name="resume_level"),
    path("levels/<int:pk>/orders/", AcknowledgeOffsetPage.as_view(), name="sign_offset"),
    path("runs/<int:pk>/undo/", UndoRunPage.as_view(), name="run_undo"),
]
