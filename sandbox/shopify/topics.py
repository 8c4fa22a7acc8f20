"""What one part of the API adds to the whole: resolvers, scopes, node types and webhook payloads, in one table each.

Its types stand in `schema/<part>.graphql`; fields of the roots are added there with ``extend type QueryRoot`` and
``extend type Mutation``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .execution import Run

Field = tuple[str, str]  # GraphQL type, field


@dataclass(frozen=True)
class Topic:
    """One part of the API. Everything is optional; keys of two parts never coincide (a test of the whole checks it)."""

    full: dict[Field, Callable[[Any, Any, Run], Any]] = field(default_factory=dict)
    plain: dict[Field, Callable[[Any], Any]] = field(default_factory=dict)
    prepare: dict[Field, Callable[[dict[str, Any], Run], Any]] = field(default_factory=dict)
    access: dict[Field, frozenset[str]] = field(default_factory=dict)  # any one of the scopes opens the field
    type_names: dict[str, str] = field(default_factory=dict)  # Python class → GraphQL type, for interfaces and unions
    node_scopes: dict[str, frozenset[str]] = field(default_factory=dict)  # GraphQL type → scopes of node and nodes
    visible: dict[str, Callable[[Run, Any], bool]] = field(
        default_factory=dict
    )  # GraphQL type → is the row there for this app
    mappings: frozenset[str] = frozenset()  # GraphQL types whose rows are dicts
    payloads: dict[str, Callable[[Any, Any], dict[str, Any]]] = field(default_factory=dict)
    """Webhook topic, e.g. ``orders/updated`` → (shop, row) to the REST-shaped payload."""
