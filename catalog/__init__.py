"""What is described and sold: products, variants, and how stores list them."""
