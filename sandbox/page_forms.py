"""The forms of the page at ``/``: each becomes one call of the control API, so a person and a script use the same doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from . import control
from .control.routes import ROUTES
from .faults import KINDS
from .wire import Request

if TYPE_CHECKING:
    from .app import Sandbox

Values = dict[str, str]
_RESTOCK = (
    "RETURN: shipped goods come back",
    "CANCEL: not shipped, available again",
    "NO_RESTOCK: money only",
)


@dataclass(frozen=True)
class Field:
    """One input of a form. `options` makes it a choice, `kind` ``place`` one of the shop's locations."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    options: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Form:
    """One form: where it goes in the control API, and what of its values goes along."""

    name: str
    title: str
    button: str
    fields: tuple[Field, ...]
    path: Callable[[Values], str]
    body: Callable[[Values], dict[str, Any]]


def _number(values: Values, name: str) -> int:
    return int(values[name])


def _at(values: Values) -> dict[str, Any]:
    return {"location": values["location"]} if values.get("location") else {}


def _order_line(values: Values) -> dict[str, Any]:
    return {"sku": values["sku"], "quantity": _number(values, "quantity"), **_at(values)}


def _edit(values: Values) -> dict[str, Any]:
    return {"sku": values["sku"], values["how"].split(" ")[0]: _number(values, "quantity"), **_at(values)}


def _refund(values: Values) -> dict[str, Any]:
    row = {
        "line": _number(values, "line"),
        "quantity": _number(values, "quantity"),
        "restock_type": values["restock"].partition(":")[0],
    }
    return {"lines": [row]}


def _fault(values: Values) -> dict[str, Any]:
    wanted: dict[str, Any] = {"kind": values["kind"], "probability": float(values.get("probability") or 1)}
    if values.get("times"):
        wanted["times"] = _number(values, "times")
    for name in ("operation", "topic"):
        if values.get(name):
            wanted[name] = values[name]
    return wanted


_SKU, _PLACE = Field("sku", "SKU"), Field("location", "Location", kind="place", required=False)
_ORDER = Field("number", "Order number", kind="number")

FORMS: tuple[Form, ...] = (
    Form(
        "order",
        "Place an order",
        "Place order",
        (_SKU, Field("quantity", "Quantity", "1", "number"), _PLACE),
        lambda values: "orders",
        lambda values: {"lines": [_order_line(values)]},
    ),
    Form(
        "fulfill",
        "Ship an order",
        "Ship all that remains",
        (_ORDER,),
        lambda values: f"orders/{_number(values, 'number')}/fulfill",
        lambda values: {},
    ),
    Form(
        "refund",
        "Refund a line",
        "Refund",
        (
            _ORDER,
            Field("line", "Line", "1", "number"),
            Field("quantity", "Quantity", "1", "number"),
            Field("restock", "Stock", options=_RESTOCK),
        ),
        lambda values: f"orders/{_number(values, 'number')}/refund",
        _refund,
    ),
    Form(
        "cancel",
        "Cancel an order",
        "Cancel order",
        (_ORDER, Field("restock", "Restock", options=("yes", "no"))),
        lambda values: f"orders/{_number(values, 'number')}/cancel",
        lambda values: {"restock": values.get("restock") != "no"},
    ),
    Form(
        "stock",
        "Edit stock",
        "Edit stock",
        (
            _SKU,
            Field("how", "How", options=("set to", "delta by", "damaged by")),
            Field("quantity", "Quantity", "0", "number"),
            _PLACE,
        ),
        lambda values: "levels/edit",
        _edit,
    ),
    Form(
        "rename",
        "Rename a handle",
        "Rename",
        (Field("handle", "Handle now"), Field("to", "New handle")),
        lambda values: "products/edit",
        lambda values: {"handle": values["handle"], "new_handle": values["to"], "redirect": True},
    ),
    Form(
        "duplicate",
        "Duplicate a product",
        "Duplicate",
        (Field("handle", "Handle"), Field("title", "Title of the copy", required=False)),
        lambda values: "products/duplicate",
        lambda values: {name: values[name] for name in ("handle", "title") if values.get(name)},
    ),
    Form("hold", "Pause webhooks", "Pause", (), lambda values: "deliveries/hold", lambda values: {}),
    Form(
        "flush",
        "Let webhooks go",
        "Send what is held",
        (
            Field("shuffle", "Order", options=("as it happened", "shuffled")),
            Field("duplicate", "Share sent twice", "0", required=False),
            Field("lose", "Share lost", "0", required=False),
        ),
        lambda values: "deliveries/flush",
        lambda values: {
            "shuffle": values.get("shuffle") == "shuffled",
            "duplicate": float(values.get("duplicate") or 0),
            "lose": float(values.get("lose") or 0),
        },
    ),
    Form(
        "fault",
        "Add a fault",
        "Add fault",
        (
            Field("kind", "Kind", options=KINDS),
            Field("times", "Times (no end if empty)", "1", "number", required=False),
            Field("probability", "Probability", "1", required=False),
            Field("operation", "Operation (any if empty)", required=False),
            Field("topic", "Webhook topic (any if empty)", required=False),
        ),
        lambda values: "faults",
        _fault,
    ),
    Form(
        "clock",
        "Move the clock",
        "Move",
        (Field("minutes", "Minutes", "60", "number"),),
        lambda values: "clock",
        lambda values: {"advance": 60 * _number(values, "minutes")},
    ),
)
_BY_NAME = {form.name: form for form in FORMS}


@dataclass(frozen=True)
class Outcome:
    """What became of a form: the control API's status, and what to tell the person."""

    status: int
    told: str
    remedy: str = ""


def submit(sandbox: Sandbox, name: str, values: Values) -> Outcome:
    """Carry one form out through the control API. What can't be done comes back with cause and remedy."""
    form = _BY_NAME.get(name)
    if form is None:
        return Outcome(404, f"There is no form {name!r}.", "Use the forms of this page.")
    lacking = [field.label for field in form.fields if field.required and not values.get(field.name)]
    if lacking:
        return Outcome(400, f"{form.title}: {', '.join(lacking)} is empty.", "Fill it in and send the form again.")
    try:
        path, body = form.path(values), form.body(values)
    except ValueError as problem:
        return Outcome(400, f"{form.title}: {problem}.", "Write numbers as digits, shares as 0.2.")
    if values.get("shop"):
        body["shop"] = values["shop"]
    reply = control.answer(sandbox, Request("POST", f"/_control/{path}", {}, {}, json.dumps(body).encode()))
    read = json.loads(reply.body)
    if reply.status != 200:
        return Outcome(reply.status, str(read["error"]), str(read["remedy"]))
    return Outcome(200, f"{form.title}: done. {_short(read)}")


def _short(read: dict[str, Any]) -> str:
    """The answer's plain values: an order's number, how many were sent."""
    plain = {key: value for key, value in read.items() if isinstance(value, str | int) and not isinstance(value, bool)}
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in list(plain.items())[:4])


def drawn(shop: str, places: tuple[str, ...], typed: dict[str, Values]) -> str:
    """All forms as HTML, for one shop: those whose door the control API has. `typed`: form → what its inputs hold."""
    forms = (_drawn(form, shop, places, typed.get(form.name, {})) for form in FORMS if _has_door(form))
    return f"<div class=forms>{''.join(forms)}</div>"


def _has_door(form: Form) -> bool:
    path = "/_control/" + form.path(dict.fromkeys(("number", "handle", "to"), "1"))
    return any(method == "POST" and path == door.replace("{number}", "1") for method, door, _ in ROUTES)


def _drawn(form: Form, shop: str, places: tuple[str, ...], typed: Values) -> str:
    inputs = "".join(_input(form, field, places, typed.get(field.name, field.value)) for field in form.fields)
    return (
        f'<form method=post action="/page/{form.name}"><h3>{escape(form.title)}</h3>'
        f'<input type=hidden name=shop value="{escape(shop)}">{inputs}<button>{escape(form.button)}</button></form>'
    )


def _input(form: Form, field: Field, places: tuple[str, ...], value: str) -> str:
    place = f"{form.name}-{field.name}"
    options = ("", *places) if field.kind == "place" else field.options
    if options:
        choices = "".join(_option(option, option == value) for option in options)
        control_ = f'<select id="{place}" name="{field.name}">{choices}</select>'
    else:
        must = " required" if field.required else ""
        control_ = f'<input id="{place}" name="{field.name}" type={field.kind} value="{escape(value)}"{must}>'
    return f'<label for="{place}">{escape(field.label)}</label>{control_}'


def _option(option: str, chosen: bool) -> str:
    """A choice; the empty one leaves it to the shop."""
    return f'<option value="{escape(option)}"{" selected" if chosen else ""}>{escape(option or "the first that fits")}</option>'
