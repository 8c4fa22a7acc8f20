"""Files and images: made at once, ready or failed later, shown by products and variants."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import Answer, App, user_errors
from tests.sandbox.test_handles import SET

CREATE = """mutation C($files: [FileCreateInput!]!) { fileCreate(files: $files) {
  files { id alt fileStatus fileErrors { code } ... on MediaImage { image { url } } ... on GenericFile { url } }
  userErrors { code field message } } }"""
UPDATE = """mutation U($files: [FileUpdateInput!]!) { fileUpdate(files: $files) {
  files { id alt fileStatus } userErrors { code field message } } }"""
DELETE = """mutation D($ids: [ID!]!) { fileDelete(fileIds: $ids) { deletedFileIds userErrors { code field } } }"""
READ = """query R($id: ID!) { node(id: $id) { ... on File { fileStatus fileErrors { code message details } alt }
  ... on MediaImage { image { url } mediaErrors { code } } } }"""
SHOWN = """query S($id: ID!) { product(id: $id) { featuredMedia { id } media(first: 9) { nodes { id status } }
  variants(first: 9) { nodes { media(first: 2) { nodes { id } } } } } }"""
IMAGE = "https://poze.example/bere.jpg"


def create(app: App, *files: dict[str, Any]) -> list[dict[str, Any]]:
    answer = app.ask(CREATE, {"files": list(files)})
    assert user_errors(answer) == []
    return list(answer.data["fileCreate"]["files"])


def read(app: App, gid: str) -> dict[str, Any]:
    return dict(app.ask(READ, {"id": gid}).data["node"])


def shown(app: App, handle: str = "bere") -> tuple[list[str], list[list[str]]]:
    """The ids of a product's images, and those of each of its variants."""
    product = app.ask(SHOWN, {"id": app.shop.products_by_handle[handle].gid}).data["product"]
    of_variants = [[row["id"] for row in variant["media"]["nodes"]] for variant in product["variants"]["nodes"]]
    return [row["id"] for row in product["media"]["nodes"]], of_variants


def test_an_image_is_ready_only_when_it_was_processed(app: App) -> None:
    app.control("POST", "products/tune", {"processing": 60})
    (row,) = create(app, {"originalSource": IMAGE, "alt": "Bere"})
    assert (row["fileStatus"], row["image"]) == ("UPLOADED", None)
    app.control("POST", "clock", {"advance": 40})
    assert read(app, row["id"])["fileStatus"] == "PROCESSING"
    app.control("POST", "clock", {"advance": 21})
    after = read(app, row["id"])
    assert (after["fileStatus"], after["fileErrors"]) == ("READY", [])
    assert after["image"]["url"].endswith("/bere.jpg")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"originalSource": "https://poze.invalid/a.jpg"}, "IMAGE_DOWNLOAD_FAILURE"),
        ({"originalSource": "https://poze.invalid/a.pdf"}, "GENERIC_FILE_DOWNLOAD_FAILURE"),
        ({"originalSource": "https://poze.example/a.pdf", "contentType": "IMAGE"}, "UNSUPPORTED_IMAGE_FILE_TYPE"),
    ],
)
def test_a_file_that_cannot_be_used_is_accepted_first_and_fails_later(app: App, given: Any, code: str) -> None:
    app.control("POST", "products/tune", {"processing": 60, "unreachable": ["poze.invalid"]})
    (row,) = create(app, given)
    assert (row["fileStatus"], row["fileErrors"]) == ("UPLOADED", [])
    app.control("POST", "clock", {"advance": 61})
    after = read(app, row["id"])
    assert (after["fileStatus"], [error["code"] for error in after["fileErrors"]]) == ("FAILED", [code])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"originalSource": "bere.jpg"}, "INVALID"),
        ({"originalSource": IMAGE, "alt": "x" * 513}, "ALT_VALUE_LIMIT_EXCEEDED"),
        ({"originalSource": IMAGE, "filename": "bere.png"}, "MISMATCHED_FILENAME_AND_ORIGINAL_SOURCE"),
        ({"originalSource": IMAGE, "contentType": "VIDEO"}, "UNACCEPTABLE_ASSET"),
        (
            {"originalSource": IMAGE, "duplicateResolutionMode": "REPLACE"},
            "MISSING_FILENAME_FOR_DUPLICATE_MODE_REPLACE",
        ),
    ],
)
def test_all_files_of_a_call_are_made_or_none(app: App, given: dict[str, Any], code: str) -> None:
    answer = app.ask(CREATE, {"files": [{"originalSource": IMAGE}, given]})
    assert user_errors(answer)[0][0] == code
    assert not app.shop.files


def test_a_taken_filename_is_changed_refused_or_replaced(app: App) -> None:
    (first,) = create(app, {"originalSource": IMAGE})
    create(app, {"originalSource": IMAGE})
    assert len({row.filename for row in app.shop.files.values()}) == 2
    answer = app.ask(CREATE, {"files": [{"originalSource": IMAGE, "duplicateResolutionMode": "RAISE_ERROR"}]})
    assert user_errors(answer)[0][0] == "FILENAME_ALREADY_EXISTS"
    replace = {"originalSource": IMAGE, "filename": "bere.jpg", "duplicateResolutionMode": "REPLACE"}
    assert create(app, replace)[0]["id"] == first["id"]


def test_only_ready_files_are_updated(app: App) -> None:
    app.control("POST", "products/tune", {"processing": 60})
    (row,) = create(app, {"originalSource": IMAGE})
    changed = [{"id": row["id"], "alt": "Halbă"}]
    assert user_errors(app.ask(UPDATE, {"files": changed})) == [("NON_READY_STATE", ["files", "0", "id"])]
    app.control("POST", "clock", {"advance": 61})
    assert app.ask(UPDATE, {"files": changed}).data["fileUpdate"]["files"][0]["alt"] == "Halbă"
    gone = [{"id": "gid://shopify/MediaImage/1", "alt": "x"}]
    assert user_errors(app.ask(UPDATE, {"files": gone}))[0][0] == "FILE_DOES_NOT_EXIST"


def test_a_file_is_put_on_a_product_and_taken_off_again(app: App) -> None:
    heard: list[str] = []
    app.shop.listeners.append(lambda shop, topic, row: heard.append(topic))
    (row,) = create(app, {"originalSource": IMAGE})
    bere = app.shop.products_by_handle["bere"].gid
    app.ask(UPDATE, {"files": [{"id": row["id"], "referencesToAdd": [bere]}]})
    assert (shown(app)[0], heard) == ([row["id"]], ["products/update"])
    app.ask(UPDATE, {"files": [{"id": row["id"], "referencesToRemove": [bere]}]})
    assert shown(app)[0] == []
    assert read(app, row["id"])["fileStatus"] == "READY"


def test_a_deleted_file_leaves_products_and_variants(app: App) -> None:
    gid = on_variants(app).data["productVariantsBulkUpdate"]["productVariants"][0]["media"]["nodes"][0]["id"]
    answer = app.ask(DELETE, {"ids": [gid]})
    assert answer.data["fileDelete"] == {"deletedFileIds": [gid], "userErrors": []}
    assert shown(app) == ([], [[], []])
    assert app.ask("query N($id: ID!) { node(id: $id) { id } }", {"id": gid}).data["node"] is None


def on_variants(app: App, **rest: Any) -> Answer:
    bere = app.shop.products_by_handle["bere"]
    text = """mutation V($productId: ID!, $variants: [ProductVariantsBulkInput!]!, $media: [CreateMediaInput!]) {
      productVariantsBulkUpdate(productId: $productId, variants: $variants, media: $media) {
        productVariants { media(first: 1) { nodes { id } } } userErrors { code field } } }"""
    rows = [{"id": bere.variants[0].gid, "mediaSrc": [IMAGE], **rest}]
    media = [{"mediaContentType": "IMAGE", "originalSource": IMAGE}]
    return app.ask(text, {"productId": bere.gid, "variants": rows, "media": media})


def test_a_variant_shows_an_image_of_its_product(app: App) -> None:
    assert user_errors(on_variants(app)) == []
    ((gid,), of_variants) = shown(app)
    assert of_variants == [[gid], []]
    answer = on_variants(app, mediaId="gid://shopify/MediaImage/1")
    assert user_errors(answer) == [("INVALID_INPUT", ["variants", "0", "mediaId"])]


def test_product_set_says_which_image_a_variant_shows(app: App) -> None:
    options = [{"name": "Size", "values": [{"name": "Mică"}, {"name": "Mare"}]}]
    values = [[{"optionName": "Size", "name": name}] for name in ("Mică", "Mare")]
    variants = [{"optionValues": values[0]}, {"optionValues": values[1], "file": {"originalSource": IMAGE}}]
    given = {"files": [{"originalSource": IMAGE}], "productOptions": options, "variants": variants}
    bere = app.shop.products_by_handle["bere"].gid
    assert user_errors(app.ask(SET, {"identifier": {"id": bere}, "input": given})) == []
    ((gid,), of_variants) = shown(app)
    assert of_variants == [[], [gid]]


def test_images_are_appended_detached_and_moved(app: App) -> None:
    bere = app.shop.products_by_handle["bere"]
    made = """mutation M($id: ID!, $media: [CreateMediaInput!]!) { productCreateMedia(productId: $id, media: $media) {
      media { id } mediaUserErrors { code } } }"""
    rows = [{"mediaContentType": "IMAGE", "originalSource": f"https://poze.example/{n}.png"} for n in "ab"]
    answer = app.ask(made, {"id": bere.gid, "media": rows})
    first, second = (row["id"] for row in answer.data["productCreateMedia"]["media"])
    assert answer.cost["requestedQueryCost"] == 20
    pair = """mutation P($id: ID!, $pairs: [ProductVariant%sMediaInput!]!) {
      productVariant%sMedia(productId: $id, variantMedia: $pairs) { userErrors { code } } }"""
    pairs = {"id": bere.gid, "pairs": [{"variantId": bere.variants[0].gid, "mediaIds": [second]}]}
    codes = []
    for name in ("Append", "Append", "Detach", "Detach"):
        (payload,) = app.ask(pair % (name, name), pairs).data.values()
        codes.append([error["code"] for error in payload["userErrors"]])
    assert codes == [[], ["PRODUCT_VARIANT_ALREADY_HAS_MEDIA"], [], ["MEDIA_IS_NOT_ATTACHED_TO_VARIANT"]]
    move = """mutation R($id: ID!, $moves: [MoveInput!]!) { productReorderMedia(id: $id, moves: $moves) {
      job { done } mediaUserErrors { code } } }"""
    app.ask(move, {"id": bere.gid, "moves": [{"id": second, "newPosition": "0"}]})
    assert shown(app)[0] == [second, first]


def test_files_are_found_by_status_and_product(app: App) -> None:
    app.control("POST", "products/tune", {"unreachable": ["poze.invalid"]})
    create(app, {"originalSource": IMAGE}, {"originalSource": "https://poze.invalid/a.jpg"})
    text = "query F($query: String) { files(first: 9, query: $query) { nodes { fileStatus } } }"
    found = app.ask(text, {"query": "status:FAILED"}).data["files"]["nodes"]
    assert found == [{"fileStatus": "FAILED"}]


def test_files_have_scopes_of_their_own(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["write_products"]})
    answer = app.ask(CREATE, {"files": [{"originalSource": IMAGE}]})
    assert answer.codes == ["ACCESS_DENIED"]


def test_a_redirect_is_made_once_and_deleted(app: App) -> None:
    text = """mutation R($redirect: UrlRedirectInput!) { urlRedirectCreate(urlRedirect: $redirect) {
      urlRedirect { id } userErrors { code field message } } }"""
    given = {"redirect": {"path": "/vechi", "target": "/products/bere"}}
    gid = app.ask(text, given).data["urlRedirectCreate"]["urlRedirect"]["id"]
    assert user_errors(app.ask(text, given)) == [("CREATE_FAILED", ["urlRedirect", "path"])]
    gone = "mutation D($id: ID!) { urlRedirectDelete(id: $id) { deletedUrlRedirectId userErrors { code } } }"
    assert app.ask(gone, {"id": gid}).data["urlRedirectDelete"]["deletedUrlRedirectId"] == gid
    assert app.ask("{ urlRedirects(first: 1) { nodes { id } } }").data["urlRedirects"]["nodes"] == []
