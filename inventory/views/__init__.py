"""Pages about quantities, one module per page."""
