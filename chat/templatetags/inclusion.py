"""``{% include %}`` as Django has it, without looking for the same template each time.

A page of many answers includes thousands of small partials. Finding each by name, and opening a drawer of its own for
tags that remember something, takes longer than most of them take to render. The settings make this the built-in one.
"""

from typing import Any

from django.template import Context, Library
from django.template.base import NodeList, Parser, Token
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode, do_include
from django.utils.safestring import SafeString

register = Library()


class KnownInclude(IncludeNode):
    """An include that names its template outright, and keeps what it found."""

    _nodelist: NodeList | None = None

    def render(self, context: Context) -> SafeString:
        if self._nodelist is None:
            nodelist = self._found(context)
            # Blocks do need that drawer.
            if nodelist.get_nodes_by_type(BlockNode) or nodelist.get_nodes_by_type(ExtendsNode):
                return super().render(context)
            self._nodelist = nodelist
        values: dict[str, Any] = {name: value.resolve(context) for name, value in self.extra_context.items()}
        with context.push(**values):
            return self._nodelist.render(context)

    def _found(self, context: Context) -> NodeList:
        assert context.template is not None
        return context.template.engine.get_template(self.template.var).nodelist


@register.tag
def include(parser: Parser, token: Token) -> IncludeNode:
    """Django's, in its words; what is not known before rendering is found then, as ever."""
    node: IncludeNode = do_include(parser, token)
    name = node.template.var
    if node.isolated_context or node.template.filters or not isinstance(name, str) or name.startswith("."):
        return node
    return KnownInclude(node.template, extra_context=node.extra_context)
