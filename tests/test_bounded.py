"""Questions that may hang: one at a time, and nobody waits for ever."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from chat.bounded import Bounded


class Hanging:
    """A question that is answered once ``answered`` is set; ``asked`` says how often it was."""

    def __init__(self) -> None:
        self.asked = 0
        self.answered = Event()

    def __call__(self) -> int:
        self.asked += 1
        self.answered.wait()
        return self.asked


@pytest.fixture
def hanging() -> Hanging:
    return Hanging()


def test_what_hangs_is_asked_once_and_given_up_by_all(hanging: Hanging) -> None:
    question = Bounded(hanging, seconds=0.1)

    with ThreadPoolExecutor(5) as people:
        waits = [people.submit(question.answer) for _ in range(5)]
        errors = [type(wait.exception()) for wait in waits]
    hanging.answered.set()

    assert errors == [TimeoutError] * 5
    assert hanging.asked == 1


def test_it_is_asked_anew_once_the_last_answer_came(hanging: Hanging) -> None:
    question = Bounded(hanging)
    hanging.answered.set()

    assert (question.answer(), question.answer()) == (1, 2)


def test_an_error_is_everybodys_and_passes() -> None:
    answers = iter((ValueError("once"), 7))

    def ask() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    question = Bounded(ask)

    with pytest.raises(ValueError, match="once"):
        question.answer()
    assert question.answer() == 7
