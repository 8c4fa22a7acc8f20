"""Pages about items and their links to stores, one module per page."""
