"""Webhook deliveries: what is told to whom, signed, tried again by the sandbox's clock, and spoilt on purpose."""

from .engine import Webhooks

__all__ = ["Webhooks"]
