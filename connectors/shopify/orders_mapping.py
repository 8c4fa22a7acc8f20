"""Shopify's orders in the port's words. No input or output happens here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from connectors.ports.money import Money, TaxLine, Transaction, TwoPrices
from connectors.ports.orders import (
    Bundle,
    Discount,
    Duty,
    Fee,
    Fulfilment,
    FulfilmentLine,
    FulfilmentOrder,
    OrderLine,
    RemoteOrder,
    ShippingLine,
    Tracking,
    WorkLine,
)
from connectors.ports.refunds import (
    Adjustment,
    ExchangeLine,
    Refund,
    RefundDuty,
    RefundLine,
    RefundShipping,
    Return,
    ReturnLine,
)
from connectors.shopify import orders_buyers as buyers
from connectors.shopify import orders_nodes as nodes
from connectors.shopify.bulk_rows import id_number
from connectors.shopify.orders_edits import edits

Row = TypeVar("Row", nodes.Line, nodes.Shipping, nodes.ReturnNode, nodes.Work)

_DISCOUNTS: Final = {
    "DiscountCodeApplication": "code",
    "AutomaticDiscountApplication": "automatic",
    "ManualDiscountApplication": "manual",
}


def order(node: nodes.OrderNode, refused: Collection[str] = ()) -> RemoteOrder:
    """One order whose connections have been read to the end. `refused`: which fields of `PROTECTED` the shop did not
    show, or not whole."""
    return RemoteOrder(
        ref=node.id,
        number=node.number,
        name=node.name,
        confirmation=node.confirmation_number or "",
        source=node.source_name or "",
        channel=node.app.name if node.app else "",
        retail_location_ref=_ref(node.retail_location),
        test=node.test,
        edited=node.edited,
        po_number=node.po_number or "",
        source_identifier=node.source_identifier or "",
        tags=tuple(node.tags),
        customer_ref=node.customer.id if node.customer else "",
        customer=buyers.customer(node.customer, refused),
        email=buyers.text(node.email, "email" in refused),
        phone=buyers.text(node.phone, "phone" in refused),
        billing_address=buyers.address(node.billing_address),
        shipping_address=buyers.address(node.shipping_address),
        company=buyers.company(node.purchasing_entity),
        note=buyers.text(node.note, "note" in refused),
        withheld=tuple(sorted({buyers.PROTECTED[path.partition(".")[0]] for path in refused})),
        attributes=buyers.attributes(node.custom_attributes),
        localized=tuple(buyers.localized(one) for one in node.localized_fields.nodes),
        created_at=node.created_at,
        processed_at=node.processed_at,
        updated_at=node.updated_at,
        cancelled_at=node.cancelled_at,
        closed_at=node.closed_at,
        cancel_reason=_word(node.cancel_reason),
        financial_status=_word(node.display_financial_status),
        fulfilment_status=_word(node.display_fulfillment_status),
        return_status=_word(node.return_status),
        currency=node.currency_code,
        presentment_currency=node.presentment_currency_code,
        taxes_included=node.taxes_included,
        tax_exempt=node.tax_exempt,
        duties_included=node.duties_included,
        gateways=tuple(node.payment_gateway_names),
        original_total=_both(node.original_total_price_set),
        total=_both(node.total_price_set),
        current_total=_both(node.current_total_price_set),
        subtotal=_both_if(node.subtotal_price_set),
        current_subtotal=_both(node.current_subtotal_price_set),
        total_discounts=_both_if(node.total_discounts_set),
        total_shipping=_both(node.total_shipping_price_set),
        total_tax=_both_if(node.total_tax_set),
        current_total_tax=_both(node.current_total_tax_set),
        total_tip=_both(node.total_tip_received_set),
        total_duties=_both_if(node.original_total_duties_set),
        total_received=_both(node.total_received_set),
        total_capturable=_both(node.total_capturable_set),
        total_refunded=_both(node.total_refunded_set),
        total_outstanding=_both(node.total_outstanding_set),
        rounding_paid=_both(node.total_cash_rounding_adjustment.payment_set),
        rounding_refunded=_both(node.total_cash_rounding_adjustment.refund_set),
        taxes=_taxes(node.tax_lines),
        fees=tuple(
            Fee(ref=fee.id, name=fee.name, price=_both(fee.price), taxes=_taxes(fee.tax_lines))
            for fee in node.additional_fees
        ),
        lines=tuple(_line(line) for line in _in_order(node.line_items.nodes)),
        shipping=tuple(_shipping(line) for line in _in_order(node.shipping_lines.nodes)),
        transactions=tuple(_movement(movement) for movement in node.transactions),
        refunds=tuple(_refund(refund) for refund in node.refunds),
        returns=tuple(_return(returned) for returned in _in_order(node.returns.nodes)),
        fulfilments=tuple(_fulfilment(sent) for sent in node.fulfillments),
        fulfilment_orders=tuple(_work(work) for work in _in_order(node.fulfillment_orders.nodes)),
        edits=edits(node.agreements) if node.agreements else (),
    )


def _line(node: nodes.Line) -> OrderLine:
    return OrderLine(
        ref=node.id,
        name=node.name,
        title=node.title,
        variant_title=node.variant_title or "",
        vendor=node.vendor or "",
        sku=node.sku or "",
        product_ref=_ref(node.product),
        variant_ref=node.variant.id if node.variant else "",
        item_ref=node.variant.inventory_item.id if node.variant else "",
        quantity=node.quantity,
        current_quantity=node.current_quantity,
        refundable_quantity=node.refundable_quantity,
        unfulfilled_quantity=node.unfulfilled_quantity,
        is_gift_card=node.is_gift_card,
        taxable=node.taxable,
        requires_shipping=node.requires_shipping,
        unit_price=_both(node.original_unit_price_set),
        discounted_total=_both(node.discounted_total_set),
        discounts=_discounts(node.discount_allocations),
        taxes=_taxes(node.tax_lines),
        duties=tuple(Duty(ref=duty.id, price=_both(duty.price), taxes=_taxes(duty.tax_lines)) for duty in node.duties),
        bundle=_bundle(node),
        attributes=buyers.attributes(node.custom_attributes),
    )


def _bundle(node: nodes.Line) -> Bundle | None:
    group = node.line_item_group
    if group is None:
        return None
    return Bundle(
        ref=group.id,
        title=group.title,
        quantity=group.quantity,
        product_ref=group.product_id or "",
        variant_ref=group.variant_id or "",
        sku=group.variant_sku or "",
        attributes=buyers.attributes(group.custom_attributes),
    )


def _shipping(node: nodes.Shipping) -> ShippingLine:
    return ShippingLine(
        ref=node.id or "",
        title=node.title,
        code=node.code or "",
        source=node.source or "",
        is_removed=node.is_removed,
        price=_both(node.original_price_set),
        discounted_price=_both(node.discounted_price_set),
        discounts=_discounts(node.discount_allocations),
        taxes=_taxes(node.tax_lines),
    )


def _movement(node: nodes.Movement) -> Transaction:
    return Transaction(
        ref=node.id,
        kind=_word(node.kind),
        status=_word(node.status),
        gateway=node.gateway or "",
        gateway_title=node.formatted_gateway or "",
        manual=node.manual_payment_gateway,
        error=_word(node.error_code),
        created_at=node.created_at,
        processed_at=node.processed_at,
        test=node.test,
        amount=_both(node.amount_set),
        rounding=_both_if(node.amount_rounding_set),
        parent_ref=_ref(node.parent_transaction),
    )


def _refund(node: nodes.RefundNode) -> Refund:
    return Refund(
        ref=node.id,
        created_at=node.created_at,
        processed_at=node.processed_at,
        updated_at=node.updated_at,
        note=node.note or "",
        return_ref=_ref(node.returned),
        total=_both(node.total_refunded_set),
        lines=tuple(_refund_line(line) for line in node.refund_line_items.nodes),
        shipping=tuple(
            RefundShipping(
                ref=line.id,
                shipping_line_ref=line.shipping_line.id or "",
                subtotal=_both(line.subtotal_amount_set),
                tax=_both(line.tax_amount_set),
            )
            for line in node.refund_shipping_lines.nodes
        ),
        duties=tuple(
            RefundDuty(duty_ref=_ref(duty.original_duty), amount=_both(duty.amount_set)) for duty in node.duties or []
        ),
        adjustments=tuple(
            Adjustment(
                ref=line.id, reason=_word(line.reason), amount=_both(line.amount_set), tax=_both(line.tax_amount_set)
            )
            for line in node.order_adjustments.nodes
        ),
        transactions=tuple(_movement(movement) for movement in node.transactions.nodes),
    )


def _refund_line(node: nodes.RefundLineNode) -> RefundLine:
    return RefundLine(
        ref=node.id or "",
        line_ref=node.line_item.id,
        quantity=node.quantity,
        restock=_word(node.restock_type),
        restocked=node.restocked,
        location_ref=_ref(node.location),
        price=_both(node.price_set),
        subtotal=_both(node.subtotal_set),
        tax=_both(node.total_tax_set),
    )


def _return(node: nodes.ReturnNode) -> Return:
    return Return(
        ref=node.id,
        name=node.name,
        status=_word(node.status),
        created_at=node.created_at,
        closed_at=node.closed_at,
        lines=tuple(
            ReturnLine(
                ref=line.id,
                line_ref=line.fulfillment_line_item.line_item.id if line.fulfillment_line_item else "",
                quantity=line.quantity,
                processed_quantity=line.processed_quantity,
                refunded_quantity=line.refunded_quantity,
            )
            for line in node.return_line_items.nodes
        ),
        exchanges=tuple(
            ExchangeLine(
                ref=line.id, quantity=line.quantity, line_refs=tuple(item.id for item in line.line_items or [])
            )
            for line in node.exchange_line_items.nodes
        ),
    )


def _fulfilment(node: nodes.FulfilmentNode) -> Fulfilment:
    return Fulfilment(
        ref=node.id,
        name=node.name,
        status=_word(node.status),
        created_at=node.created_at,
        updated_at=node.updated_at,
        location_ref=_ref(node.location),
        lines=tuple(
            FulfilmentLine(ref=line.id, line_ref=line.line_item.id, quantity=line.quantity or 0)
            for line in node.fulfillment_line_items.nodes
        ),
        tracking=tuple(
            Tracking(company=parcel.company or "", number=parcel.number or "") for parcel in node.tracking_info
        ),
    )


def _work(node: nodes.Work) -> FulfilmentOrder:
    return FulfilmentOrder(
        ref=node.id,
        status=_word(node.status),
        request_status=_word(node.request_status),
        created_at=node.created_at,
        updated_at=node.updated_at,
        location_ref=_ref(node.assigned_location.location),
        location_name=node.assigned_location.name,
        holds=tuple(_word(hold.reason) for hold in node.fulfillment_holds),
        lines=tuple(
            WorkLine(
                ref=line.id,
                line_ref=line.line_item.id,
                item_ref=line.inventory_item_id or "",
                total_quantity=line.total_quantity,
                remaining_quantity=line.remaining_quantity,
            )
            for line in node.line_items.nodes
        ),
    )


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """By number, so that an order is the same whichever way it was read."""
    return sorted(rows, key=lambda row: id_number(row.id or ""))


def _ref(node: nodes.Identified | None) -> str:
    return node.id if node else ""


def _word(value: str | None) -> str:
    return (value or "").lower()


def _both(bag: nodes.Bag) -> TwoPrices:
    shop, buyer = bag.shop_money, bag.presentment_money
    return TwoPrices(shop=Money(shop.amount, shop.currency_code), presentment=Money(buyer.amount, buyer.currency_code))


def _both_if(bag: nodes.Bag | None) -> TwoPrices | None:
    return _both(bag) if bag else None


def _taxes(lines: Sequence[nodes.Tax]) -> tuple[TaxLine, ...]:
    return tuple(
        TaxLine(title=line.title, rate=line.rate, price=_both(line.price_set), channel_liable=bool(line.channel_liable))
        for line in lines
    )


def _discounts(allocations: Sequence[nodes.Allocated]) -> tuple[Discount, ...]:
    return tuple(
        Discount(
            amount=_both(one.allocated_amount_set),
            kind=_DISCOUNTS.get(one.discount_application.kind, ""),
            name=one.discount_application.code or one.discount_application.title,
        )
        for one in allocations
    )
