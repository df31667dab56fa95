"""What a list of models can be narrowed and ordered by; the fields of the picker and of the page of models."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from chat.catalogue.choices import MAX_TEXT
from chat.catalogue.facts import is_provider

LONG_CONTEXT = 32_768
FILTERS = (("tools", "Tools"), ("vision", "Vision"), ("json", "JSON"), ("free", "Free"), ("long", "≥ 32k"))
SORTS = (
    ("", "Best match"),
    ("new", "Newest"),
    ("name", "Name"),
    ("price", "Price"),
    ("speed", "Speed"),
    ("context", "Context"),
)
# More pages than a list can have; a larger number would be a query for nothing.
LAST_PAGE = 200


@dataclass(frozen=True)
class Search:
    """A cleaned search: free text, filters and order by their slugs, a provider, a page from 0."""

    text: str = ""
    filters: tuple[str, ...] = ()
    provider: str = ""
    sort: str = ""
    page: int = 0

    @property
    def words(self) -> str:
        """The part of the text that names a model: without an endpoint before it and a provider after it."""
        return self.text.rpartition("@")[2].partition(":")[0]

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Every filter: slug, label, and whether it is on."""
        return [(slug, label, slug in self.filters) for slug, label in FILTERS]

    @property
    def narrowed(self) -> bool:
        return bool(self.filters or self.provider)


class SearchForm(forms.Form):
    """Reads a search leniently: a field that makes no sense is as good as not given."""

    q = forms.CharField(max_length=MAX_TEXT, required=False)
    filter = forms.MultipleChoiceField(choices=FILTERS, required=False)
    provider = forms.CharField(max_length=60, required=False)
    sort = forms.ChoiceField(choices=SORTS, required=False)
    page = forms.IntegerField(min_value=0, max_value=LAST_PAGE, required=False)


def search_from(data: QueryDict) -> Search:
    form = SearchForm(data)
    form.is_valid()
    given: dict[str, Any] = form.cleaned_data
    provider = given.get("provider") or ""
    return Search(
        text=given.get("q") or "",
        filters=tuple(given.get("filter") or ()),
        provider=provider if is_provider(provider) else "",
        sort=given.get("sort") or "",
        page=given.get("page") or 0,
    )
