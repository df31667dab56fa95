"""Whatever was streamed and however it was cut, the page shows at the end what a reload shows."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.markdown import render
from chat.markdown.stream import BlockStream
from tests.markdown.dom import Element, apply, body
from tests.markdown.samples import chunk_sizes, chunks, markdown


def watch(stream: BlockStream, page: Element, cursor: int) -> int:
    """Do what a watcher does in a frame."""
    ops = stream.ops_since(cursor)
    assert ops is not None
    for op in ops:
        apply(page, op)
    return stream.cursor


def streamed(text: str, sizes: list[int], every: int = 1) -> tuple[BlockStream, Element]:
    stream, page, cursor = BlockStream(), body(""), 0
    for turn, piece in enumerate(chunks(text, sizes)):
        stream.feed(piece)
        if turn % every == 0:
            stream.advance()
            cursor = watch(stream, page, cursor)
    stream.finish()
    watch(stream, page, cursor)
    return stream, page


@settings(max_examples=400, deadline=None)
@given(markdown, chunk_sizes, st.integers(1, 4))
@example("| a |\n|---|\n| 1 |\n\n1 | 2", [1], 1)
@example("- ```\n  code\nout", [2], 1)
def test_ops_applied_to_a_page_give_the_snapshot(text: str, sizes: list[int], every: int) -> None:
    stream, page = streamed(text, sizes, every)

    assert page == body(stream.snapshot().html)


@settings(max_examples=400, deadline=None)
@given(markdown, chunk_sizes)
def test_a_stream_that_says_it_matches_shows_what_a_reload_shows(text: str, sizes: list[int]) -> None:
    stream, page = streamed(text, sizes)

    assert stream.final_html == render(text)
    assert stream.matches_final == (stream.snapshot().html == render(text))
    if stream.matches_final:
        assert page == body(render(text))


@settings(max_examples=200, deadline=None)
@given(markdown, chunk_sizes)
def test_a_watcher_that_joins_midway_sees_what_the_others_see(text: str, sizes: list[int]) -> None:
    stream = BlockStream()
    pieces = chunks(text, sizes)
    for piece in pieces[: len(pieces) // 2]:
        stream.feed(piece)
        stream.advance()
    snapshot = stream.snapshot()
    page = body(snapshot.html)

    for piece in pieces[len(pieces) // 2 :]:
        stream.feed(piece)
        stream.advance()
    stream.finish()
    watch(stream, page, snapshot.cursor)

    assert page == body(stream.snapshot().html)


ANSWER = """# Why the sea is salt

Rivers carry **minerals** from the land; the sea keeps them, as `NaCl`. It costs $5.

1. **Rain** falls, and is a little acid
   - it dissolves *rock*
   - see [this page](https://example.org/salt)

   ```python
   def salt(litres: float) -> float:
       return litres * 35  # g
   ```

2. **Rivers** carry what it dissolved

- [x] read
- [ ] understood

| Sea | g / l |
|:----|------:|
| Baltic | 8 |
| **Dead Sea** | 340 |

> Water, water, everywhere,
> nor any drop to drink.

With $c = m / V$:

$$
m = \\int_0^V c \\, dV
$$

```text
done
```

---

That is all, snake_case_too.
"""


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 16, 50, 200, 2000])
def test_an_ordinary_answer_needs_no_replacement_at_its_end(size: int) -> None:
    stream, page = streamed(ANSWER, [size])

    assert stream.matches_final
    assert page == body(render(ANSWER))
