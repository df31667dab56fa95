"""Grants in Django admin: who may use a shared key, for what and how much, how far they are, why somebody may not."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from chat.administration.read_only import ReadOnlyAdmin
from chat.administration.recorded import RecordedAdmin, person
from chat.catalogue.models import Offer
from chat.keys.asking import KeyRequest, decide, settle_by_grant
from chat.keys.explaining import ExplainForm, explain
from chat.keys.grant_form import LIMITS, KeyGrantForm, limit_name
from chat.keys.models import KeyGrant
from chat.keys.scope import fits, patterns
from chat.keys.standing import Standing, standings_of

# So many of the models that a pattern hits are named.
NAMED = 5


class KeyGrantAdmin(RecordedAdmin):
    grants = (KeyGrant,)
    form = KeyGrantForm
    fieldsets = (
        (None, {"fields": ("shared_key", "user", "group", "everyone", "expires_at")}),
        ("What may be asked", {"fields": ("model_patterns", "provider_patterns", "hits")}),
        ("How much each person may use", {"fields": tuple(limit_name(*each) for each in LIMITS if each[0])}),
        ("How much all together may use", {"fields": tuple(limit_name(*each) for each in LIMITS if not each[0])}),
        ("How far they are", {"fields": ("used",)}),
    )
    readonly_fields = ("hits", "used")
    autocomplete_fields = ("user", "group")
    list_display = ("holder", "shared_key", "models", "providers", "limits_in_words", "expires_at", "used")
    list_filter = ("shared_key", "everyone", "group", "expires_at")
    list_select_related = ("shared_key", "user", "group")
    search_fields = ("user__username", "group__name", "shared_key__label", "model_patterns")
    change_list_template = "chat/keys/admin_grants.html"

    def get_urls(self) -> list[URLPattern]:
        explaining = path("explain/", self.admin_site.admin_view(self.explain), name="chat_keygrant_explain")
        return [explaining, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: KeyGrant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        form.save_limits(obj)
        if obj.user is not None and not change:
            settle_by_grant(obj.user, obj.shared_key, person(request))

    def explain(self, request: HttpRequest) -> HttpResponse:
        """Why a person may ask a model, or may not: the answer to a form that changes nothing."""
        form = ExplainForm(request.GET or None)
        answer = explain(**form.cleaned_data) if form.is_valid() else None
        context = {**self.admin_site.each_context(request), "title": "May they?", "form": form, "answer": answer}
        context["opts"] = self.opts
        return TemplateResponse(request, "chat/keys/admin_explain.html", context)

    @admin.display(description="who")
    def holder(self, grant: KeyGrant) -> str:
        return grant.holder

    @admin.display(description="models")
    def models(self, grant: KeyGrant) -> str:
        return ", ".join(patterns(grant.model_patterns))

    @admin.display(description="providers")
    def providers(self, grant: KeyGrant) -> str:
        return ", ".join(patterns(grant.provider_patterns))

    @admin.display(description="limits")
    def limits_in_words(self, grant: KeyGrant) -> str:
        words = [
            f"{standing.words}{'' if standing.limit.each_person else ', together'}" for standing in _standings(grant)
        ]
        return "; ".join(words) or "no limit"

    @admin.display(description="used")
    def used(self, grant: KeyGrant) -> str:
        return bars(_standings(grant)) if grant.pk else "–"

    @admin.display(description="hits now")
    def hits(self, grant: KeyGrant) -> str:
        """How many of the models and providers that are listed the patterns allow."""
        if not grant.pk:
            return "Shown once it is saved."
        found = Offer.objects.listed().filter(endpoint=grant.shared_key.endpoint)
        offers = [
            (hub_id, provider)
            for hub_id, provider in found.values_list("language_model__hub_id", "provider")
            if fits(hub_id, grant.model_patterns)
        ]
        models = sorted({hub_id for hub_id, _ in offers})
        inside = {provider for _, provider in offers if provider and fits(provider, grant.provider_patterns)}
        more = f" and {len(models) - NAMED} more" if len(models) > NAMED else ""
        named = f": {', '.join(models[:NAMED])}{more}" if models else ""
        return f"{_count(len(models), 'model')}{named}. {_count(len(inside), 'provider')} of them."


class KeyRequestAdmin(ReadOnlyAdmin):
    """What members asked for: given by granting them a key, or declined."""

    list_display = ("asked_at", "person", "shared_key", "words", "decision", "decided_by", "decided_at")
    list_display_links = None
    list_filter = ("decision", "shared_key", "asked_at")
    list_select_related = ("person", "shared_key", "decided_by")
    search_fields = ("person__username", "words")
    ordering = ("-pk",)
    actions = ("give", "decline")

    @admin.action(description="Grant: choose what and how much", permissions=["decide"])
    def give(self, request: HttpRequest, queryset: "QuerySet[KeyRequest]") -> HttpResponse | None:
        """To the form of a grant, filled in; saving it answers the request."""
        chosen = list(queryset.filter(decision="")[:2])
        if len(chosen) != 1:
            messages.error(request, "Choose one request that waits: each grant has limits of its own.")
            return None
        filled = {"user": chosen[0].person_id, "shared_key": chosen[0].shared_key_id or ""}
        return redirect(f"{reverse('admin:chat_keygrant_add')}?{urlencode(filled)}")

    @admin.action(description="Decline", permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: "QuerySet[KeyRequest]") -> None:
        declined = sum(decide(asked, KeyRequest.Decision.DECLINED, person(request)) for asked in queryset)
        messages.success(request, f"{_count(declined, 'request')} declined.")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may change grants decides about requests for them."""
        return request.user.has_perm("chat.change_keygrant")


def bars(standings: list[Standing]) -> str:
    """How far each limit is used: for a limit of each person that of whoever is nearest to it."""
    rows = ((s.percent, s.words, s.percent, s.words, "" if s.limit.each_person else " together") for s in standings)
    row = '<div><meter min="0" max="100" high="80" value="{}" aria-label="{}"></meter> {} % of {}{}</div>'
    return format_html_join("", row, rows) or "–"


def grants_table(grants: list[KeyGrant]) -> list[dict[str, Any]]:
    """What the page of a key shows of its grants."""
    found = standings_of(grants, None)
    return [
        {
            "grant": grant,
            "models": ", ".join(patterns(grant.model_patterns)),
            "providers": ", ".join(patterns(grant.provider_patterns)),
            "each": "; ".join(s.words for s in found[grant.pk] if s.limit.each_person) or "no limit",
            "together": "; ".join(s.words for s in found[grant.pk] if not s.limit.each_person) or "no limit",
            "used": bars(found[grant.pk]),
            "address": reverse("admin:chat_keygrant_change", args=[grant.pk]),
        }
        for grant in grants
    ]


def _standings(grant: KeyGrant) -> list[Standing]:
    return standings_of([grant], None)[grant.pk]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


admin.site.register(KeyGrant, KeyGrantAdmin)
admin.site.register(KeyRequest, KeyRequestAdmin)
