"""The last gate before a page: an allow-list over the renderer's HTML.

Owns which elements, attributes, classes and link schemes a rendered answer may hold; it knows no Markdown.
`render.py` passes everything through `sanitise` as its last step, and nothing is added after it.
"""

import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MATHML_TAGS = _words(
    "math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt"
    " mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none"
)
MATHML_ATTRIBUTES = _words(
    "accent columnalign columnlines columnspacing depth displaystyle fence form height linebreak linethickness"
    " lspace mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace scriptlevel separator"
    " stretchy symmetric voffset width"
)
_HTML_TAGS = _words(
    "a blockquote br button code div em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong table tbody td th thead tr ul"
)
# One class per meaning; code.css maps each onto a colour of both themes.
TOKEN_CLASSES = _words(
    "tok-attribute tok-builtin tok-comment tok-deleted tok-function tok-heading tok-inserted tok-keyword"
    " tok-number tok-string tok-tag tok-type"
)

# Classes come from fixed sets, so that no answer can dress as a part of the page around it.
_CLASSES: dict[str, set[str]] = {
    "a": {"image-link"},
    "button": {"code-copy"},
    "div": {"block", "code", "code-head", "math-block", "plain", "prose-table"},
    "span": {"code-lang", "math-source", "task", "task-done", *TOKEN_CLASSES},
    "td": {"align-left", "align-center", "align-right"},
    "th": {"align-left", "align-center", "align-right"},
}
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "math": set(MATHML_ATTRIBUTES),
    "ol": {"start"},
    **{tag: set(MATHML_ATTRIBUTES) for tag in MATHML_TAGS - {"math"}},
}
_CLEANER = nh3.Cleaner(
    tags=set(_HTML_TAGS | MATHML_TAGS),
    clean_content_tags={"script", "style"},
    attributes=_ATTRIBUTES,
    allowed_classes=_CLASSES,
    tag_attribute_values={"button": {"type": {"button"}}, "math": {"display": {"block", "inline"}}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noreferrer noopener",
)


def sanitise(html: str) -> str:
    """Return html with every element, attribute, class and link that is not on the list removed."""
    return _CLEANER.clean(html)
