"""Orders, refunds and their documents."""
