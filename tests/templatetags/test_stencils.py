"""``{% stencil %}``: drawn once, filled in for each row, and open to nothing else."""

from uuid import UUID

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.urls import clear_script_prefix, set_script_prefix

SOME = UUID("5f0c9a3e-6f5b-4f0e-9a53-0d6a2c1b7e11")
OTHER = UUID("0b9d7b52-3f0f-4a86-8b59-6a1a2f4f9d22")


def stencil(ids: str, inside: str) -> Template:
    return Template(f"{{% load icons stencils %}}{{% stencil {ids} %}}{inside}{{% endstencil %}}")


def test_every_row_gets_its_own_ids() -> None:
    template = stencil("pk=row.pk run=row.run", '<b id="m{{ pk }}" title="{{ run }}">{% url "edit_message" pk %}</b>')

    first = template.render(Context({"row": {"pk": 7, "run": 31}}))
    second = template.render(Context({"row": {"pk": 1234567, "run": 7}}))

    assert first == '<b id="m7" title="31">/messages/7/edit/</b>'
    assert second == '<b id="m1234567" title="7">/messages/1234567/edit/</b>'


def test_a_chat_is_named_by_its_uuid() -> None:
    template = stencil("pk=pk", "{% url 'conversation' pk %}")

    assert template.render(Context({"pk": SOME})) == f"/c/{SOME}/"
    assert template.render(Context({"pk": OTHER})) == f"/c/{OTHER}/"


def test_what_stands_around_the_ids_stays_as_it_is() -> None:
    template = stencil("pk=pk", "100 % of %(pk)s {{ pk }} 50%{% icon 'copy' %}")

    drawn = template.render(Context({"pk": 3}))

    assert drawn.startswith("100 % of %(pk)s 3 50%<svg")
    assert template.render(Context({"pk": 3})) == drawn


@pytest.mark.parametrize("pk", ["<b>", "7", None, 1.5])
def test_only_ids_are_filled_in(pk: object) -> None:
    template = stencil("pk=pk", "{{ pk }}")
    template.render(Context({"pk": 1}))

    with pytest.raises(TypeError):
        template.render(Context({"pk": pk}))


@pytest.mark.parametrize("inside", ["{{ user }}", "{% if user %}staff{% endif %}", "{% url 'edit_message' user.pk %}"])
def test_nothing_of_the_page_or_the_person_is_seen_inside(inside: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="user"):
        stencil("pk=pk", inside).render(Context({"pk": 1, "user": "anna"}))


def test_addresses_stay_those_of_this_server_whatever_a_visitor_put_before_them() -> None:
    template = stencil("pk=pk", "{% url 'edit_message' pk %}")
    set_script_prefix("/elsewhere/")
    try:
        drawn = template.render(Context({"pk": 1}))
    finally:
        clear_script_prefix()

    assert drawn == template.render(Context({"pk": 1})) == "/messages/1/edit/"


@pytest.mark.parametrize("ids", ["", "pk", "message.pk", "pk=1 as x"])
def test_a_stencil_without_named_ids_does_not_compile(ids: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        stencil(ids, "x")
