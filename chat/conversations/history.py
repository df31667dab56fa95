"""Reads message trees: the path one sees, its siblings, and the messages a model is sent.

``Tree`` loads a lane's shape without its texts; what a page or a request needs of the texts is fetched after.
Whatever a model is sent is built here, from its own lane's rows and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from chat.conversations.models import Conversation, Lane, Message, Siblings, Turn
from chat.providers.requests import WireMessage

ROWS_PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class Node:
    """A message without its content."""

    pk: int
    parent_id: int | None
    role: str
    row: int


class Tree:
    """The shape of one lane: every message that is not deleted."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.pk: node for node in nodes}
        self._children: dict[int | None, list[Node]] = defaultdict(list)
        for node in self.nodes.values():
            self._children[node.parent_id].append(node)

    @classmethod
    def of_lanes(cls, lane_ids: Iterable[int]) -> dict[int, "Tree"]:
        """The trees of several lanes in one query."""
        wanted = list(lane_ids)
        found: dict[int, list[Node]] = {pk: [] for pk in wanted}
        rows = Message.objects.filter(lane_id__in=wanted, deleted_at__isnull=True).order_by("pk")
        for lane_id, pk, parent_id, role, row in rows.values_list("lane_id", "pk", "parent_id", "role", "turn__row"):
            found[lane_id].append(Node(pk, parent_id, role, row))
        return {lane_id: cls(nodes) for lane_id, nodes in found.items()}

    @classmethod
    def of(cls, lane: Lane) -> "Tree":
        return cls.of_lanes([lane.pk])[lane.pk]

    def path(self, head_id: int | None) -> list[Node]:
        """From the root down to ``head_id``; empty where the head is deleted or none."""
        path: list[Node] = []
        node = self.nodes.get(head_id) if head_id is not None else None
        while node is not None:
            path.append(node)
            node = self.nodes.get(node.parent_id) if node.parent_id is not None else None
        return path[::-1]

    def stands(self, pk: int) -> bool:
        """Whether nothing is deleted from the root down to this message."""
        path = self.path(pk)
        return bool(path) and path[0].parent_id is None

    def siblings(self, node: Node) -> list[Node]:
        """Alternatives at the same place, oldest first, ``node`` among them."""
        return [other for other in self._children[node.parent_id] if other.role == node.role]

    def leaf_under(self, node_id: int) -> int:
        """The end of the latest path that leads through a message."""
        while children := self._children.get(node_id):
            node_id = children[-1].pk
        return node_id

    def below(self, node_id: int) -> set[int]:
        """A message and everything under it."""
        found, waiting = set(), [node_id]
        while waiting:
            found.add(pk := waiting.pop())
            waiting.extend(child.pk for child in self._children.get(pk, ()))
        return found


@dataclass(frozen=True, slots=True)
class Path:
    """What a page shows of one lane: its messages by row, and the row that earlier ones stand before."""

    messages: dict[int, list[Message]]
    last_row: int | None
    tip_id: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that a page shows, with each lane's path through them by the lane's id."""

    rows: list[int]
    earlier: bool
    paths: dict[int, Path]


def window(lanes: list[Lane], before: int | None = None) -> Window:
    """The last rows of all lanes (or those before row ``before``), in two queries whatever the number of lanes."""
    trees = Tree.of_lanes(lane.pk for lane in lanes)
    paths = {lane.pk: trees[lane.pk].path(lane.head_id) for lane in lanes}
    rows = sorted({node.row for path in paths.values() for node in path})
    shown = [row for row in rows if before is None or row < before][-ROWS_PER_PAGE:]
    messages = _messages(node.pk for path in paths.values() for node in path if node.row in set(shown))
    return Window(
        shown,
        bool(shown) and shown[0] > rows[0],
        {pk: _path(path, trees[pk], messages) for pk, path in paths.items()},
    )


def _path(nodes: list[Node], tree: Tree, messages: dict[int, Message]) -> Path:
    by_row: dict[int, list[Message]] = defaultdict(list)
    for node in nodes:
        if node.pk in messages:
            message = messages[node.pk]
            message.siblings = Siblings.among([other.pk for other in tree.siblings(node)], node.pk)
            by_row[node.row].append(message)
    return Path(dict(by_row), nodes[-1].row if nodes else None, nodes[-1].pk if nodes else None)


def message_with_siblings(pk: int) -> Message:
    """One message as a page shows it."""
    message = _messages([pk], "lane")[pk]
    place = {"lane": message.lane_id, "parent": message.parent_id, "role": message.role}
    alternatives = Message.objects.filter(**place, deleted_at__isnull=True).order_by("pk")
    message.siblings = Siblings.among(list(alternatives.values_list("pk", flat=True)), pk)
    return message


def _messages(pks: Iterable[int], *related: str) -> dict[int, Message]:
    heavy = ("run__request", "run__logprobs", "run__response_headers")
    rows = Message.objects.filter(pk__in=list(pks)).select_related("run", *related).defer(*heavy)
    return {message.pk: message for message in rows}


def path_messages(lane: Lane, tip: Message) -> tuple[WireMessage, ...]:
    """What the model of ``lane`` is sent below its system prompt: its own path down to ``tip``.

    Answers with no text (failed, or stopped before the first word) are left out together with nothing else: a
    provider refuses empty assistant messages, and the question still stands.
    """
    if tip.parent_id is None:
        return ({"role": tip.role, "content": tip.text},)
    sent: list[WireMessage] = []
    path = Tree.of(lane).path(tip.pk)
    # Only the texts: each run also keeps its request, and with it the whole path above it once more.
    light = Message.objects.select_related("run").only("parts", "run__prefix", "run__text")
    texts = light.in_bulk([node.pk for node in path])
    for node in path:
        text = texts[node.pk].text
        if text.strip() or node.role == Message.Role.USER:
            sent.append({"role": node.role, "content": text})
    return tuple(sent)


def next_row(conversation: Conversation) -> int:
    """The row below all turns of a conversation."""
    last = Turn.objects.filter(conversation=conversation).order_by("-row").values_list("row", flat=True).first()
    return 0 if last is None else last + 1
