"""Shopify's Admin API (GraphQL over HTTP, version 2026-10) as far as the product calls it."""
