"""Everything about talking to others reliably: ports, adapters, stores, runs."""
