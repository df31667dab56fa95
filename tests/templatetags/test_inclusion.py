"""``{% include %}`` does what Django's does, found once."""

import pytest
from django.template import Context, Engine, TemplateDoesNotExist

PAGES = {
    "plain": "{{ word }}",
    "assigning": "{% load l10n %}{% with word='inner' %}{{ word }}{% endwith %}{% now 'Y' as word %}",
    "base": "<{% block a %}base{% endblock %}>",
    "extending": "{% extends 'base' %}{% block a %}{{ word }}{% endblock %}",
    "nested": "{% include 'plain' %}{% if deep %}{% include 'nested' with deep=None %}{% endif %}",
}


def rendered(source: str, **values: object) -> list[str]:
    """What a template gives, twice, as what was found the first time is kept."""
    engine = Engine(
        loaders=[("django.template.loaders.locmem.Loader", {**PAGES, "page": source})],
        builtins=["chat.templatetags.inclusion"],
        libraries={"l10n": "django.templatetags.l10n"},
    )
    template = engine.get_template("page")
    return [template.render(Context(values)) for _ in range(2)]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("{% include 'plain' %}", "outer"),
        ("{% include 'plain' with word='given' %}{{ word }}", "givenouter"),
        ("{% include 'plain' with word='given' only %}", "given"),
        ("{% include 'plain' only %}", ""),
        ("{% include name %}", "outer"),
        ("{% include './plain' %}", "outer"),
        ("{% include 'assigning' %}{{ word }}", "innerouter"),
        ("{% include 'extending' %}{% include 'extending' with word='again' %}", "<outer><again>"),
        ("{% include 'nested' with deep=1 %}", "outerouter"),
        ("{% if word == 'no' %}{% include 'missing' %}{% endif %}", ""),
    ],
)
def test_an_included_template_renders_as_with_django(source: str, html: str) -> None:
    assert rendered(source, word="outer", name="plain") == [html, html]


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(TemplateDoesNotExist, match="missing"):
        rendered("{% include 'missing' %}")
