"""Django admin's own changes in the audit log: what was added, changed and removed, field by field."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseForm, PasswordInput
from django.http import HttpRequest

from chat.accounts.models import User
from chat.audit.record import Verb, record, tells_a_secret

# Fields that switch something on and off.
SWITCHES = ("enabled", "is_active")


class RecordedAdmin(admin.ModelAdmin[Any]):
    """Records every save and deletion in the transaction of it. ``grants`` names inlines whose rows are granted."""

    grants: tuple[type[Model], ...] = ()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        actor = person(request)
        if not change:
            record(actor, self._verb(form.instance, Verb.ADDED), form.instance, told(form, new=True))
        elif form.changed_data:
            record(actor, _verb_of(form), form.instance, told(form))
        for formset in formsets:
            self._record_rows(actor, formset)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        record(person(request), self._verb(obj, Verb.REMOVED), obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            record(person(request), self._verb(obj, Verb.REMOVED), obj)
        super().delete_queryset(request, queryset)

    def _record_rows(self, actor: User | None, formset: Any) -> None:
        # Rows that were not filled in have no key to be found by.
        forms = {id(form.instance): form for form in formset.forms}
        for row in formset.new_objects:
            record(actor, self._verb(row, Verb.ADDED), row, told(forms[id(row)], new=True))
        for row, _ in formset.changed_objects:
            record(actor, Verb.CHANGED, row, told(forms[id(row)]))
        for row in formset.deleted_objects:
            record(actor, self._verb(row, Verb.REMOVED), row)

    def _verb(self, row: Model, verb: Verb) -> Verb:
        granted = {Verb.ADDED: Verb.GRANTED, Verb.REMOVED: Verb.REVOKED}
        return granted[verb] if isinstance(row, self.grants) else verb


def person(request: HttpRequest) -> User | None:
    """Who asks."""
    return request.user if isinstance(request.user, User) else None


def told(form: BaseForm, *, new: bool = False) -> dict[str, Any]:
    """What a form changed: each field with its old and new value, or with its value where the row is new."""
    return {name: _told(form, name, new) for name in form.changed_data if name in form.fields}


def _told(form: BaseForm, name: str, new: bool) -> Any:
    if isinstance(form.fields[name].widget, PasswordInput) or tells_a_secret(name):
        return "given" if new else "replaced"
    value = _readable(form.cleaned_data.get(name))
    return value if new else {"from": _readable(_before(form, name)), "to": value}


def _before(form: BaseForm, name: str) -> Any:
    """The value as the field itself reads it: a choice by its name, a date as a date."""
    initial = form.get_initial_for_field(form.fields[name], name)
    if isinstance(initial, Iterable) and not isinstance(initial, str):
        return list(initial)
    try:
        return form.fields[name].clean(initial)
    except ValidationError:
        return initial


def _readable(value: Any) -> Any:
    if isinstance(value, QuerySet | list | tuple | set):
        return [_readable(held) for held in value]
    return str(value) if isinstance(value, Model) else value


def _verb_of(form: BaseForm) -> Verb:
    for name in SWITCHES:
        if name in form.changed_data and name in form.cleaned_data:
            return Verb.ENABLED if form.cleaned_data[name] else Verb.DISABLED
    if {"secret", "headers"} & set(form.changed_data):
        return Verb.ROTATED
    return Verb.CHANGED
