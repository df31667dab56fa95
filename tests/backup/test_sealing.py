"""A sealed stream opens whole and unchanged under its passphrase, or not at all."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.backup import sealing
from chat.backup.sealing import LEAST_COST, PIECE, TAG_BYTES, Opener, Sealer, Unreadable

PASSPHRASE = "correct horse"
HEAD = len(sealing.MAGIC) + 1 + sealing.SALT_BYTES
TEXT = bytes(range(256)) * (3 * PIECE // 256) + b"and a little"


@pytest.fixture(autouse=True, scope="module")
def hurried() -> None:
    """What makes guessing slow would make these tests slow."""
    sealing.COST = LEAST_COST


def sealed(*writes: bytes) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, PASSPHRASE)
    for data in writes:
        sealer.write(data)
    sealer.finish()
    return target.getvalue()


def opened(box: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return io.BufferedReader(Opener(io.BytesIO(box), passphrase)).read()


@pytest.fixture(scope="module")
def box(hurried: None) -> bytes:
    return sealed(TEXT)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
def test_stream_of_any_length_comes_back(size: int) -> None:
    assert opened(sealed(TEXT[:size])) == TEXT[:size]


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2 * PIECE), max_size=5))
def test_stream_written_in_any_pieces_comes_back(sizes: list[int]) -> None:
    assert opened(sealed(*(TEXT[:size] for size in sizes))) == b"".join(TEXT[:size] for size in sizes)


def test_text_cannot_be_seen(box: bytes) -> None:
    assert TEXT[:32] not in box


def test_wrong_passphrase_opens_nothing(box: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^The passphrase is wrong, or the file is damaged\.$"):
        opened(box, "correct house")


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_is_seen(box: bytes, data: st.DataObject) -> None:
    place, bit = data.draw(st.integers(0, len(box) - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(box)
    changed[place] ^= 1 << bit

    with pytest.raises(Unreadable):
        opened(bytes(changed))


@settings(max_examples=40)
@given(st.data())
def test_any_cut_is_seen(box: bytes, data: st.DataObject) -> None:
    with pytest.raises(Unreadable):
        opened(box[: data.draw(st.integers(0, len(box) - 1))])


def test_cut_between_two_pieces_is_seen(box: bytes) -> None:
    with pytest.raises(Unreadable, match="cut short"):
        opened(box[: HEAD + 2 * (PIECE + TAG_BYTES)])


def test_pieces_in_another_order_are_seen(box: bytes) -> None:
    size = PIECE + TAG_BYTES
    first, second = box[HEAD : HEAD + size], box[HEAD + size : HEAD + 2 * size]

    with pytest.raises(Unreadable):
        opened(box[:HEAD] + second + first + box[HEAD + 2 * size :])


def test_something_after_the_end_is_seen(box: bytes) -> None:
    with pytest.raises(Unreadable):
        opened(box + b"x")


def test_what_was_not_finished_cannot_be_read() -> None:
    target = io.BytesIO()
    Sealer(target, PASSPHRASE).write(TEXT)

    with pytest.raises(Unreadable):
        opened(target.getvalue())
