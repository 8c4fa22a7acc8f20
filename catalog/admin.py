"""Products, variants and listings: found, filtered, read; edited where the console owns a field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.models import ListedVariant, Listing, MatchedBy, Product, Variant
from catalog.search import products_found, variants_found
from catalog.tags import refresh_tag_keys
from connectors.forms import TagsField
from syncconsole.kernel.admin import ConsoleAdmin, ReadOnlyAdmin


class TaggedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Tags as people type them."""

    tags = TagsField(help_text="Separated by commas.", widget=UnfoldAdminTextInputWidget())


class VariantInline(TabularInline):  # type: ignore[misc]
    """A product's variants, to be opened."""

    model = Variant
    fields = ("item_number", "sku", "barcode", "price", "tracked")
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(ConsoleAdmin):
    """Products. New ones come from an import."""

    form = TaggedForm
    list_display = ("title", "handle", "vendor", "product_type", "variant_count", "status")
    list_filter = ("status",)
    search_fields = ("title", "handle", "variants__item_number", "variants__sku")
    search_help_text = "Title, handle, item number or SKU"
    inlines = (VariantInline,)
    fieldsets = (
        (None, {"fields": ("title", "handle", "status", "vendor", "product_type", "tags")}),
        ("Text", {"fields": ("description",)}),
    )
    readonly_fields = ("handle",)

    def get_queryset(self, request: HttpRequest) -> Any:
        variants = Variant.objects.filter(product=OuterRef("pk")).order_by().values("product")
        counted = Coalesce(Subquery(variants.annotate(n=Count("pk")).values("n")), 0)
        return super().get_queryset(request).annotate(variants_counted=counted)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By handle, item number, SKU, barcode or words of the title; keys by index."""
        words = search_term.strip()
        return (queryset.filter(pk__in=products_found(words)) if words else queryset), False

    @admin.display(description="Variants")
    def variant_count(self, product: Any) -> int:
        """How many variants it has."""
        return int(product.variants_counted)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        refresh_tag_keys([obj.pk])


@admin.register(Variant)
class VariantAdmin(ConsoleAdmin):
    """Variants, with their levels on the page."""

    form = TaggedForm
    change_form_outer_before_template = "catalog/variant_levels.html"
    list_display = ("item_number", "sku", "name", "barcode", "price", "tracked")
    list_select_related = ("product",)
    list_filter = ("tracked",)
    search_fields = ("item_number", "sku", "barcode", "product__title")
    search_help_text = "Item number, SKU, barcode or title"
    readonly_fields = ("product", "item_number", "option_values")
    fieldsets = (
        (None, {"fields": ("product", "item_number", "sku", "barcode", "option_values", "tags")}),
        ("Money and stock", {"fields": ("price", "cost", "tracked")}),
        ("Kept here only", {"fields": ("bin", "supplier")}),
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By item number, SKU, barcode or words of the title; keys by index."""
        words = search_term.strip()
        return (queryset.filter(pk__in=variants_found(words)) if words else queryset), False

    @admin.display(description="Name")
    def name(self, variant: Variant) -> str:
        """Title and options."""
        return " / ".join(filter(None, [variant.product.title, variant.options_label]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Variant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        refresh_tag_keys([obj.product_id])


@admin.register(ListedVariant)
class ListedVariantAdmin(ReadOnlyAdmin):
    """Which variant is which inventory item of a store."""

    list_display = ("variant", "store", "matched", "item_ref", "tracked", "gone_at", "linked_at")
    list_per_page = 25  # its seven columns: 30 rows of them would outweigh what a page may
    list_select_related = ("variant__product", "store")
    list_filter = ("store", "matched_by", "tracked")
    search_fields = ("variant__item_number", "variant__sku", "item_ref")

    @admin.display(description="Linked by")
    def matched(self, listed: ListedVariant) -> str:
        """The rule that bound it."""
        return MatchedBy(listed.matched_by).label


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """A product as it exists in a store."""

    list_display = ("product", "store", "handle", "remote_ref", "linked_at")
    list_select_related = ("product", "store")
    list_filter = ("store",)
    search_fields = ("handle", "product__title")
