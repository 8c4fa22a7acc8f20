"""Pages about stores and runs, one module per page."""
