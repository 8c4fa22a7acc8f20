"""How many variants a tag filter would let through, before it is saved."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from catalog import scope
from catalog.models import Variant
from catalog.scope import TagFilter
from connectors.forms import TagsField
from connectors.models import Store
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.templatetags.console import plural


class CountInScope(ConsolePage):
    """A sentence for the settings page; reads only."""

    permission = "connectors.view_store"

    def get(self, request: HttpRequest) -> HttpResponse:
        field = TagsField()
        typed = [field.to_python(request.GET.get(name, "")) for name in ("tags_any", "tags_all", "tags_none")]
        store = Store.objects.filter(slug=request.GET.get("store", "")).first() or Store()
        found = scope.count(store, TagFilter(*typed))
        said = f"{found.variants:,} of {plural(Variant.objects.count(), 'variant')} match this filter"
        if store.pk and (found.would_enter or found.would_leave):
            said += f"; saving it lets {found.would_enter:,} in and {found.would_leave:,} out"
        return HttpResponse(f"{said}.", content_type="text/plain")
