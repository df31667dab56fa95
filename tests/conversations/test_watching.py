"""Pages that follow the same answer at different paces all end with the same text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from chat import metrics
from chat.conversations.watching import StreamCursor
from chat.markdown.stream import BlockStream

# Words without markup: every frame then only appends, and what a page shows is what it was sent.
WORDS = st.lists(st.sampled_from(["tide ", "moon ", "sea ", "salt "]), min_size=1, max_size=40)


class TextOnly(HTMLParser):
    """The text between the tags of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def appended(frame: str) -> str:
    parser = TextOnly()
    parser.feed(frame)
    return parser.text


@given(words=WORDS, reads=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), max_size=40))
def test_pages_at_different_paces_are_sent_every_word_once(words: list[str], reads: list[tuple[int, int]]) -> None:
    blocks = BlockStream()
    pages = [StreamCursor("a"), StreamCursor("b")]
    seen = ["", ""]

    for number, word in enumerate(words):
        blocks.feed(word)
        for _, page in (read for read in reads if read[0] == number):
            seen[page] += appended(pages[page].take(blocks))
    for page in (0, 1):
        seen[page] += appended(pages[page].take(blocks))

    assert [text.rstrip() for text in seen] == ["".join(words).rstrip()] * 2


def test_what_is_sent_whole_is_counted() -> None:
    def counted() -> float:
        return metrics.REGISTRY.get_sample_value("playground_snapshots_sent_total") or 0

    before, blocks, page = counted(), BlockStream(), StreamCursor("a")
    for word in ("tide ", "moon "):
        blocks.feed(word)
        page.take(blocks)

    assert counted() - before == 1
