"""Quantities: the ledger, what each store is believed to show, and the jobs that keep both equal."""
