"""The control API under ``/_control/``: set the stage for a test or a demo, and look behind it. `routes` has the one table."""

from .routes import answer

__all__ = ["answer"]
