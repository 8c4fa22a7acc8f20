"""Rows for tests, one module per app. Defaults describe the sample world: Atelier Bucovina and its stores."""
