"""The admin theme's settings. Colours: docs/operators/look.md."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Sync Console",
    "SITE_HEADER": "Sync Console",
    "SITE_SUBHEADER": "syncconsole.navigation.subheader",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/favicon.svg")},
    ],
    "SITE_DROPDOWN": "syncconsole.navigation.store_switcher",
    "ENVIRONMENT": "syncconsole.navigation.environment",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [lambda request: static("console/console.js")],
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "syncconsole.navigation.sidebar",
    },
    "COMMAND": {"search_models": False, "show_history": False, "search_callback": "syncconsole.navigation.palette"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 285)",
            "100": "oklch(94.5% .028 285)",
            "200": "oklch(89.5% .055 285)",
            "300": "oklch(81% .105 285)",
            "400": "oklch(73% .145 285)",
            "500": "oklch(66% .18 285)",
            "600": "oklch(54% .2 285)",
            "700": "oklch(47% .185 285)",
            "800": "oklch(41% .155 285)",
            "900": "oklch(35.5% .125 285)",
            "950": "oklch(26% .09 285)",
        }
    },
}
