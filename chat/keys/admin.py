"""Shared keys in Django admin: secrets go in and never come out, and grants say who may use them.

A check waits for the network, so it runs after the transaction that Django admin saves in.
"""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from chat.accounts.models import User
from chat.administration.recorded import RecordedAdmin
from chat.keys.actions import check_again, store_shared_key
from chat.keys.errors import KeysError
from chat.keys.forms import SharedKeyForm
from chat.keys.models import KeyGrant, SharedKey

LEVELS = {True: messages.SUCCESS, False: messages.ERROR, None: messages.WARNING}


class KeyGrantInline(admin.TabularInline[KeyGrant, SharedKey]):
    model = KeyGrant
    extra = 1
    fields = ("user", "group")
    autocomplete_fields = ("user", "group")
    verbose_name = "person or group that may use it"
    verbose_name_plural = "who may use it"


@admin.register(SharedKey)
class SharedKeyAdmin(RecordedAdmin):
    grants = (KeyGrant,)
    form = SharedKeyForm
    inlines = (KeyGrantInline,)
    fields = ("label", "endpoint", "secret", "bill_to", "enabled", "outcome", "checked_at", "check_report")
    readonly_fields = ("outcome", "checked_at", "check_report")
    list_display = ("display", "endpoint", "enabled", "outcome", "checked_at")
    list_select_related = ("endpoint",)
    list_filter = ("enabled", "endpoint")
    search_fields = ("label",)
    actions = ("check_now",)

    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: SharedKey, form: Any, change: bool) -> None:
        secret = form.cleaned_data["secret"]
        if not change:
            obj.created_by = request.user if isinstance(request.user, User) else None
        if not secret:
            super().save_model(request, obj, form, change)
            return
        store_shared_key(obj, secret)
        transaction.on_commit(lambda: _check_and_tell(request, obj))

    @admin.action(description="Check the selected keys", permissions=["change"])
    def check_now(self, request: HttpRequest, queryset: Any) -> None:
        for key in queryset.select_related("endpoint"):
            _check_and_tell(request, key)

    @admin.display(description="check")
    def outcome(self, key: SharedKey) -> str:
        return {True: "works", False: "does not work", None: "not checked"}[key.check_passed]


def _check_and_tell(request: HttpRequest, key: SharedKey) -> None:
    try:
        report = check_again(key)
    except KeysError as error:
        messages.error(request, f"{key.display}: {error}")
        return
    messages.add_message(request, LEVELS[report.passed], f"{key.display}: {report.sentence}")
