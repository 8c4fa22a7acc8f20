"""Addresses of pages about orders, below the console's root."""

from __future__ import annotations

from django.urls import URLPattern, path

from orders.views import documents, outgoing, pulls, queue, refunds, register, sales, waves, written_off
from orders.views.came_back import CameBackPage
from orders.views.days import OrderDaysPage
from orders.views.edit import EditLinePage
from orders.views.feeds import ReadOrders
from orders.views.goods import GoodsPage
from orders.views.integration import IntegrationPage
from orders.views.looks import CloseLook
from orders.views.names import OrderNamesPage
from orders.views.put_back import PutBackPage

urlpatterns: list[URLPattern] = [
    path("orders/", sales.SalesPage.as_view(), name="sales"),
    path("orders/<int:pk>/", sales.SalePage.as_view(), name="sale"),
    path("orders/<int:pk>/lines/<int:line>/", EditLinePage.as_view(), name="edit_line"),
    path("waves/", waves.WavesPage.as_view(), name="waves"),
    path("waves/new/", waves.NewWavePage.as_view(), name="new_wave"),
    path("waves/<int:pk>/", waves.WavePage.as_view(), name="wave"),
    path("waves/<int:pk>/pick-list/", waves.PickList.as_view(), name="pick_list"),
    path("pulls/", pulls.PullsPage.as_view(), name="pulls"),
    path("pulls/<int:pk>/remove/", pulls.RemovePull.as_view(), name="remove_pull"),
    path("order-queue/", queue.QueuePage.as_view(), name="order_queue"),
    path("order-queue/retry/", queue.RetryOrders.as_view(), name="order_queue_retry"),
    path("order-queue/<int:pk>/", queue.IncomingPage.as_view(), name="incoming"),
    path("refunds/", refunds.RefundsPage.as_view(), name="refunds"),
    path("refunds/<int:pk>/", refunds.RefundPage.as_view(), name="refund"),
    path("refunds/<int:pk>/decide/", refunds.DecideRefund.as_view(), name="decide_refund"),
    path("outgoing-fulfilments/", outgoing.OutgoingPage.as_view(), name="outgoing"),
    path("outgoing-fulfilments/<int:pk>/decide/", outgoing.DecideOutgoing.as_view(), name="decide_outgoing"),
    path("written-off/", written_off.WrittenOffPage.as_view(), name="written_off"),
    path("written-off/<int:pk>/return/", written_off.ReturnToStock.as_view(), name="return_to_stock"),
    path("documents/register/", register.RegisterPage.as_view(), name="register"),
    path("documents/register/review/", register.CloseReview.as_view(), name="close_review"),
    path("documents/register/csv/", register.RegisterExport.as_view(), name="register_csv"),
    path("documents/register/xlsx/", register.RegisterWorkbook.as_view(), name="register_xlsx"),
    path("documents/csv/", documents.DocumentsExport.as_view(), name="documents_csv"),
    path("documents/<int:pk>/", documents.DocumentPage.as_view(), name="document"),
    path("documents/<int:pk>/csv/", documents.DocumentExport.as_view(), name="document_csv"),
    path("documents/<int:pk>/pdf/", documents.DocumentPdf.as_view(), name="document_pdf"),
    path("documents/<slug:name>/", documents.DocumentsPage.as_view(), name="documents"),
    path("order-queue/<int:pk>/goods/", GoodsPage.as_view(), name="order_goods"),
    path("order-queue/<int:pk>/put-back/", PutBackPage.as_view(), name="put_back"),
    path("order-queue/<int:pk>/looked/", CloseLook.as_view(), name="close_look"),
    path("order-queue/<int:pk>/came-back/", CameBackPage.as_view(), name="came_back"),
    path("stores/<slug:slug>/orders/", IntegrationPage.as_view(), name="store_orders"),
    path("stores/<slug:slug>/order-days/", OrderDaysPage.as_view(), name="order_days"),
    path("stores/<slug:slug>/order-names/", OrderNamesPage.as_view(), name="order_names"),
    path("stores/<slug:slug>/orders/read/", ReadOrders.as_view(), name="read_orders"),
]
