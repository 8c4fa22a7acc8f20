"""Addresses of pages about stores and runs, below the console's root."""

from __future__ import annotations

from django.urls import URLPattern, path

from connectors.views.changes import ChangePage, ChangesPage, IgnoreChange, RetryChange, RetryChanges
from connectors.views.decisions import ApproveRun, CancelRun, RejectRun
from connectors.views.run import RunExport, RunLive, RunPage
from connectors.views.runs import RunsPage, StoreRunsPage
from connectors.views.stores import ConnectionTest, PauseWrites, ReplaceCredentials, ReplaceToken
from connectors.views.webhooks import (
    CheckSubscriptions,
    DeliveryPage,
    IgnoreDelivery,
    InboxPage,
    RetryDelivery,
    StoreWebhooksPage,
)

urlpatterns: list[URLPattern] = [
    path("runs/", RunsPage.as_view(), name="runs"),
    path("runs/<int:pk>/", RunPage.as_view(), name="run"),
    path("runs/<int:pk>/live/", RunLive.as_view(), name="run_live"),
    path("runs/<int:pk>/export/", RunExport.as_view(), name="run_export"),
    path("runs/<int:pk>/approve/", ApproveRun.as_view(), name="run_approve"),
    path("runs/<int:pk>/reject/", RejectRun.as_view(), name="run_reject"),
    path("runs/<int:pk>/cancel/", CancelRun.as_view(), name="run_cancel"),
    path("webhooks/", InboxPage.as_view(), name="webhooks"),
    path("webhooks/<int:pk>/", DeliveryPage.as_view(), name="webhook"),
    path("webhooks/<int:pk>/retry/", RetryDelivery.as_view(), name="webhook_retry"),
    path("webhooks/<int:pk>/ignore/", IgnoreDelivery.as_view(), name="webhook_ignore"),
    path("changes/", ChangesPage.as_view(), name="changes"),
    path("changes/retry/", RetryChanges.as_view(), name="changes_retry"),
    path("changes/<int:pk>/", ChangePage.as_view(), name="change"),
    path("changes/<int:pk>/retry/", RetryChange.as_view(), name="change_retry"),
    path("changes/<int:pk>/ignore/", IgnoreChange.as_view(), name="change_ignore"),
    path("stores/<slug:slug>/webhooks/", StoreWebhooksPage.as_view(), name="store_webhooks"),
    path("stores/<slug:slug>/webhooks/check/", CheckSubscriptions.as_view(), name="check_subscriptions"),
    path("stores/<slug:slug>/runs/", StoreRunsPage.as_view(), name="store_runs"),
    path("stores/<slug:slug>/test/", ConnectionTest.as_view(), name="test_connection"),
    path("stores/<slug:slug>/token/", ReplaceToken.as_view(), name="replace_token"),
    path("stores/<slug:slug>/access/", ReplaceCredentials.as_view(), name="replace_credentials"),
    path("stores/<slug:slug>/pause/", PauseWrites.as_view(), name="pause_writes"),
]
