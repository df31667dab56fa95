"""What a person asks of all lanes of a chat at once: each is asked on its own, with the verbs of ``actions``."""

from collections.abc import Callable
from dataclasses import dataclass

from chat.accounts.models import User
from chat.conversations.actions import continue_answer, regenerate
from chat.conversations.errors import Refused
from chat.conversations.models import LETTERS, Conversation, Lane, Message
from chat.runs.models import Run


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking all lanes: how many were asked, and why others were not, by the names of their columns."""

    count: int
    refusals: tuple[str, ...] = ()


def regenerate_all(user: User, conversation: Conversation) -> Asked:
    """Have the last answer of every lane written again, where it has ended."""
    return _for_all(conversation, lambda tip: regenerate(user, tip), lambda run: True)


def continue_all(user: User, conversation: Conversation) -> Asked:
    """Go on with every lane's last answer that was cut off."""
    return _for_all(conversation, lambda tip: continue_answer(user, tip), lambda run: run.was_cut_off)


def _for_all(conversation: Conversation, ask: Callable[[Message], Message], wanted: Callable[[Run], bool]) -> Asked:
    """Ask in each lane on its own: one that cannot be asked keeps none of the others from it."""
    asked, refusals = 0, []
    lanes = Lane.objects.live().filter(conversation=conversation).select_related("head__run", "head__lane")
    for letter, lane in zip(LETTERS, lanes, strict=False):
        tip = lane.head
        if tip is None or tip.run is None or not tip.run.is_settled or not wanted(tip.run):
            continue
        try:
            ask(tip)
            asked += 1
        except Refused as refusal:
            refusals.append((f"{lane.model_label} ({letter})", refusal))
    if refusals and not asked:
        raise refusals[0][1]
    return Asked(asked, tuple(f"{name} was not asked. {refusal.sentence}" for name, refusal in refusals))
