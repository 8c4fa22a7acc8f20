"""Pages and doors of orders."""
