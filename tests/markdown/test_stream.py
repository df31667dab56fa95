"""What a watcher of a growing answer gets, and when."""

import pytest

from chat.markdown.ops import MAX_OPS, Op, OpLog, op_markup
from chat.markdown.render import MAX_RENDERED
from chat.markdown.stream import BlockStream
from tests.markdown.dom import apply, body


def feed(stream: BlockStream, *pieces: str) -> list[Op]:
    cursor = stream.cursor
    for piece in pieces:
        stream.feed(piece)
        stream.advance()
    ops = stream.ops_since(cursor)
    assert ops is not None
    return ops


def test_plain_words_are_appended_to_the_open_paragraph_as_they_are() -> None:
    stream = BlockStream()
    feed(stream, "Hello")

    ops = feed(stream, " wor", "ld > mo", "re")

    assert ops == [Op("> .block:last-child > p:last-child", "beforeend", " world &gt; more")]


def test_emphasis_appears_when_it_is_whole() -> None:
    stream = BlockStream()
    feed(stream, "Some ")

    assert feed(stream, "**bo", "ld") == [Op("> .block:last-child > p:last-child", "beforeend", " ")]
    assert [op.html for op in feed(stream, "** text")] == ["<strong>bold</strong> text"]


def test_a_finished_item_is_never_sent_again() -> None:
    stream = BlockStream()
    feed(stream, "- first item\n")

    ops = feed(stream, "- second", "\n- third", "\n  - inner")

    assert ops == [
        Op("> .block:last-child > ul", "beforeend", "<li><p>second</p></li><li><p>third</p></li>"),
        Op("> .block:last-child > ul > li:last-child", "beforeend", "<ul><li><p>inner</p></li></ul>"),
    ]


def test_a_table_grows_by_whole_rows() -> None:
    stream = BlockStream()
    feed(stream, "| a | b |\n|---|---|\n")

    assert feed(stream, "| 1 |", " 2") == []
    assert feed(stream, " |\n", "x") == [
        Op("> .block:last-child > .prose-table > table", "beforeend", "<tbody><tr><td>1</td><td>2</td></tr></tbody>")
    ]


def test_code_grows_by_lines_and_is_highlighted_once_when_it_closes() -> None:
    stream = BlockStream()
    feed(stream, "```python\n", "x = 1\n", "ret")

    growing = feed(stream, "urn x\n", "y")
    closing = feed(stream, "\n```\n", "Then")

    assert growing == [Op("> .block:last-child > .code > pre > code", "beforeend", "return x\n")]
    assert [op.swap for op in closing] == ["beforeend", "outerHTML", "beforeend"]
    assert "tok-keyword" in closing[1].html


def test_code_in_a_list_ends_where_the_list_does() -> None:
    stream = BlockStream()
    feed(stream, "- ```\n", "  code\n", "  more\n")

    ops = feed(stream, "Out", "side\n", "x")

    assert Op("", "beforeend", '<div class="block"><p>Outside</p></div>') in ops


def test_the_head_of_a_table_and_a_formula_wait_until_they_are_whole() -> None:
    stream = BlockStream()

    assert feed(stream, "| a | b |\n", "|--") == []
    assert "<table>" in feed(stream, "|---|\n", "x")[0].html
    assert feed(stream, "\n\n$$\n", "\\frac{a}", "{b}\n")[1:] == []
    assert "<mfrac>" in feed(stream, "$$\n", "So")[0].html


def test_nothing_is_parsed_by_feeding() -> None:
    parsed: list[int] = []
    stream = BlockStream(parsed.append)

    stream.feed("# Title\n\n**bold**")

    assert parsed == []
    assert stream.cursor == 0


def test_a_link_defined_after_its_use_needs_the_body_replaced() -> None:
    stream = BlockStream()
    feed(stream, "See [this].\n\n", "More.", "\n\n[this]: https://example.org\n")
    stream.finish()

    assert not stream.matches_final
    assert 'href="https://example.org"' in stream.final_html


def test_a_finished_stream_takes_no_more() -> None:
    stream = BlockStream()
    stream.finish()

    with pytest.raises(ValueError, match="finished"):
        stream.feed("x")


def test_a_watcher_that_lags_too_far_gets_none_and_takes_a_snapshot() -> None:
    stream = BlockStream()
    feed(stream, "a")
    for _ in range(MAX_OPS + 1):
        stream.feed(" b")
        stream.advance()

    assert stream.ops_since(0) is None
    assert stream.ops_since(stream.snapshot().cursor) == []
    assert len(body(stream.snapshot().html).walk()) == 3


def test_the_log_merges_what_goes_to_the_same_place() -> None:
    log = OpLog()
    for op in (Op("> p", "beforeend", "a"), Op("> p", "beforeend", "b"), Op("", "beforeend", "<p></p>")):
        log.append(op)

    assert log.since(0) == [Op("> p", "beforeend", "ab"), Op("", "beforeend", "<p></p>")]
    assert log.since(1) == [Op("> p", "beforeend", "b"), Op("", "beforeend", "<p></p>")]
    assert log.since(4) is None


def test_an_answer_beyond_the_limit_goes_on_as_plain_text() -> None:
    stream = BlockStream()
    page = body("")
    for piece in ("word " * (MAX_RENDERED // 5), "\n\n- **more**", "\n- text"):
        for op in feed(stream, piece):
            apply(page, op)
    stream.finish()

    assert page.elements[-1].attributes["class"] == "block plain"
    assert page.elements[-1].children == ["- **more**\n- text"]
    assert stream.final_html.startswith('<div class="block plain">')


def test_nesting_too_deep_to_render_is_streamed_whole() -> None:
    stream = BlockStream()
    feed(stream, "Look:\n\n", ">" * 300, " deep")
    stream.finish()

    assert body(stream.snapshot().html).elements[-1].children == [">" * 300 + " deep"]


@pytest.mark.parametrize(
    ("op", "markup"),
    [
        (Op("", "beforeend", "<p>x</p>"), '<div hx-swap-oob="beforeend:#a-1"><p>x</p></div>'),
        (Op("> p", "beforeend", " x"), '<div hx-swap-oob="beforeend:#a-1 > p"> x</div>'),
        (Op("> p", "outerHTML", "<p>x</p>"), '<p hx-swap-oob="outerHTML:#a-1 > p">x</p>'),
        (Op("", "innerHTML", ""), '<div hx-swap-oob="innerHTML:#a-1"></div>'),
        (
            Op("> table", "beforeend", "<tbody><tr></tr></tbody>"),
            '<table hx-swap-oob="beforeend:#a-1 > table"><tbody><tr></tr></tbody></table>',
        ),
    ],
)
def test_an_op_becomes_an_out_of_band_element(op: Op, markup: str) -> None:
    assert op_markup("a-1", op) == markup


def test_markup_for_something_that_is_no_id_is_refused() -> None:
    with pytest.raises(ValueError, match="not an element id"):
        op_markup('a" hx-get="/', Op("", "beforeend", "x"))
