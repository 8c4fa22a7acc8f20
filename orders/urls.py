"""Addresses of pages about orders, below the console's root."""

from __future__ import annotations

from django.urls import URLPattern, path

from orders.views import queue, sales
from orders.views.feeds import ReadOrders
from orders.views.names import OrderNamesPage

urlpatterns: list[URLPattern] = [
    path("orders/", sales.SalesPage.as_view(), name="sales"),
    path("orders/<int:pk>/", sales.SalePage.as_view(), name="sale"),
    path("order-queue/", queue.QueuePage.as_view(), name="order_queue"),
    path("order-queue/retry/", queue.RetryOrders.as_view(), name="order_queue_retry"),
    path("order-queue/<int:pk>/", queue.IncomingPage.as_view(), name="incoming"),
    path("stores/<slug:slug>/order-names/", OrderNamesPage.as_view(), name="order_names"),
    path("stores/<slug:slug>/orders/read/", ReadOrders.as_view(), name="read_orders"),
]
