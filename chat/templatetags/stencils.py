"""Markup that is the same for every row but for the row's ids: drawn once for each process, then only filled in.

``{% stencil pk=message.pk %}…{% endstencil %}``. What stands inside sees those ids and nothing else, neither the page
nor the person, so that what is drawn for one can be shown to all. Addresses and icons in it cost nothing from then on.
"""

from typing import Any
from uuid import UUID

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.urls import get_script_prefix, set_script_prefix

register = template.Library()

# Stands for an id while a stencil is drawn: a number that no template holds, and that addresses take for one.
_MARK = 701_408_733_139_583_862


class StencilNode(Node):
    """Holds what it drew as a %-format with one place for each mention of an id."""

    def __init__(self, ids: dict[str, FilterExpression], nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self._ids = ids
        self._drawn = ""

    def render(self, context: template.Context) -> str:
        ids = {name: _id(name, value.resolve(context)) for name, value in self._ids.items()}
        if not self._drawn:
            self._drawn = self._draw(context, ids)
        return self._drawn % ids

    def _draw(self, context: template.Context, ids: dict[str, int | UUID]) -> str:
        marks = {
            name: UUID(int=_MARK + place) if isinstance(pk, UUID) else _MARK + place
            for place, (name, pk) in enumerate(ids.items())
        }
        drawn = self._render_alone(context, marks).replace("%", "%%")
        for name, mark in marks.items():
            drawn = drawn.replace(str(mark), f"%({name})s")
        return drawn

    def _render_alone(self, context: template.Context, marks: dict[str, int | UUID]) -> str:
        assert context.template is not None
        alone = _Alone(marks)
        # A client can name the prefix of addresses in a header that some proxies send; others must not be shown it.
        prefix = get_script_prefix()
        set_script_prefix("/")
        try:
            with alone.bind_template(context.template):
                return self.nodelist.render(alone)
        finally:
            set_script_prefix(prefix)


class _Alone(template.Context):
    """A context that says so when it is asked for what it has not."""

    def __getitem__(self, key: int | str | Node) -> Any:
        if key not in self:
            raise template.TemplateSyntaxError(f"A stencil sees only its own ids, and “{key}” is none of them.")
        return super().__getitem__(key)


@register.tag
def stencil(parser: Parser, token: Token) -> StencilNode:
    """Draw what is inside once and fill in the ids, which are numbers or UUIDs: nothing that would need escaping."""
    bits = token.split_contents()[1:]
    ids = token_kwargs(bits, parser)
    if bits or not ids:
        raise template.TemplateSyntaxError("stencil takes one id or more, each with its name: pk=message.pk")
    nodelist = parser.parse(("endstencil",))
    parser.delete_first_token()
    return StencilNode(ids, nodelist)


def _id(name: str, value: object) -> int | UUID:
    if not isinstance(value, int | UUID):
        raise TypeError(f"{name} of a stencil is neither a number nor a UUID.")
    return value
