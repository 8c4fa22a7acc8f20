"""Addresses of pages about orders, below the console's root."""

from __future__ import annotations

from django.urls import URLPattern, path

from orders.views.feeds import ReadOrders

urlpatterns: list[URLPattern] = [
    path("stores/<slug:slug>/orders/read/", ReadOrders.as_view(), name="read_orders"),
]
