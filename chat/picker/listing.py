"""What one person sees in the model picker: their sections, which models lack a key, how old the list is.

It owns the words and the order of sections. The dialog's opener decides what picking does; the views of lanes and
the picker's own views call it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice, Offer, RecentChoice
from chat.keys.choose import usable_keys_by_endpoint
from chat.local import supervisor as local_model
from chat.picker.forms import SORTS, Search, search_from
from chat.picker.recommended import RECOMMENDED
from chat.picker.rows import Row, found, rows_of

ROWS_OF_A_PAGE = 100
TINY = "Runs on this machine. Tiny: good for trying things out, not for facts."


@dataclass(frozen=True)
class Section:
    label: str
    rows: list[Row]


@dataclass(frozen=True)
class ListAge:
    """How old the router's list is, and whether a newer one could be had. ``words`` is one sentence."""

    words: str
    read_at: datetime | None = None
    failed: bool = False


@dataclass(frozen=True)
class Picker:
    """The whole dialog, or its list alone, as ``_picker.html`` and ``_picker_results.html`` take it."""

    search: Search
    sections: list[Section]
    age: ListAge
    more_url: str = ""
    keyless: list[Endpoint] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    action: str = ""
    adding: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        return self.search.text

    @property
    def search_url(self) -> str:
        return reverse("picker_results")

    @property
    def filters(self) -> list[tuple[str, str, bool]]:
        return self.search.choices

    @property
    def sorts(self) -> tuple[tuple[str, str], ...]:
        return SORTS


@dataclass(frozen=True)
class ModelsPage:
    """The page of models, as ``models.html`` takes it."""

    search: Search
    rows: list[Row]
    age: ListAge
    providers: list[str]
    earlier_url: str
    later_url: str

    @property
    def filters(self) -> list[tuple[str, str, bool]]:
        return self.search.choices

    @property
    def sorts(self) -> tuple[tuple[str, str], ...]:
        return SORTS


def open_picker(
    user: User, data: QueryDict, *, action: str, adding: bool = False, hidden: Mapping[str, str] | None = None
) -> Picker:
    """The dialog. What is picked is posted to ``action`` as ``choice`` (a row) or ``q`` (typed), with ``hidden``."""
    picker = list_models(user, search_from(data))
    return replace(picker, action=action, adding=adding, hidden=hidden or {}, providers=provider_names())


def list_models(user: User, search: Search) -> Picker:
    """The first page of the list, in sections."""
    endpoints = {endpoint.pk: endpoint for endpoint in Endpoint.objects.filter(enabled=True)}
    keyless = keyless_endpoints(user, endpoints)
    here = {pk: endpoint for pk, endpoint in endpoints.items() if endpoint.is_local}
    elsewhere = {pk: endpoint for pk, endpoint in endpoints.items() if not endpoint.is_local}
    recent = [choice.choice for choice in RecentChoice.objects.filter(user=user).order_by("-used_at", "-pk")]
    others, more = found(search, elsewhere)
    local = [replace(row, reason=TINY, status=local_model.status().state.value) for row in found(search, here)[0]]
    sections = [
        Section("Yours", _locked(rows_of(recent, elsewhere, search), keyless)),
        Section("Recommended", _locked(_recommended(recent, elsewhere, search), keyless)),
        Section("On this machine", local),
        Section("All", _locked(others, keyless)),
    ]
    return Picker(
        search,
        [section for section in sections if section.rows],
        list_age(endpoints.values()),
        more_url=_more_url(search) if more else "",
        keyless=[endpoints[pk] for pk in keyless],
    )


def more_rows(user: User, search: Search) -> Picker:
    """A later page of the section "All"."""
    endpoints = {e.pk: e for e in Endpoint.objects.filter(enabled=True).exclude(kind=Endpoint.Kind.LOCAL)}
    rows, more = found(search, endpoints)
    section = Section("All", _locked(rows, keyless_endpoints(user, endpoints)))
    return Picker(search, [section], ListAge(""), more_url=_more_url(search) if more else "")


def page_of_models(user: User, search: Search) -> ModelsPage:
    """The page of models: all of them, those of this machine included, in pages of a hundred."""
    endpoints = {endpoint.pk: endpoint for endpoint in Endpoint.objects.filter(enabled=True)}
    rows, more = found(search, endpoints, ROWS_OF_A_PAGE)
    number = search.page
    return ModelsPage(
        search,
        _locked(rows, keyless_endpoints(user, endpoints)),
        list_age(endpoints.values()),
        provider_names(),
        earlier_url=page_url("models", search, number - 1) if number else "",
        later_url=page_url("models", search, number + 1) if more else "",
    )


def keyless_endpoints(user: User, endpoints: Mapping[int, Endpoint]) -> list[int]:
    """The endpoints (by pk) where this person has no key to pay with."""
    return [pk for pk, keys in usable_keys_by_endpoint(user, endpoints.values()).items() if not keys]


def provider_names() -> list[str]:
    names = Offer.objects.listed().exclude(provider="").order_by("provider")
    return list(names.values_list("provider", flat=True).distinct())


def page_url(page: str, search: Search, number: int) -> str:
    """The address of one page of this search; ``page`` is the name of its URL."""
    fields = [("q", search.text), *(("filter", name) for name in search.filters), ("provider", search.provider)]
    fields += [("sort", search.sort), ("page", str(number) if number else "")]
    return f"{reverse(page)}?{urlencode([(name, value) for name, value in fields if value])}"


def _more_url(search: Search) -> str:
    return page_url("picker_more", search, search.page + 1)


def list_age(endpoints: Iterable[Endpoint] | None = None) -> ListAge:
    """How old the list of the router is. ``endpoints`` saves the query where they are at hand."""
    given = Endpoint.objects.filter(enabled=True) if endpoints is None else endpoints
    router = next((endpoint for endpoint in given if endpoint.is_router), None)
    if router is None:
        return ListAge("")
    failed = bool(router.sync_error)
    if router.synced_at is None:
        words = "Could not reach Hugging Face yet." if failed else "The list of Hugging Face has not been read yet."
        return ListAge(words, failed=failed)
    read = clock(router.synced_at)
    words = f"Could not reach Hugging Face; this list is from {read}." if failed else f"List as of {read}"
    return ListAge(words, router.synced_at, failed)


def clock(moment: datetime) -> str:
    """``14:05``, with the day before it if that is not today."""
    local = timezone.localtime(moment)
    return date_format(local, "H:i" if local.date() == timezone.localdate() else "j M, H:i")


def _recommended(recent: list[ModelChoice], endpoints: Mapping[int, Endpoint], search: Search) -> list[Row]:
    """What to begin with, while nothing is looked for; not what one has used already."""
    router = next((endpoint for endpoint in endpoints.values() if endpoint.is_router), None)
    if router is None or search.text or search.narrowed:
        return []
    known = {choice.model_id for choice in recent}
    choices = [ModelChoice(router.pk, model_id) for model_id in RECOMMENDED if model_id not in known]
    rows = rows_of(choices, {router.pk: router}, search)
    return [replace(row, reason=RECOMMENDED[row.choice.model_id]) for row in rows if row.offers]


def _locked(rows: list[Row], keyless: list[int]) -> list[Row]:
    return [replace(row, needs_key=True) if row.endpoint.pk in keyless else row for row in rows]
