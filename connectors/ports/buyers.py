"""Who bought, in words of no vendor. What stands here is personal data: kept where it is needed, erased on request
(`orders.privacy`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a buyer, a theme or an app wrote beside an order or a line, as it was written."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class LocalizedField:
    """What a country's law asks of an order. `purpose` is shipping or tax; `key` is the store's, such as
    tax_credential_it."""

    key: str
    country: str
    purpose: str
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as the buyer wrote it; empty strings where nothing was. `country` is ISO 3166-1 alpha-2,
    `province_code` its subdivision without the country."""

    name: str
    company: str
    address1: str
    address2: str
    city: str
    province: str
    province_code: str
    zip: str
    country: str
    phone: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Who bought, as the store's customer record says today. `email` and `phone` are that record's, the order has its
    own. None where the store refused that one field."""

    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    tax_exempt: bool


@dataclass(frozen=True, slots=True)
class Company:
    """The business that bought (B2B), and which of its places. `external_id`s are the merchant's own; `tax_id` is the
    place's tax registration."""

    ref: str
    name: str
    external_id: str
    location_ref: str
    location_name: str
    location_external_id: str
    tax_id: str
