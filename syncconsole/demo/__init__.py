"""What the demo shows: a merchant, its files and its story."""
