"""Shared keys in Django admin: secrets go in and never come out, and grants say who may use them.

A check waits for the network, so it runs after the transaction that Django admin saves in.
"""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from chat.administration.recorded import RecordedAdmin, person
from chat.catalogue.models import Endpoint
from chat.keys import actions
from chat.keys.check import token_page
from chat.keys.errors import KeysError
from chat.keys.grant_admin import grants_table
from chat.keys.health import try_again
from chat.keys.models import SharedKey
from chat.keys.shared_form import SharedKeyForm

LEVELS = {True: messages.SUCCESS, False: messages.ERROR, None: messages.WARNING}
STATE = ("state", "last_used_at", "outcome", "checked_at", "check_report")


@admin.register(SharedKey)
class SharedKeyAdmin(RecordedAdmin):
    form = SharedKeyForm
    fields = (
        *("label", "endpoint", "token_pages", "secret", "headers", "confirm_address"),
        *("bill_to", "priority", "enabled", *STATE),
        "who_may_use_it",
    )
    readonly_fields = ("token_pages", *STATE, "who_may_use_it")
    list_display = ("display", "endpoint", "priority", "state", "outcome", "checked_at", "last_used_at")
    list_select_related = ("endpoint",)
    list_filter = ("enabled", "endpoint", "check_passed", "carried")
    search_fields = ("label",)
    actions = ("check_now", "use_again", "retire")

    @method_decorator(sensitive_post_parameters("secret", "headers"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    @sensitive_variables()
    def save_model(self, request: HttpRequest, obj: SharedKey, form: Any, change: bool) -> None:
        given = form.cleaned_data["secret"] or form.cleaned_data["headers"]
        if not change:
            obj.created_by = person(request)
        if "enabled" in form.changed_data and obj.enabled and change:
            actions.switch_on(obj)
        if given:
            actions.store_shared_key(obj, given, form.carried)
            transaction.on_commit(lambda: _check_and_tell(request, obj))
        elif form.held_back:
            actions.confirm_address(obj, person(request))
        else:
            super().save_model(request, obj, form, change)

    @admin.action(description="Check the selected keys", permissions=["change"])
    def check_now(self, request: HttpRequest, queryset: Any) -> None:
        for key in queryset.select_related("endpoint"):
            _check_and_tell(request, key)

    @admin.action(description="Use again what is parked or rests", permissions=["change"])
    def use_again(self, request: HttpRequest, queryset: Any) -> None:
        for key in queryset:
            try_again(key)
        messages.success(request, "They are used again from now on.")

    @admin.action(description="Retire for good: forget their secrets", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: Any) -> None:
        for key in queryset:
            actions.retire(key, person(request))
            messages.success(request, f"{key.display} is retired. Its secret is forgotten; its use stays on record.")

    @admin.display(description="check")
    def outcome(self, key: SharedKey) -> str:
        return {True: "works", False: "does not work", None: "not checked"}[key.check_passed]

    @admin.display(description="state")
    def state(self, key: SharedKey) -> str:
        now = timezone.now()
        if key._state.adding:
            return "–"
        if not key.enabled:
            return f"switched off: {key.stopped_because}" if key.stopped_because else "switched off"
        if not key.belongs_to(key.endpoint):
            return f"held back: given for {key.scheme}://{key.host}"
        if key.parked_until and key.parked_until > now:
            return f"parked until {key.parked_until:%-d %B}: out of credit"
        if key.resting_until and key.resting_until > now:
            return f"rests until {timezone.localtime(key.resting_until):%H:%M:%S}: too many requests"
        return "in use"

    @admin.display(description="who may use it")
    def who_may_use_it(self, key: SharedKey) -> str:
        if not key.pk:
            return "Save it first, then say who."
        grants = list(key.grants.select_related("shared_key", "user", "group").order_by("-everyone", "group", "pk"))
        return render_to_string(
            "chat/keys/admin_who.html",
            {
                "rows": grants_table(grants),
                "add": f"{reverse('admin:chat_keygrant_add')}?shared_key={key.pk}",
                "explain": reverse("admin:chat_keygrant_explain"),
            },
        )

    @admin.display(description="new token")
    def token_pages(self, key: SharedKey) -> str:
        """Where the Hub makes a token that may do no more than it has to."""
        right = {Endpoint.Kind.ROUTER: "Inference Providers", Endpoint.Kind.INFERENCE_ENDPOINT: "Inference Endpoints"}
        links = [(token_page(Endpoint(kind=kind)), name) for kind, name in right.items()]
        (providers, first), (endpoints, second) = links
        return format_html(
            'Hugging Face makes one that may call nothing but <a href="{}" target="_blank" rel="noreferrer noopener">{}'
            '</a>, or <a href="{}" target="_blank" rel="noreferrer noopener">{}</a>.',
            *(providers, first, endpoints, second),
        )


def _check_and_tell(request: HttpRequest, key: SharedKey) -> None:
    try:
        report = actions.check_again(key)
    except KeysError as error:
        messages.error(request, f"{key.display}: {error}")
        return
    messages.add_message(request, LEVELS[report.passed], f"{key.display}: {report.sentence}")
