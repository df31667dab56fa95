"""What each construct of Markdown becomes."""

import pytest

from chat.markdown import plain, render
from chat.markdown.render import MAX_RENDERED
from tests.markdown.dom import Element, body


def find(html: str, tag: str) -> list[Element]:
    return [element for element in body(html).walk() if element.tag == tag]


def blocks(*inner: str) -> str:
    return "".join(f'<div class="block">{html}</div>' for html in inner)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("Hi *there* & **you**", "<p>Hi <em>there</em> &amp; <strong>you</strong></p>"),
        ("a\nb", "<p>a<br>b</p>"),
        ("## T", "<h2>T</h2>"),
        ("~~x~~", "<p><s>x</s></p>"),
        ("- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("3. a", '<ol start="3"><li><p>a</p></li></ol>'),
        ("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
        ("- [ ] a", '<ul><li><p><span class="task">☐</span> a</p></li></ul>'),
        ("- [x] a", '<ul><li><p><span class="task-done">☑</span> a</p></li></ul>'),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("![a](//x/y.png)", "<p>![a](//x/y.png)</p>"),
    ],
)
def test_markdown_becomes(text: str, html: str) -> None:
    assert render(text) == (blocks(html) if html else "")


def test_top_level_blocks_are_wrapped_one_by_one() -> None:
    assert render("a\n\nb\n\n---") == blocks("<p>a</p>", "<p>b</p>", "<hr>")


def test_a_link_opens_elsewhere_without_a_referrer() -> None:
    [link] = find(render("[x](https://example.org/?a=1&b=2)"), "a")

    assert link.attributes == {
        "href": "https://example.org/?a=1&b=2",
        "target": "_blank",
        "rel": "noreferrer noopener",
    }


def test_an_image_becomes_a_link_and_nothing_is_loaded() -> None:
    html = render("![a cat](https://example.org/cat.png)")

    assert find(html, "img") == []
    assert [link.children for link in find(html, "a")] == [["a cat"]]


def test_an_image_inside_a_link_becomes_the_words_of_that_link() -> None:
    html = render("[![a cat](https://example.org/cat.png)](https://example.org/)")

    assert [(link.attributes["href"], link.children) for link in find(html, "a")] == [
        ("https://example.org/", ["a cat"])
    ]


def test_a_code_block_has_its_language_a_copy_button_and_colours() -> None:
    html = render("```python title=x\nreturn 1\n```")

    assert '<span class="code-lang">python</span><button class="code-copy" type="button">Copy</button>' in html
    assert '<span class="tok-keyword">return</span> <span class="tok-number">1</span>' in html


@pytest.mark.parametrize("language", ["", "nosuchlanguage", "text"])
def test_code_of_an_unknown_language_is_shown_as_it_is(language: str) -> None:
    [code] = find(render(f"```{language}\na <b> & c\n```"), "code")

    assert code.children == ["a <b> & c\n"]


def test_very_long_code_is_not_highlighted() -> None:
    html = render("```python\n" + "return 1\n" * 3_000 + "```")

    assert "tok-keyword" not in html
    assert html.count("return 1") == 3_000


def test_each_table_row_is_a_body_of_its_own_and_cells_are_aligned_by_class() -> None:
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |")

    assert len(find(html, "tbody")) == 2
    assert '<tbody><tr><td>3</td><td class="align-right">4</td></tr></tbody>' in html


@pytest.mark.parametrize(
    "text", ["$x^2$", r"\(x^2\)", "$$x^2$$", r"\[x^2\]", "$$\nx^2\n$$", "\\[\nx^2\n\\]", r"a $x^2$ b"]
)
def test_maths_of_all_delimiters_becomes_mathml(text: str) -> None:
    html = render(text)

    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html


@pytest.mark.parametrize("text", ["$5 and $10", "a $ b $ c", "$x$5", "`$x$`", r"\$x$", "$$ $$", "a $x", r"\(", "$$\nx"])
def test_dollars_that_are_not_maths_stay_dollars(text: str) -> None:
    assert find(render(text), "math") == []


@pytest.mark.parametrize("latex", [r"\foo{x}", r"\frac", "{", "a_b_c", "x" * 2_001, "\\sqrt{" * 60 + "x" + "}" * 60])
def test_maths_that_fails_is_shown_as_its_source(latex: str) -> None:
    html = render(f"$${latex}$$")

    assert find(html, "math") == []
    assert latex in html


def test_aligned_equations_become_a_table() -> None:
    html = render("$$\n\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n$$")

    assert len(find(html, "mtr")) == 2


def test_text_beyond_the_limit_is_shown_without_markdown() -> None:
    html = render("**x** <b>\n" * (MAX_RENDERED // 8))

    assert html.startswith('<div class="block plain">**x** &lt;b&gt;\n**x**')


@pytest.mark.parametrize("text", [">" * 100_000 + "x", "- " * 50_000 + "x", "1. " * 30_000 + "x"])
def test_nesting_that_the_parser_would_cut_off_is_shown_whole(text: str) -> None:
    assert body(render(text)).walk()[1].children == [text]


@pytest.mark.parametrize(
    "text",
    ["[" * 50_000, "]" * 50_000, "*a " * 20_000, "**a _b" * 10_000, "`" * 50_000, "`a``b" * 10_000, "![a](" * 10_000]
    + ["<a" * 20_000, "&" * 50_000, "\\" * 50_000, "~~a" * 20_000, "$a " * 20_000, "$" * 50_000, "\\(" * 20_000]
    + [
        "\\[\n" * 15_000,
        "$$\n" * 15_000,
        "|" * 20_000 + "\n|-",
        "[a]: b\n" * 5_000,
        "  " * 20_000 + "x",
        "$x$" * 15_000,
    ],
)
def test_pathological_text_keeps_its_length_in_bounds(text: str) -> None:
    html = render(text)

    assert len(html) <= 60 * len(text) + 1_000


def test_plain_text_keeps_words_and_marks_and_loses_markup() -> None:
    text = (
        "# Title\n\nSome **bold** [link](https://example.org) and `code`.\n\n- a\n  - b\n- [x] c\n\n2. two\n3. three"
        "\n\n> quote\n\n```py\nx = 1\n\ny = 2\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$x^2$\nend"
    )

    assert plain(text) == (
        "Title\n\nSome bold link (https://example.org) and code.\n\n- a\n  - b\n- [x] c\n\n2. two\n3. three\n\n"
        "quote\n\nx = 1\n\ny = 2\n\na\tb\n1\t2\n\nx^2\nend"
    )


def test_plain_text_of_what_cannot_be_rendered_is_the_text() -> None:
    assert plain(">" * 1_000 + "x") == ">" * 1_000 + "x"
