"""Shopify: the adapter, its client and its documents."""
