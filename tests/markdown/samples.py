"""Markdown for the tests: what models write, what breaks parsers, and what attacks pages."""

from hypothesis import strategies as st

FRAGMENTS = (
    "# Title\n", "Setext\n===\n", "two\n---\n", "- item\n", "- **Bold**: text\n", "* star\n", "+ plus\n",
    "1. one\n", "2) two\n", "10. ten\n", "   - nested\n", "  - nested two\n", "    deep\n", "      - six\n",
    "> quote\n", "> - in quote\n", ">> twice\n", "lazy\n", "```python\n", "```\n", "~~~~\n", "~~~\n", "   ```\n",
    "x = {'a': 1}\n", "\tTab\n", "- \tTab\n", "| a | b |\n", "|---|:-:|\n", "| 1 | **2** |\n", "| `|` |\n",
    "a | b\n", "--|--\n", "$$\n", "$$x^2$$\n", "\\[\n", "\\]\n", "\\frac{a}{b}\n", "a $x$ b\n", "\\(y\\) ",
    "costs $5 and $10 ", "**bold** ", "*em", "* ", "_u_ ", "snake_case_name ", "`code` ", "``a`b`` ", "~~gone~~ ",
    "[text](https://example.org/a) ", "![alt](https://example.org/b.png)\n", "[ref]\n",
    "[ref]: https://example.org\n", "<https://example.org> ", "<b onclick=x>html</b>\n", "&amp; &lt; &copy; ",
    "\\*not\\* ", "- [ ] todo\n", "- [x] done\n", "***\n", "---\n", "plain words ", "Eine Zeile\n", "\n", "\n\n",
    "  \n", " ", "!", "line  \nbreak\n", "\xa0", "é", "\r\n", "\r", "\u202e", "\x00", "-\n", "1.\n", "- - a\n",
    "- 1. b\n", "-     code\n", "- > q\n", "- # h\n", "- ```\n  c\n  ```\n", "   continued\n", "# closed #\n", "#",
    "##",
)  # fmt: skip
ALPHABET = "ab1 \n\t*_`[]()!#>-+=|~$\\&<;:.é"

markdown = st.lists(st.sampled_from(FRAGMENTS) | st.text(ALPHABET, max_size=8), max_size=24).map("".join)
"""Text that holds every construct, whole and broken."""

chunk_sizes = st.lists(st.integers(1, 12), min_size=1, max_size=40)


def chunks(text: str, sizes: list[int]) -> list[str]:
    """Cut text into pieces of these sizes, over and over."""
    pieces, position, turn = [], 0, 0
    while position < len(text):
        size = sizes[turn % len(sizes)]
        pieces.append(text[position : position + size])
        position, turn = position + size, turn + 1
    return pieces
