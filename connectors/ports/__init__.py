"""Neutral dataclasses, protocols and errors. No Django, no vendor."""
