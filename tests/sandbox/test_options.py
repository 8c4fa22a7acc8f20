"""Options of products changed one by one, and what each change does to the variants, their ids and their stock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import Answer, App, user_errors
from tests.sandbox.test_handles import SET

END = (
    "product { options { id name values optionValues { id name hasVariants } } } userErrors { code field message } } }"
)
CREATE = f"""mutation C($productId: ID!, $options: [OptionCreateInput!]!, $how: ProductOptionCreateVariantStrategy) {{
  productOptionsCreate(productId: $productId, options: $options, variantStrategy: $how) {{ {END}"""
UPDATE = f"""mutation U($productId: ID!, $option: OptionUpdateInput!, $add: [OptionValueCreateInput!], $delete: [ID!],
    $update: [OptionValueUpdateInput!], $how: ProductOptionUpdateVariantStrategy) {{
  productOptionUpdate(productId: $productId, option: $option, optionValuesToAdd: $add, optionValuesToDelete: $delete,
    optionValuesToUpdate: $update, variantStrategy: $how) {{ {END}"""
DELETE = f"""mutation D($productId: ID!, $options: [ID!]!, $how: ProductOptionDeleteStrategy) {{
  productOptionsDelete(productId: $productId, options: $options, strategy: $how) {{ deletedOptionsIds {END}"""
REORDER = f"""mutation R($productId: ID!, $options: [OptionReorderInput!]!) {{
  productOptionsReorder(productId: $productId, options: $options) {{ {END}"""
MOVE = """mutation M($productId: ID!, $positions: [ProductVariantPositionInput!]!) {
  productVariantsBulkReorder(productId: $productId, positions: $positions) { product { id } userErrors { code field } } }"""


def colour(*names: str, **rest: Any) -> dict[str, Any]:
    return {"name": "Colour", "values": [{"name": name} for name in names], **rest}


def beer(app: App, text: str, **given: Any) -> Answer:
    return app.ask(text, {"productId": app.shop.products_by_handle["bere"].gid, **given})


def titles(app: App, handle: str = "bere") -> list[str]:
    return [variant.title for variant in app.shop.products_by_handle[handle].variants]


def value_id(app: App, name: str) -> str:
    return app.shop.products_by_handle["bere"].options[0].value_gid(name)


def size_id(app: App) -> str:
    return app.shop.products_by_handle["bere"].options[0].gid


def test_a_new_option_gives_existing_variants_its_first_value_and_keeps_their_stock(app: App) -> None:
    item = app.item("BERE-S")
    assert user_errors(beer(app, CREATE, options=[colour("Blondă", "Brună")])) == []
    assert titles(app) == ["Mică / Blondă", "Mare / Blondă"]
    assert (app.item("BERE-S"), app.level("BERE-S").on_hand()) == (item, 5)


def test_the_other_combinations_are_made_only_when_asked_for(app: App) -> None:
    assert user_errors(beer(app, CREATE, options=[colour("Blondă", "Brună", position=1)], how="CREATE")) == []
    assert titles(app) == ["Blondă / Mică", "Blondă / Mare", "Brună / Mică", "Brună / Mare"]
    made = app.shop.products_by_handle["bere"].variants[3]
    assert (made.price, made.item.sku, made.available(), made.position) == ("11.00", None, 0, 4)


def test_a_first_option_takes_the_place_of_the_default_title(app: App) -> None:
    apa = app.shop.products_by_handle["apa"]
    app.ask(CREATE, {"productId": apa.gid, "options": [colour("Plată", "Minerală")]})
    assert (titles(app, "apa"), apa.option_names, app.level("APA").on_hand()) == (["Plată"], ["Colour"], 10)


def test_values_without_variants_are_known_but_not_among_those_in_use(app: App) -> None:
    (payload,) = beer(app, CREATE, options=[colour("Blondă", "Brună")]).data.values()
    option = payload["product"]["options"][1]
    assert option["values"] == ["Blondă"]
    assert [(v["name"], v["hasVariants"]) for v in option["optionValues"]] == [("Blondă", True), ("Brună", False)]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ([{"name": "Colour"}], ("NEW_OPTION_WITHOUT_VALUE_FOR_EXISTING_VARIANTS", ["options", "0", "values"])),
        ([colour()], ("OPTION_VALUES_MISSING", ["options", "0"])),
        ([{"values": [{"name": "x"}]}], ("OPTION_NAME_MISSING", ["options", "0", "name"])),
        ([{**colour("x"), "name": "size"}], ("OPTION_ALREADY_EXISTS", ["options", "0"])),
        ([colour("x"), colour("y")], ("DUPLICATED_OPTION_NAME", ["options", "1"])),
        ([colour("x", "x")], ("DUPLICATED_OPTION_VALUE", ["options", "0", "values"])),
        ([{**colour("x"), "name": name} for name in "abc"], ("OPTIONS_OVER_LIMIT", ["options"])),
        ([colour("x", position=9)], ("POSITION_OUT_OF_BOUNDS", ["options", "0", "position"])),
        ([colour(*(str(n) for n in range(101)))], ("OPTION_VALUES_OVER_LIMIT", ["options", "0", "values"])),
    ],
)
def test_options_that_cannot_be_made(app: App, options: list[dict[str, Any]], wrong: tuple[str, list[str]]) -> None:
    assert user_errors(beer(app, CREATE, options=options)) == [wrong]
    assert titles(app) == ["Mică", "Mare"]


def test_a_renamed_value_keeps_its_id_and_its_variant(app: App) -> None:
    gid, first = value_id(app, "Mică"), app.shop.products_by_handle["bere"].variants[0]
    given = {"option": {"id": size_id(app), "name": "Mărime"}, "update": [{"id": gid, "name": "Mini"}]}
    assert user_errors(beer(app, UPDATE, **given)) == []
    assert (first.title, app.shop.products_by_handle["bere"].option_names) == ("Mini", ["Mărime"])
    assert value_id(app, "Mini") == gid


def test_a_value_in_use_is_deleted_only_together_with_its_variants(app: App) -> None:
    given = {"option": {"id": size_id(app)}, "delete": [value_id(app, "Mare")]}
    assert user_errors(beer(app, UPDATE, **given))[0][0] == "OPTION_VALUE_HAS_VARIANTS"
    gone = app.item("BERE-L")
    assert user_errors(beer(app, UPDATE, **given, how="MANAGE")) == []
    assert (titles(app), app.shop.holds(gone)) == (["Mică"], False)


def test_a_managed_value_brings_a_variant_for_each_other_combination(app: App) -> None:
    beer(app, CREATE, options=[colour("Blondă", "Brună")], how="CREATE")
    beer(app, UPDATE, option={"id": size_id(app)}, add=[{"name": "Uriașă"}], how="MANAGE")
    assert titles(app)[-2:] == ["Uriașă / Blondă", "Uriașă / Brună"]
    assert len(titles(app)) == 6


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"add": [{"name": "Mare"}]}, "OPTION_VALUE_ALREADY_EXISTS"),
        ({"add": [{"name": "a"}, {"name": "a"}]}, "DUPLICATED_OPTION_VALUE"),
        ({"add": [{}]}, "KEY_MISSING_IN_INPUT"),
        ({"update": [{"id": "gid://shopify/ProductOptionValue/1", "name": "x"}]}, "OPTION_VALUE_DOES_NOT_EXIST"),
        ({"delete": ["gid://shopify/ProductOptionValue/1"]}, "OPTION_VALUE_DOES_NOT_EXIST"),
    ],
)
def test_values_that_cannot_be_changed(app: App, given: dict[str, Any], code: str) -> None:
    assert user_errors(beer(app, UPDATE, option={"id": size_id(app)}, **given))[0][0] == code


def test_an_option_never_loses_all_its_values(app: App) -> None:
    gids = [value_id(app, "Mică"), value_id(app, "Mare")]
    answer = beer(app, UPDATE, option={"id": size_id(app)}, delete=gids, how="MANAGE")
    assert user_errors(answer)[0][0] == "CANNOT_DELETE_ALL_OPTION_VALUES_IN_OPTION"


def test_deleting_an_option_that_tells_variants_apart(app: App) -> None:
    gid, gone = size_id(app), app.item("BERE-L")
    assert user_errors(beer(app, DELETE, options=[gid]))[0][0] == "CANNOT_DELETE_OPTION_WITH_MULTIPLE_VALUES"
    answer = beer(app, DELETE, options=[gid], how="NON_DESTRUCTIVE")
    assert user_errors(answer)[0][0] == "CANNOT_USE_NON_DESTRUCTIVE_STRATEGY"
    assert user_errors(beer(app, DELETE, options=[gid], how="POSITION")) == []
    assert (titles(app), app.shop.holds(gone)) == (["Default Title"], False)
    assert app.shop.products_by_handle["bere"].has_only_default()


def test_an_option_of_one_value_goes_without_touching_variants(app: App) -> None:
    (payload,) = beer(app, CREATE, options=[colour("Blondă")]).data.values()
    gid = payload["product"]["options"][1]["id"]
    (payload,) = beer(app, DELETE, options=[gid]).data.values()
    assert (payload["deletedOptionsIds"], titles(app)) == ([gid], ["Mică", "Mare"])


def test_reordering_options_and_values_reorders_the_variants(app: App) -> None:
    beer(app, CREATE, options=[colour("Blondă", "Brună")], how="CREATE")
    order = [{"name": "Colour", "values": [{"name": "Brună"}, {"name": "Blondă"}]}, {"name": "Size"}]
    assert user_errors(beer(app, REORDER, options=order)) == []
    assert titles(app) == ["Brună / Mică", "Brună / Mare", "Blondă / Mică", "Blondă / Mare"]
    assert [v.position for v in app.shop.products_by_handle["bere"].variants] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ([{"name": "Colour"}], "OPTION_NAME_DOES_NOT_EXIST"),
        ([{"id": "gid://shopify/ProductOption/1"}], "OPTION_ID_DOES_NOT_EXIST"),
        ([{"name": "Size", "values": [{"name": "Mare"}]}], "MISSING_OPTION_VALUE"),
        ([{"name": "Size", "values": [{"name": "XXL"}]}], "OPTION_VALUE_DOES_NOT_EXIST"),
        ([], "MISSING_OPTION_NAME"),
    ],
)
def test_orders_that_cannot_be_made(app: App, order: list[dict[str, Any]], code: str) -> None:
    assert user_errors(beer(app, REORDER, options=order))[0][0] == code


def test_a_variant_is_moved_to_another_position(app: App) -> None:
    large = app.item("BERE-L").variant
    assert user_errors(beer(app, MOVE, positions=[{"id": large.gid, "position": 1}])) == []
    assert titles(app) == ["Mare", "Mică"]
    answer = beer(app, MOVE, positions=[{"id": large.gid, "position": 0}])
    assert user_errors(answer) == [("INVALID_POSITION", ["positions", "0", "position"])]
    answer = beer(app, MOVE, positions=[{"id": app.item("APA").variant.gid, "position": 1}])
    assert user_errors(answer)[0][0] == "MISSING_VARIANT"


def test_product_set_renames_a_value_by_its_id_and_keeps_the_variant(app: App) -> None:
    bere = app.shop.products_by_handle["bere"]
    small, gid = bere.variants[0], value_id(app, "Mică")
    options = [{"id": size_id(app), "name": "Mărime", "values": [{"id": gid, "name": "Mini"}, {"name": "Mare"}]}]
    variants = [{"optionValues": [{"optionName": "Mărime", "name": name}]} for name in ("Mini", "Mare")]
    given = {"productOptions": options, "variants": variants}
    assert user_errors(app.ask(SET, {"identifier": {"id": bere.gid}, "input": given})) == []
    assert (bere.variants[0] is small, titles(app), value_id(app, "Mini")) == (True, ["Mini", "Mare"], gid)


def test_an_unknown_product_is_told_apart(app: App) -> None:
    gone = "gid://shopify/Product/1"
    for text, given in (
        (CREATE, {"options": [colour("x")]}),
        (UPDATE, {"option": {"id": "gid://shopify/ProductOption/1"}}),
        (DELETE, {"options": []}),
        (REORDER, {"options": []}),
        (MOVE, {"positions": []}),
    ):
        assert user_errors(app.ask(text, {"productId": gone, **given})) == [("PRODUCT_DOES_NOT_EXIST", ["productId"])]
